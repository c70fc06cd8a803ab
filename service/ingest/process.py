"""process: a stored delivery is translated, led to its engagements and handled. Safe to repeat."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Literal

import structlog

from domain.errors import CoverdError, NotKnown
from domain.ids import engagement_stream, subject
from service.clock import Clock, epoch
from service.config import Config
from service.handle import Handler, Origin
from service.ingest.backlog import Backlog
from service.ingest.translate import Acts, Quiet, Unknown, Unusable, translate
from service.metrics import Metrics
from service.ports import POLLED, Delivery, DeliveryDone, Lookup, Store, StoredDelivery
from service.store.arrivals import LEASE
from service.store.errors import StoreUnavailable

SWEPT_AT_ONCE = 200
"""A sweep takes no more than this process soon gets to."""

STOP_SECONDS = 5.0
"""How long a process that stops goes on with what it has committed itself."""

PARKED_LONG = timedelta(minutes=15)
"""A delivery that has found no engagement for so long is shown to people."""

OPEN = (None, "parked", "failed")
"""The outcomes of a delivery that is looked at again."""

log = structlog.get_logger("coverd.ingest")


class Disagreement(CoverdError):
    """It names engagement {claimed}, but what it speaks of belongs to {ours}: a person must decide."""


Whose = Literal["own", "stranger"]


class Processor:
    """Processes deliveries as they come, and by a sweep those that a crash or a missing engagement left."""

    def __init__(
        self,
        store: Store,
        handler: Handler,
        config: Callable[[], Config],
        clock: Clock,
        metrics: Metrics,
        *,
        sweep_seconds: float = 1.0,
        waiting: Callable[[], int] = lambda: 0,
    ) -> None:
        """``waiting`` says how many senders wait for their answer: they come first."""
        self._store = store
        self._handler = handler
        self._config = config
        self._clock = clock
        self._metrics = metrics
        self._sweep_seconds = sweep_seconds
        self._running: set[asyncio.Task[None]] = set()
        self._backlog = Backlog(self._guarded_here, waiting)
        self._stopping = asyncio.Event()
        self._look = asyncio.Event()
        self._known: dict[Lookup, None] = {}
        self._left: list[str] = []
        self._sweeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._sweeper = asyncio.create_task(self._sweep_on(), name="inbox-sweep")

    async def stop(self) -> None:
        """Finish what is being processed; the rest keeps its place in the inbox."""
        self._stopping.set()
        self._look.set()
        if self._sweeper:
            await asyncio.gather(self._sweeper, return_exceptions=True)
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._backlog.stop(STOP_SECONDS)

    @property
    def has_room(self) -> bool:
        """Whether this process can take one more delivery as its own."""
        return self._backlog.has_room and not self._stopping.is_set()

    def take(self, delivery_id: str, delivery: Delivery) -> None:
        """Process a delivery this process has just committed under a lease."""
        self._backlog.add(StoredDelivery(delivery_id, delivery, None, None, None, (), None, 1))

    def soon(self, delivery_id: str) -> None:
        """Process a delivery that was just made due."""
        task = asyncio.create_task(self._by_id(delivery_id))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def ids_known(self, found: Sequence[Lookup]) -> None:
        """Ids were recorded here: what any process parked because of them is looked at again."""
        if found:
            self._known.update(dict.fromkeys(found))
            self._look.set()

    async def handle(self, delivery_id: str) -> StoredDelivery | None:
        """Process a delivery now, unless that is done already; what has become of it."""
        stored = await self._store.delivery(delivery_id)
        if stored is not None and stored.outcome is None:
            await self.process(stored)
            stored = await self._store.delivery(delivery_id)
        return stored

    async def _sweep_on(self) -> None:
        clock = asyncio.get_running_loop().time
        due_at = clock() + self._sweep_seconds
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), max(due_at - clock(), 0))
            self._look.clear()
            try:
                await self._take_up_again()
                if await self._wake_waiting() or clock() >= due_at:
                    due_at = clock() + self._sweep_seconds
                    await self._sweep_once()
            except StoreUnavailable as error:
                due_at = clock() + self._sweep_seconds
                log.warning("the store cannot be reached; waiting", error=str(error))
            except Exception:
                due_at = clock() + self._sweep_seconds
                log.exception("a sweep of the inbox failed")

    async def _wake_waiting(self) -> int:
        """How many deliveries wait for ids that are known now; a crash before this leaves them their time."""
        known, self._known = self._known, {}
        try:
            return await self._store.wake_waiting(list(known)) if known else 0
        except StoreUnavailable:
            self._known = {**known, **self._known}
            raise

    async def _take_up_again(self) -> None:
        """What this process held when the store went away need not wait until its leases end."""
        left, self._left = self._left, []
        for place, delivery_id in enumerate(left):
            try:
                stored = await self._store.delivery(delivery_id)
                if stored is not None and stored.outcome in OPEN:
                    await self._guarded(stored)
            except StoreUnavailable:
                self._left += left[place:]
                raise

    async def _sweep_once(self) -> None:
        free = SWEPT_AT_ONCE - len(self._backlog)
        if free > 0:
            for stored in await self._store.claim_deliveries(free, LEASE.total_seconds(), self._clock()):
                self._backlog.add(stored)

    async def _by_id(self, delivery_id: str) -> None:
        try:
            stored = await self._store.delivery(delivery_id)
            if stored is not None:
                await self._guarded(stored)
        except StoreUnavailable:
            self._left.append(delivery_id)

    async def _guarded_here(self, stored: StoredDelivery) -> None:
        try:
            await self._guarded(stored)
        except StoreUnavailable:
            self._left.append(stored.id)

    async def _guarded(self, stored: StoredDelivery) -> None:
        """Process one delivery; a fault of ours sets it aside with its own time, and never its neighbours."""
        try:
            await self.process(stored)
        except StoreUnavailable:
            raise
        except Exception as error:
            log.exception("a delivery could not be processed", delivery=stored.id)
            why = f"coverd failed on it: {type(error).__name__}."
            await self._settle(stored, "failed", stored.type, why, again_in=self._again(stored))

    async def process(self, stored: StoredDelivery) -> None:
        """Handle one delivery and record what became of it."""
        delivery = stored.delivery
        said = translate(delivery.source, delivery.body, epoch(delivery.received_at), self._config().aliases)
        match said:
            case Acts():
                await self._act(stored, said)
            case Quiet(type_name):
                await self._settle(stored, "quiet", type_name)
            case Unknown(type_name):
                why = f"No rule here knows the event type {type_name}; add an alias if it is one we use."
                await self._settle(stored, "unknown_type", type_name, why)
            case Unusable(known, why):
                await self._settle(stored, "unusable", known, why)

    async def _act(self, stored: StoredDelivery, said: Acts) -> None:
        try:
            engagements = await self._led_to(said)
        except Disagreement as conflict:
            await self._settle(stored, "unusable", said.type, str(conflict))
            return
        told_by = "poll" if stored.delivery.verdict == POLLED else "webhook"
        origin = Origin(stored.id, stored.id, f"{told_by}:{stored.delivery.source}")
        reached: list[str] = []
        strangers: list[str] = []
        awaited: list[Lookup] = [] if engagements else [*said.routes]
        done = DeliveryDone(stored.id, said.type) if len(engagements) == 1 else None
        for engagement_id in engagements:
            whose = await self._whose(engagement_id, said.contractor_id)
            if whose == "stranger":
                strangers.append(engagement_id)
                continue
            try:
                handled = await self._handler.engagement(engagement_id, said.command, origin, delivery=done)
                reached.append(engagement_id)
            except NotKnown:
                awaited.append(("engagement", engagement_id))
            except StoreUnavailable:
                raise
            except CoverdError as error:
                await self._settle(stored, "failed", said.type, str(error), reached, self._again(stored))
                return
        if strangers and not awaited and not reached:
            why = (
                f"It is about contractor {said.contractor_id}, who is not the one of {', '.join(strangers)}."
            )
            await self._settle(stored, "unusable", said.type, why)
            return
        if awaited or not reached:
            why = "It belongs to no engagement known here yet."
            await self._settle(stored, "parked", said.type, why, reached, self._again(stored), awaited)
            self.ids_known(await self._appeared(awaited))
            return
        if done and handled.new:
            self._settled(stored, "applied", said.type, reached)
        else:
            await self._settle(stored, "applied", said.type, None, reached)

    async def _appeared(self, awaited: Sequence[Lookup]) -> list[Lookup]:
        """Those recorded between the look-up and the parking: nobody saw this delivery wait for them."""
        found = []
        for kind, id in awaited:
            if kind == "engagement":
                known = (await self._handler.load(id)).version > 0
            else:
                known = bool(await self._engagements_of(kind, id))
            found += [(kind, id)] if known else []
        return found

    async def _whose(self, engagement_id: str, contractor_id: str | None) -> Whose:
        """Whether news of this contractor is the engagement's own: nobody else's policy may cover it.

        One that has no contractor yet takes what names it.
        """
        if contractor_id is None:
            return "own"
        known = self._handler.remembered(engagement_stream(engagement_id))
        if known is not None and known.contractor_id == contractor_id:
            return "own"  # which it stays for good
        s = await self._handler.load(engagement_id)
        return "own" if s.contractor_id in (None, contractor_id) else "stranger"

    async def _led_to(self, said: Acts) -> list[str]:
        """By our own table, the object's id and what it names; by the id it echoes where that is silent.

        One policy may cover several engagements: it leads to all that are known under it, to the one whose
        quote it came from, and to the one it echoes. Raises `Disagreement` when the echoed id and our table
        name different engagements that both exist: cover must not land on the wrong one.
        """
        shared = [id for kind, id in said.routes if kind == "policy"]
        under = [id for policy_id in shared for id in await self._engagements_of("policy", policy_id)]
        theirs: list[str] = []
        for kind, id in said.routes:
            if kind != "policy":
                theirs = theirs or await self._engagements_of(kind, id)
        ours = list(dict.fromkeys((*under, *theirs)))
        claimed = said.engagement_id
        if not ours and claimed is None and len(said.routes) == 1:  # it names nothing else to wait for
            return await self._only_one_of(said.contractor_id)
        if claimed is None or claimed in ours:
            return ours
        theirs = theirs or [id for id in under if await self._holds(id, shared[0])]
        if not theirs:
            return [*ours, claimed]
        if (await self._handler.load(claimed)).version:
            raise Disagreement(claimed=claimed, ours=", ".join(theirs))
        return ours

    async def _only_one_of(self, contractor_id: str | None) -> list[str]:
        """The contractor's engagement, where there is just one whose contract runs: among several a person
        has to choose."""
        found = await self._engagements_of("contractor", contractor_id) if contractor_id else []
        running = [id for id in found if not (await self._handler.load(id)).over]
        return running if len(running) == 1 else []

    async def _holds(self, engagement_id: str, policy_id: str) -> bool:
        """Whether the policy is this engagement's own, and not one that it came under by an assignment."""
        made = (await self._handler.load(engagement_id)).assignment
        return made is None or made.policy_id != policy_id

    async def _engagements_of(self, kind: str, id: str) -> list[str]:
        streams = await self._store.streams_of(kind, id)
        return [subject(stream) for stream in streams if stream.startswith("engagement:")]

    def _again(self, stored: StoredDelivery) -> float:
        return float(min(2 ** min(stored.attempt, 9), 300))

    async def _settle(
        self,
        stored: StoredDelivery,
        outcome: str,
        type_name: str | None,
        detail: str | None = None,
        streams: list[str] | None = None,
        again_in: float | None = None,
        waits_for: Sequence[Lookup] = (),
    ) -> None:
        wake_at = None if again_in is None else self._clock() + timedelta(seconds=again_in)
        await self._store.settle_delivery(
            stored.id,
            outcome,  # type: ignore[arg-type]
            type_name,
            detail,
            [f"engagement:{id}" for id in streams or []],
            wake_at,
            waits_for,
        )
        self._settled(stored, outcome, type_name, streams or [])

    def _settled(
        self, stored: StoredDelivery, outcome: str, type_name: str | None, engagements: Sequence[str]
    ) -> None:
        self._metrics.processed.labels(stored.delivery.source, outcome).inc()
        log.info(
            "delivery processed",
            delivery=stored.id,
            source=stored.delivery.source,
            type=None if outcome == "unknown_type" else type_name,
            outcome=outcome,
            engagements=engagements,
        )
