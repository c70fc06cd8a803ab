"""The worker: claims due effects, performs them side by side, and hands each outcome back as a command."""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from datetime import timedelta

import structlog

from domain import codec
from domain import commands as c
from domain.effects import Effect, Wanted
from domain.errors import CoverdError
from domain.ids import subject
from domain.react import still_wanted
from domain.state import Engagement
from service.clients.http import CredentialsRefused, Crowded, Unusable, VendorRefused, VendorUnavailable
from service.effects.backoff import Ladder
from service.effects.lost import renewed
from service.effects.perform import Desk, NotYet, left_behind, perform
from service.effects.rooms import Room, Rooms
from service.handle import LEASE_SECONDS, Contended, Origin
from service.metrics import Metrics
from service.ports import Claimed, EffectDone, EffectParkedMark
from service.store.errors import StoreUnavailable
from service.vendors.breaker import Breaker
from service.vendors.gate import Gate

TRIES_IN_VAIN = 8
"""After so many, a minute or two, an answer of no use, or a failure of coverd itself, is for a person."""

SETTLE_TRIES = 10
"""The call is made: its outcome is appended again and again before the whole effect is tried anew."""

TURN_SECONDS = LEASE_SECONDS / 2
"""What waited longer for its turn here is left to others: its lease must outlast the call."""

FRESH_SECONDS = 1.0
"""For so long what asked for an effect is taken for the state of things, but for what this process wrote."""

TIMERS = ("WakeUp", "WatchDeadline")

log = structlog.get_logger("coverd.effects")


class Worker:
    """Runs effects until stopped: what is handed over at once, and what a sweep finds."""

    def __init__(
        self,
        desk: Desk,
        metrics: Metrics,
        *,
        concurrency: int = 16,
        sweep_seconds: float = 1.0,
        ladder: Ladder | None = None,
        gate: Gate | None = None,
    ) -> None:
        self._desk = desk
        self._gate = gate or Gate(desk.store, desk.clock)
        self._metrics = metrics
        self._rooms = Rooms(concurrency)
        self._sweep_seconds = sweep_seconds
        self._ladder = ladder or Ladder()
        self._running: set[asyncio.Task[None]] = set()
        self._nudges: set[asyncio.Task[None]] = set()
        self._look = asyncio.Event()
        self._stopping = asyncio.Event()
        self._sweeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._sweeper = asyncio.create_task(self._sweep_on(), name="effects-sweep")

    async def stop(self, patience: float = 5.0) -> None:
        """Take nothing new, give back what waits for its turn, let calls in flight finish; leave the rest to
        their leases."""
        self._stopping.set()
        self._rooms.let_all_in()
        self._look.set()
        if self._sweeper:
            await asyncio.gather(self._sweeper, *self._nudges, return_exceptions=True)
        clock = asyncio.get_running_loop().time
        until = clock() + patience
        while self._running and clock() < until:  # one that is seen through may still hand over another
            await asyncio.wait(self._running, timeout=until - clock())
        late = set(self._running)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def left(self, kinds: Iterable[str]) -> None:
        """Some effects of these kinds were not handed over: they are looked for as soon as there is room."""
        self._rooms.left(kinds)
        self._look_if_worth()

    def _nudge(self, stream_id: str) -> None:
        """A stream's effect is due: the short cut past the sweep."""
        if not self._stopping.is_set():
            task = asyncio.ensure_future(self._take_of(stream_id))
            self._nudges.add(task)
            task.add_done_callback(self._nudges.discard)

    def rouse_timers(self) -> None:
        """The vendor's clock was set to another time: every timer looks at it again."""
        if not self._stopping.is_set():
            task = asyncio.ensure_future(self._rouse_timers())
            self._nudges.add(task)
            task.add_done_callback(self._nudges.discard)

    async def _rouse_timers(self) -> None:
        try:
            await self._desk.store.rouse(TIMERS, self._desk.clock())
        except StoreUnavailable:
            return  # they go off in their own time
        self._look.set()

    async def _sweep_on(self) -> None:
        while not self._stopping.is_set():
            try:
                claimed = await self._sweep_once()
            except StoreUnavailable as error:
                claimed = 0
                log.warning("the store cannot be reached; waiting", error=str(error))
            except Exception:
                claimed = 0
                log.exception("a sweep for due effects failed")
            if claimed == 0:
                await self._rest()

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._look.wait(), self._sweep_seconds)
        self._look.clear()

    def reserve(self, effects: Sequence[Wanted]) -> Sequence[str]:
        """See `Hands`."""
        due = [type(wanted.effect).__name__ for wanted in effects if wanted.due_at is None]
        if not due or self._stopping.is_set() or not self._gate.known_closed.isdisjoint(due):
            return ()
        return due if self._rooms.reserve(due) else ()

    def take(self, held: Sequence[str], claimed: Sequence[Claimed], engagement: Engagement) -> None:
        """See `Hands`."""
        self._rooms.let_go(held)
        for one in claimed:
            self._spawn(one, fresh=engagement)
        if len(claimed) < len(held):
            self._look_if_worth()

    async def _sweep_once(self) -> int:
        closed = await self._gate.closed()
        free, full = self._rooms.look()
        if not free:
            return 0
        without = closed | full
        claimed = await self._desk.store.claim(free, LEASE_SECONDS, self._desk.clock(), without=without)
        kinds = {one.kind for one in claimed}
        self._rooms.looked(full, kinds, all_taken=len(claimed) < free)
        self._start_all(claimed)
        probes = await self._gate.probes(self._rooms.at_once, LEASE_SECONDS)
        for one, breaker in probes:
            self._spawn(one, breaker)
        return len(claimed) + len(probes)

    async def _take_of(self, stream_id: str) -> None:
        free, full = self._rooms.look()
        if not free:
            return  # the sweep takes it as soon as a call ends
        try:
            without = await self._gate.closed() | full
            claimed = await self._desk.store.claim_of(stream_id, LEASE_SECONDS, self._desk.clock(), without)
        except StoreUnavailable:
            return  # the sweep will find them
        self._start_all(claimed)

    def _start_all(self, claimed: Sequence[Claimed]) -> None:
        for one in claimed:
            self._spawn(one)

    def _spawn(
        self, claimed: Claimed, probed: Breaker | None = None, fresh: Engagement | None = None
    ) -> None:
        room = self._rooms.of(claimed.kind)
        room.inside += 1
        task = asyncio.ensure_future(self._run(claimed, room, probed, fresh))
        self._running.add(task)
        task.add_done_callback(lambda task: self._ended(task, room))

    def _ended(self, task: "asyncio.Task[None]", room: Room) -> None:
        self._running.discard(task)
        room.inside -= 1
        self._look_if_worth()

    def _look_if_worth(self) -> None:
        if self._rooms.worth_a_look:
            self._look.set()

    async def _run(
        self, claimed: Claimed, room: Room, probed: Breaker | None, fresh: Engagement | None
    ) -> None:
        """``probed``: what this effect is to find out about, where it goes ahead of those that wait.
        ``fresh``: the engagement that has asked for it just now."""
        clock = asyncio.get_running_loop().time
        since = clock()
        async with room.slots:
            try:
                waited = clock() - since
                if waited > TURN_SECONDS or self._leaves(claimed, probed):
                    await self._not_now(claimed, 0, "its turn came too late", probed)
                else:
                    await self._perform(claimed, probed, fresh if waited < FRESH_SECONDS else None)
            except StoreUnavailable as error:
                log.warning("the store went away during an effect", error=str(error), **_names(claimed))
                await self._give_back(claimed)
            except Exception as error:
                log.exception("an effect failed in coverd itself", **_names(claimed))
                await self._failed_here(claimed, f"coverd: {type(error).__name__}")

    def _leaves(self, claimed: Claimed, probed: Breaker | None) -> bool:
        """Whether nothing is begun any more, or not of this kind."""
        return self._stopping.is_set() or (probed is None and claimed.kind in self._gate.known_closed)

    async def _give_back(self, claimed: Claimed) -> None:
        """Let the effect be taken again as soon as the store is back, not only when its lease ends."""
        until = asyncio.get_running_loop().time() + LEASE_SECONDS
        while not self._stopping.is_set() and asyncio.get_running_loop().time() < until:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._sweep_seconds)
            try:
                now = self._desk.clock()
                await self._desk.store.retry_later(claimed, now, "the store was away", count_attempt=False)
                return
            except StoreUnavailable:
                continue

    async def _perform(
        self, claimed: Claimed, probed: Breaker | None = None, fresh: Engagement | None = None
    ) -> None:
        now = self._desk.handler.remembered(claimed.stream_id) if fresh else None
        if now and fresh and now.version < fresh.version:
            now = None  # it was read before this was asked for
        wanted = now is not None and now is fresh
        if not wanted:
            engagement = now or await self._desk.handler.load(subject(claimed.stream_id))
            wanted = still_wanted(engagement, claimed.step, claimed.generation)
        effect: Effect = codec.effect_from(claimed.kind, claimed.payload)
        jumps = self._desk.ten99policy.clock.jumps
        try:
            with self._metrics.effect_seconds.labels(claimed.kind).time():
                outcome = await (perform if wanted else left_behind)(effect, claimed, self._desk)
        except Crowded as crowded:
            await self._not_now(claimed, crowded.retry_after or 1.0, str(crowded), probed)
            return
        except VendorUnavailable as unavailable:
            await self._gate.failed(claimed, unavailable, probed)
            await self._unavailable(claimed, unavailable)
            return
        except CredentialsRefused as refused:
            await self._locked_out(claimed, refused, probed)
            return
        except NotYet as early:
            await self._not_now(claimed, early.seconds, "its time has not come", probed)
            if self._desk.ten99policy.clock.jumps != jumps:
                await self._rouse_timers()  # it was put back by the time from before, unseen by the others
            return
        except VendorRefused as refusal:
            await self._answered(claimed)
            await self._park(claimed, str(refusal), refusal.plain)
            return
        if outcome is None:
            await self._desk.store.finish(claimed, "withdrawn")
            if probed:
                await self._gate.untried(probed)
            self._metrics.effects.labels(claimed.kind, "withdrawn").inc()
            return
        await self._answered(claimed)
        await self._settle(claimed, outcome, self._desk.origin(claimed), _done(claimed))
        self._metrics.effects.labels(claimed.kind, "done").inc()
        log.info("effect done", attempt=claimed.attempt, **_names(claimed))

    async def _not_now(self, claimed: Claimed, seconds: float, why: str, probed: Breaker | None) -> None:
        wake_at = self._desk.clock() + timedelta(seconds=seconds)
        await self._desk.store.retry_later(claimed, wake_at, why, count_attempt=False)
        if probed:
            await self._gate.untried(probed)

    async def _answered(self, claimed: Claimed) -> None:
        if await self._gate.answered(claimed.channel, claimed.kind):
            self._look.set()

    async def _locked_out(
        self, claimed: Claimed, refused: CredentialsRefused, probed: Breaker | None
    ) -> None:
        """Nothing of this effect is wrong: it waits until the vendor takes our credentials again."""
        await self._gate.failed(claimed, refused, probed)
        await self._desk.store.retry_later(claimed, self._desk.clock(), str(refused))
        self._metrics.effects.labels(claimed.kind, "retried").inc()
        log.warning("our credentials are refused", error=refused.plain, **_names(claimed))

    async def _failed_here(self, claimed: Claimed, error: str) -> None:
        exhausted = self._ladder.exhausted(claimed.created_at, self._desk.clock(), claimed.attempt)
        if exhausted or claimed.attempt >= TRIES_IN_VAIN:
            await self._park(claimed, error, error)
        else:
            await self._later(claimed, error, error)

    async def _unavailable(self, claimed: Claimed, error: VendorUnavailable) -> None:
        now = self._desk.clock()
        in_vain = isinstance(error, Unusable) and claimed.attempt >= TRIES_IN_VAIN
        if in_vain or self._ladder.exhausted(claimed.created_at, now, claimed.attempt):
            await self._park(claimed, str(error), error.plain)
            return
        key = renewed(claimed) if error.definite and claimed.attempt % 2 == 0 else None
        await self._later(claimed, str(error), error.plain, error.retry_after, key)

    async def _later(
        self,
        claimed: Claimed,
        error: str,
        plain: str,
        retry_after: float | None = None,
        key: str | None = None,
    ) -> None:
        """``plain`` is what the log may say. ``key``: after a failure that the vendor stored and repeated,
        only a new one can succeed."""
        wake_at = self._ladder.next_try(claimed.attempt, self._desk.clock(), retry_after)
        await self._desk.store.retry_later(claimed, wake_at, error, key)
        self._metrics.effects.labels(claimed.kind, "retried").inc()
        log.warning("effect will be tried again", error=plain, attempt=claimed.attempt, **_names(claimed))
        self._wake_then(claimed.stream_id, (wake_at - self._desk.clock()) / timedelta(seconds=1))

    def _wake_then(self, stream_id: str, seconds: float) -> None:
        if seconds < self._sweep_seconds:
            asyncio.get_running_loop().call_later(max(seconds, 0) + 0.001, self._nudge, stream_id)

    async def _park(self, claimed: Claimed, error: str, plain: str) -> None:
        origin = self._desk.origin(claimed)
        command = c.ParkEffect(self._desk.now(), claimed.step, claimed.kind, error)
        settles = EffectParkedMark(claimed.stream_id, claimed.step, claimed.generation, claimed.fence, error)
        parked = Origin(f"{origin.cause}:parked", origin.correlation, origin.actor)
        await self._settle(claimed, command, parked, settles)
        self._metrics.effects.labels(claimed.kind, "parked").inc()
        log.warning("effect parked until a person acts", error=plain, **_names(claimed))

    async def _settle(
        self,
        claimed: Claimed,
        command: c.EngagementCommand,
        origin: Origin,
        settles: EffectDone | EffectParkedMark,
    ) -> None:
        """The outcome and the settling of the effect in one transaction."""
        with self._rooms.of(claimed.kind).making_room():
            await self._settled(claimed, command, origin, settles)

    async def _settled(
        self,
        claimed: Claimed,
        command: c.EngagementCommand,
        origin: Origin,
        settles: EffectDone | EffectParkedMark,
    ) -> None:
        for left in reversed(range(SETTLE_TRIES)):
            try:
                await self._desk.handler.engagement(subject(claimed.stream_id), command, origin, settles)
                return
            except StoreUnavailable:
                raise
            except Contended as error:
                if not left:
                    await self._later(claimed, str(error), str(error))
            except CoverdError as error:
                why = f"coverd: {type(error).__name__}: {error}"
                if isinstance(settles, EffectParkedMark):
                    await self._later(claimed, why, why)  # not even that can be recorded
                else:
                    await self._failed_here(claimed, why)
                return


def _done(claimed: Claimed) -> EffectDone:
    return EffectDone(claimed.stream_id, claimed.step, claimed.generation, claimed.fence, "done")


def _names(claimed: Claimed) -> dict[str, str]:
    return {"engagement_id": subject(claimed.stream_id), "step": claimed.step, "effect": claimed.kind}
