"""One case: a flow's news delivered in some order through inbox, processor, handler and worker, step by step.

Nothing waits: the clock is set, and every step of the processor and the worker is taken by hand.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

from msgspec import structs
from orders.flows import Flow, News
from orders.vendors import Call, Ten99PolicyDouble, UpworkDouble, Vendors

from domain.assignments import canceled_at
from domain.attention import attention
from domain.coverage import answer, gaps
from domain.ids import engagement_stream
from domain.state import Assignment, Engagement
from service.config import EXAMPLE, ConfigFile
from service.effects.backoff import Ladder
from service.effects.perform import Desk
from service.effects.worker import Worker
from service.handle import Handler
from service.ingest.process import Processor
from service.metrics import Metrics
from service.ports import Claimed, Delivery, Store
from service.store.memory import MemoryStore

CONFIG = ConfigFile(None, EXAMPLE)
METRICS = Metrics()
LEASE = 200
"""Seconds after which everything that was taken and not finished may be taken again."""


class Clock:
    """Stands still; never goes back."""

    def __init__(self, at: int) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    def reach(self, at: int) -> None:
        self.at = max(self.at, at)


@dataclass(frozen=True)
class Manners:
    """How rudely the news are delivered; each a chance from 0 to 1.

    ``causal``: nothing is said before the call that brings it about, as between real vendors and us.
    """

    shuffled: bool = False
    causal: bool = True
    metadata: bool = True
    same_again: float = 0.0
    told_again: float = 0.0
    left_in_the_inbox: float = 0.0
    effects_wait: float = 0.0
    crash: float = 0.0
    trouble: float = 0.0
    in_flight: float = 0.0


POLITE = Manners()


@dataclass(frozen=True)
class Outcome:
    """What must not depend on the order. Ids are told without the case's tag."""

    engagements: tuple[dict[str, Any], ...]
    calls: Counter[Call]
    unheard: int
    """News that were never said, because what they follow never happened."""
    inbox: Counter[str]


@dataclass
class Delivered:
    news: News
    copy: int = 0


class World:
    """The service's real parts over a store, two replicas of the handler, and vendors in this process."""

    def __init__(self, store: Store, clock: Clock, flow: Flow, manners: Manners, random: Random) -> None:
        self.flow, self.manners, self.random = flow, manners, random
        self.clock = clock
        self.vendors = Vendors(flow.facts, lambda: clock.at)
        self.vendors.trouble = self._trouble
        self.vendors.meanwhile = self._meanwhile
        self._troubled: set[Call] = set()
        self.begin(store)
        self.streams = [engagement_stream(id) for id in flow.engagements]
        self.waiting: list[Delivered] = []
        self.done = False
        self.log: list[str] = []

    def begin(self, store: Store) -> None:
        """A process begins on what is stored, knowing nothing."""
        self.store = store
        self.handler = Handler(store, CONFIG.rules)
        upwork: Any = UpworkDouble(self.vendors)
        ten99policy: Any = Ten99PolicyDouble(self.vendors)
        desk = Desk(store, Handler(store, CONFIG.rules), upwork, ten99policy, CONFIG, self.clock)
        self.worker = Worker(desk, METRICS, sweep_seconds=0.0, ladder=Ladder(first=0.0, give_up_after=1e12))
        self.processor = Processor(store, self.handler, CONFIG, self.clock, METRICS)
        self.handler.on_append = desk.handler.on_append = self.processor.ids_known

    async def play(self) -> Outcome:
        manners, self.manners = self.manners, POLITE
        for news in self.flow.prelude:
            await self._say(Delivered(news))
            await self._quiet()
        self.manners = manners
        self.waiting = self._planned()
        while self.waiting:
            await self._turn()
        await self._finish()
        return await self._outcome()

    def _planned(self) -> list[Delivered]:
        planned = [Delivered(news) for news in self.flow.news]
        if self.manners.shuffled:
            self.random.shuffle(planned)
        for one in list(planned):
            for chance, copy in ((self.manners.same_again, one.copy), (self.manners.told_again, 1)):
                if self._perhaps(chance):
                    planned.insert(self.random.randint(0, len(planned)), replace(one, copy=copy))
        return planned

    async def _turn(self) -> None:
        """Say the next that can be said, and let what follows from it run, or some of it, or nothing."""
        sayable = next((d for d in self.waiting if self._sayable(d.news)), None)
        if sayable is None:
            if not await self._some_effects():
                return self._never_said()
            return None
        self.waiting.remove(sayable)
        await self._say(sayable)
        if self._perhaps(self.manners.effects_wait):
            for _ in range(self.random.randint(0, 3)):
                await self._some_effects()
            return None
        return await self._quiet()

    def _sayable(self, news: News) -> bool:
        return not self.manners.causal or news.after is None or self.vendors.done[news.after] > 0

    def _never_said(self) -> None:
        self.log.append(f"never said: {[d.news.name for d in self.waiting]}")
        self.unheard = len({d.news.name for d in self.waiting})
        self.waiting = []

    unheard = 0

    async def _say(self, said: Delivered) -> None:
        self.clock.reach(said.news.at + self.random.choice([1, 1, 5, 3600]))
        self.log.append(said.news.name + "'" * said.copy)
        body = said.news.body(said.copy, metadata=self.manners.metadata)
        dedupe = f"body:{said.news.document['id']}{'-again' * said.copy}"
        source: Any = said.news.source
        id, new = await self.store.receive(Delivery(source, dedupe, body, {}, "proven", self.clock()))
        if new and not self._perhaps(self.manners.left_in_the_inbox):
            stored = await self.store.delivery(id)
            assert stored is not None
            await self.processor.process(stored)

    async def _some_effects(self) -> int:
        """Some of what is due, in any order; answers how many were due."""
        claimed = [c for stream in self.streams for c in await self._claim(stream)]
        self.random.shuffle(claimed)
        for one in claimed:
            if self._perhaps(self.manners.crash):
                self.log.append(f"  crashed over {one.step}")
            elif self.manners.effects_wait and self.random.random() < 0.4:
                await self.store.retry_later(one, self.clock(), "waits", count_attempt=False)
            else:
                self.log.append(f"  {one.step}")
                await self.worker._perform(one)
        if not claimed:
            self.clock.reach(self.clock.at + LEASE)  # what a crash left is taken up again
            await self._sweep()
            claimed = [c for stream in self.streams for c in await self._claim(stream)]
            for one in claimed:
                await self.store.retry_later(one, self.clock(), "waits", count_attempt=False)
        return len(claimed)

    async def _claim(self, stream: str) -> Sequence[Claimed]:
        return await self.store.claim_of(stream, LEASE - 20, self.clock())

    async def _quiet(self) -> None:
        """Until nothing is due any more."""
        for _ in range(200):
            await self._sweep()
            claimed = [c for stream in self.streams for c in await self._claim(stream)]
            if not claimed:
                return
            self.random.shuffle(claimed)
            for one in claimed:
                self.log.append(f"  {one.step}")
                await self.worker._perform(one)
        raise AssertionError("the effects never come to rest")

    async def _sweep(self) -> None:
        """What the processor's own loop does when it is woken."""
        await self.processor._wake_waiting()
        await self.processor._sweep_once()
        await self.processor._backlog.empty()

    async def _finish(self) -> None:
        """The leases of everything left over pass, the timers go off, and everything comes to rest."""
        self.manners = replace(self.manners, crash=0.0, in_flight=0.0)
        for at in (self.clock.at + LEASE, self.clock.at + 2 * LEASE, self.flow.looked_at):
            self.clock.reach(at)
            await self._quiet()

    def _perhaps(self, chance: float) -> bool:
        return chance > 0 and self.random.random() < chance

    def _trouble(self, call: Call) -> str | None:
        if call in self._troubled or not self._perhaps(self.manners.trouble):
            return None
        self._troubled.add(call)
        self.log.append(f"  trouble: {call}")
        return self.random.choice(["before", "after"])

    async def _meanwhile(self) -> None:
        """Something is heard while a call is in flight."""
        if not self._perhaps(self.manners.in_flight):
            return
        sayable = next((d for d in self.waiting if self._sayable(d.news)), None)
        if sayable is not None:
            self.waiting.remove(sayable)
            self.log.append("  meanwhile:")
            await self._say(sayable)
        await self._sweep()

    async def _outcome(self) -> Outcome:
        shown = [self._shown(await self.handler.load(id)) for id in self.flow.engagements]
        listed = Counter[str]()
        ids = {n.document["id"] for n in (*self.flow.prelude, *self.flow.news)}
        for stored in await self.store.deliveries(limit=200):
            if stored.delivery.dedupe.removeprefix("body:").removesuffix("-again") in ids:
                listed[str(stored.outcome)] += 1
        return Outcome(tuple(shown), +self.vendors.done, self.unheard, listed)

    def _shown(self, engagement: Engagement) -> dict[str, Any]:
        def said(at: int) -> tuple[Any, ...]:
            told = answer(engagement, at)
            return told.covered, told.basis, told.since, told.until, told.next_change_at, told.reason

        s = engagement
        return {
            "state": s.state,
            "contractor": s.contractor_id,
            "job": s.job_id,
            "quote": s.quote_id,
            "session": s.session_id,
            "assignment": s.assignment and _stands(s, s.assignment),
            "ended_at": s.ended_at,
            "active": s.active,
            "certificates": {c.certificate_id: c.verdict for c in s.certificates.values()},
            "answers": {at: said(at) for at in self.flow.instants},
            "gaps": gaps(s),
            "attention": sorted((a.code, a.message, a.step or "") for a in attention(s)),
        }


def _stands(s: Engagement, made: Assignment) -> Assignment:
    """Over at the vendor is over, whether we ended it or heard that it was cancelled."""
    over = made.ended or canceled_at(s, made.assignment_id) is not None
    return structs.replace(made, created_by=0, ended=over)


async def played(
    flow: Flow, manners: Manners, random: Random, store: Store | None = None, clock: Clock | None = None
) -> tuple[Outcome, list[str]]:
    """The outcome, and what happened in order."""
    clock = clock or Clock(0)
    clock.at = min(n.at for n in (*flow.prelude, *flow.news))
    world = World(store or MemoryStore(clock), clock, flow, manners, random)
    return await world.play(), world.log
