"""The ports between the service's parts: what a store promises, held by one contract suite."""

from collections.abc import AsyncIterator, Awaitable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from msgspec import Struct

from domain.effects import Wanted
from domain.events import Event
from domain.recorded import Recorded
from service.vendors.ports import VendorStore

Lookup = tuple[str, str]
"""A kind and an id: offer, term, freelancer, contractor, job, quote, session, policy, assignment,
certificate, delivery."""


class EffectDone(Struct, frozen=True, gc=False):
    """Settles a claimed effect in the transaction that records its outcome.

    Refused (the whole append becomes `stale`) when ``fence`` is no longer the effect's fence.
    """

    stream_id: str
    step: str
    generation: int
    fence: int
    result: str


class EffectParkedMark(Struct, frozen=True, gc=False):
    """Parks a claimed effect in the transaction that records `EffectParked`."""

    stream_id: str
    step: str
    generation: int
    fence: int
    error: str


class DeliveryDone(Struct, frozen=True, gc=False):
    """Settles a delivery as applied to this stream, in the transaction that applies it."""

    delivery_id: str
    type: str


class Append(Struct, frozen=True, gc=False):
    """One command's result, to be written all or nothing.

    ``expected`` is the version the writer saw (0: the stream is new). ``status`` is the folded state
    after the events as JSON-ready builtins; ``state`` its machine state. With no events only
    ``cause``, ``lookups``, ``settles`` and ``delivery`` are written.

    ``take_for``: for how many seconds the effects due at once are leased to the writer, 0 to nobody.
    """

    stream_id: str
    expected: int
    cause: str
    correlation: str
    actor: str
    effective_at: int
    events: tuple[Event, ...]
    state: str
    status: dict[str, Any]
    effects: tuple[Wanted, ...] = ()
    lookups: tuple[Lookup, ...] = ()
    settles: EffectDone | EffectParkedMark | None = None
    delivery: DeliveryDone | None = None
    take_for: float = 0.0


Outcome = Literal["appended", "duplicate", "conflict", "stale"]


class Appended(Struct, frozen=True, gc=False):
    """``appended``: written, the stream is at ``version`` · ``duplicate``: this cause was written before
    · ``conflict``: the stream moved on, it is at ``version`` · ``stale``: the effect's fence is old.

    ``taken``: the effects that are leased to the writer.
    """

    outcome: Outcome
    version: int
    taken: tuple["Claimed", ...] = ()


class Head(Struct, frozen=True, gc=False):
    """A stream now. ``version`` 0 and an empty status where nothing was ever appended."""

    stream_id: str
    version: int
    state: str
    status: dict[str, Any]
    updated_at: datetime | None


class Claimed(Struct, frozen=True, gc=False):
    """An effect leased to this worker until ``leased_until``; acts count only with this ``fence``.

    ``attempt`` counts from 1. ``key`` is the idempotency key to send.
    """

    stream_id: str
    step: str
    generation: int
    channel: str
    kind: str
    payload: dict[str, Any]
    key: str
    attempt: int
    fence: int
    correlation: str
    created_at: datetime


class EffectRow(Struct, frozen=True, gc=False):
    """An effect as operations people see it: ``status`` waiting · running · parked · done · withdrawn.

    ``created_at``: since when it is wanted.
    """

    stream_id: str
    step: str
    generation: int
    channel: str
    kind: str
    status: str
    attempt: int
    wake_at: datetime | None
    done_at: datetime | None
    result: str | None
    last_error: str | None
    created_at: datetime


class Delivery(Struct, frozen=True, gc=False):
    """One webhook request or polled fact as it arrived.

    ``dedupe`` is the id or hash that makes two deliveries the same; ``headers`` only those worth keeping
    as proof (never secrets). ``verdict`` says how the proof was checked. ``also`` is the key that a polled
    copy of the same has, where ``dedupe`` is an id that only the webhook brings: the two are one as well.
    """

    source: Literal["upwork", "1099policy"]
    dedupe: str
    body: bytes
    headers: dict[str, str]
    verdict: str
    received_at: datetime
    also: str | None = None


POLLED = "polled"
"""The verdict of a delivery that no webhook brought: the vendor itself was asked."""

DeliveryOutcome = Literal["applied", "quiet", "unknown_type", "unusable", "parked", "failed"]


UNSETTLED: tuple[DeliveryOutcome, ...] = ("unknown_type", "unusable", "parked", "failed")
"""What a person must look at, each in its time."""


class StoredDelivery(Struct, frozen=True, gc=False):
    """A delivery in the inbox. ``id`` is ours and opaque; ``outcome`` None until it was processed.

    ``streams`` are those it was applied to. A person must look at these outcomes: unknown_type (once per
    type), unusable, failed, and parked for too long; until one decides to leave it so, at ``skipped_at``.
    """

    id: str
    delivery: Delivery
    type: str | None
    outcome: DeliveryOutcome | None
    detail: str | None
    streams: tuple[str, ...]
    processed_at: datetime | None
    attempt: int
    skipped_at: datetime | None = None


class DeliveryCause(Struct, frozen=True, gc=False):
    """All deliveries of one source that need a person for one reason; ``latest`` is the id of the last."""

    source: str
    outcome: DeliveryOutcome
    type: str | None
    count: int
    first_seen: datetime
    last_seen: datetime
    latest: str


class Window(Struct, frozen=True, gc=False):
    """Deliveries that arrived in [since, until), of one source and outcome or of any."""

    since: datetime
    until: datetime
    source: str | None = None
    outcome: str | None = None


Act = Literal["retry", "replay", "skip", "verify"]


class Operation(Struct, frozen=True, gc=False):
    """What a person asked for that concerns no single engagement.

    ``asked`` is the filter and the brake as given, ``targets`` what was picked of the ``matched``, ``result``
    what came of it, None until it has ended.
    """

    id: str
    act: Act
    actor: str
    reason: str | None
    asked: dict[str, Any]
    targets: tuple[Any, ...]
    matched: int
    began_at: datetime
    ended_at: datetime | None = None
    result: dict[str, Any] | None = None


class Backlog(Struct, frozen=True, gc=False):
    """What is due and nobody has taken up: how many, and since when the first is (None: there are none)."""

    due: int
    since: datetime | None


class SourceState(Struct, frozen=True, gc=False):
    """What is known of a source's health, since we began to listen to it.

    ``heard_at``: its last webhook or answer · ``asked_at``: the last time it answered all it was asked ·
    ``failing_since`` and ``error``: it does not answer · ``due_at``: when it is asked next.
    """

    name: str
    since: datetime
    heard_at: datetime | None
    asked_at: datetime | None
    failing_since: datetime | None
    error: str | None
    due_at: datetime


class Store(VendorStore, Protocol):
    """Events, inbox, outbox, look-ups, files and the vendors. Every method may raise `StoreUnavailable`."""

    # events

    async def append(self, append: Append) -> Appended: ...

    async def head(self, stream_id: str) -> Head: ...

    def head_since(self, stream_id: str, version: int) -> Awaitable[Head | None]:
        """The stream now, or None where it still is at ``version``. Never older than what was committed when
        this was asked."""
        ...

    async def history(
        self, stream_id: str, after_version: int = 0, limit: int | None = None
    ) -> Sequence[Recorded]:
        """Oldest first."""
        ...

    def stream_history(self, stream_id: str) -> AsyncIterator[Recorded]:
        """The same, without holding it all in memory."""
        ...

    async def feed(self, bucket: int, after_position: int, limit: int = 500) -> Sequence[Recorded]:
        """The bucket's log in position order, without gaps: what is missing was never committed."""
        ...

    async def heads_of_buckets(self) -> dict[int, int]:
        """The last position of every bucket that has any."""
        ...

    async def streams_of(self, kind: str, id: str) -> Sequence[str]:
        """The streams an id leads to, in a stable order."""
        ...

    async def streams_of_any(self, kinds: Sequence[str], id: str) -> Sequence[str]:
        """The same for an id that may be of any of these kinds: those of the first kind first."""
        ...

    # effects

    async def claim(
        self,
        limit: int,
        lease_seconds: float,
        now: datetime,
        channels: Sequence[str] | None = None,
        without: Collection[str] = (),
    ) -> Sequence[Claimed]:
        """Lease due effects: moves ``wake_at`` past the lease, raises the fence and counts an attempt.

        Kinds in ``without`` are left alone.
        """
        ...

    async def claim_of(
        self, stream_id: str, lease_seconds: float, now: datetime, without: Collection[str] = ()
    ) -> Sequence[Claimed]:
        """Lease this stream's due effects: the short cut after an append in the same process."""
        ...

    async def claim_probe(self, kinds: Sequence[str], lease_seconds: float, now: datetime) -> Claimed | None:
        """Lease the waiting effect of these kinds that was tried least, whenever it is due."""
        ...

    async def finish(self, claimed: Claimed, result: str) -> bool:
        """Done without an event (withdrawn, or a timer). False when the fence is old."""
        ...

    async def retry_later(
        self,
        claimed: Claimed,
        wake_at: datetime,
        error: str,
        key: str | None = None,
        count_attempt: bool = True,
    ) -> bool:
        """Back to waiting; ``key`` replaces the idempotency key. False when the fence is old."""
        ...

    async def rouse(self, kinds: Sequence[str], now: datetime) -> None:
        """All waiting effects of these kinds are due now, however long they were to wait."""
        ...

    async def effects_of(self, stream_id: str) -> Sequence[EffectRow]: ...

    async def next_due(self) -> datetime | None:
        """When the next waiting effect is due."""
        ...

    # inbox

    def receive(self, delivery: Delivery, *, leased: bool = True) -> Awaitable[tuple[str, bool]]:
        """Commit a delivery: its id and whether it is new.

        ``leased``: the caller processes it at once, and others may only when the lease is over; else anybody.
        """
        ...

    async def delivery(self, delivery_id: str) -> StoredDelivery | None: ...

    async def claim_deliveries(
        self, limit: int, lease_seconds: float, now: datetime
    ) -> Sequence[StoredDelivery]:
        """Lease deliveries whose ``wake_at`` has come: crashed over, parked, or failed before."""
        ...

    async def settle_delivery(
        self,
        delivery_id: str,
        outcome: DeliveryOutcome,
        type: str | None,
        detail: str | None,
        streams: Sequence[str],
        wake_at: datetime | None = None,
        waits_for: Sequence[Lookup] = (),
    ) -> None:
        """Record what became of it; ``wake_at`` (parked, failed) says when to look again.

        ``waits_for`` are ids that would lead a parked one on; see `wake_waiting`.
        """
        ...

    async def wake_waiting(self, known: Sequence[Lookup]) -> int:
        """Make due the parked deliveries that wait for any of these ids; how many there are."""
        ...

    async def wake_parked(self) -> int:
        """Make every parked delivery due now: something it may have waited for has appeared."""
        ...

    async def replay_delivery(self, delivery_id: str) -> bool:
        """Make a delivery due again, skipped or not. False when there is none."""
        ...

    async def deliveries(
        self,
        source: str | None = None,
        outcome: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[StoredDelivery]:
        """Newest first; ``before`` is the id of the last one seen."""
        ...

    async def deliveries_needing_attention(
        self,
        parked_before: datetime,
        limit: int = 200,
        outcome: str | None = None,
        before: str | None = None,
    ) -> Sequence[StoredDelivery]:
        """Unusable and failed ones, the first of each unknown type, and those parked since before that, but
        none that was skipped. Newest first; ``before`` is the id of the last one seen."""
        ...

    async def delivery_causes(self, parked_before: datetime) -> Sequence[DeliveryCause]:
        """The same by source, outcome and type, the most frequent first."""
        ...

    async def skip_delivery(self, delivery_id: str) -> bool:
        """Leave one that needs a person as it is, until it is replayed or what it waits for appears. False
        when there is none such."""
        ...

    async def deliveries_between(
        self, window: Window, after: str | None = None, limit: int = 50
    ) -> Sequence[str]:
        """The ids of those in the window, oldest first; ``after`` is the last one seen."""
        ...

    async def count_between(self, window: Window, after: str | None = None) -> int: ...

    # operations: what people asked for that concerns no single engagement

    async def begin_operation(self, operation: Operation) -> Operation:
        """Write it down unless one of its id has begun before; the one that stands."""
        ...

    async def end_operation(self, operation_id: str, result: dict[str, Any]) -> None:
        """What came of it. One that has ended stays as it is."""
        ...

    async def operation(self, operation_id: str) -> Operation | None: ...

    async def operations(
        self, act: str | None = None, before: tuple[datetime, str] | None = None, limit: int = 50
    ) -> Sequence[Operation]:
        """Newest first; ``before`` is when the last one seen began, and its id."""
        ...

    # sources: what is asked of the vendors beside their webhooks

    async def receive_polled(
        self, deliveries: Sequence[Delivery], cursor: tuple[str, str] | None = None
    ) -> Sequence[tuple[str, bool]]:
        """Like `receive` for each, in one transaction with the move of a cursor (its name and place)."""
        ...

    async def cursor(self, name: str) -> str | None: ...

    async def watch_source(self, name: str, first_due: datetime) -> None:
        """Begin to listen to a source; nothing happens where that has begun before."""
        ...

    async def sources(self) -> Sequence[SourceState]: ...

    async def heard(self, name: str, at: datetime, limit: timedelta | None = None) -> None:
        """The source spoke. ``limit`` is how long it may leave what it is asked unanswered: a silence that
        was longer is kept. None: nobody asks, so there is none."""
        ...

    async def silence_at(self, name: str, at: datetime) -> datetime | None:
        """When the source had last been heard, where it was silent past its limit at that time and has been
        heard again since; of a silence that goes on `sources` tells."""
        ...

    async def take_turn(self, name: str, owner: str, now: datetime, until: datetime) -> bool:
        """Whether the source is due and the asking is this owner's; others keep away ``until`` then."""
        ...

    async def keep_turn(self, name: str, owner: str, until: datetime) -> bool:
        """The same for who asks already, and asks on; False when somebody else does by now."""
        ...

    async def asked(
        self, name: str, now: datetime, error: str | None, due_at: datetime, limit: timedelta | None = None
    ) -> None:
        """How the asking went (no error: the source answered all) and when to ask next. For ``limit`` see
        `heard`: a silence ends with an answer."""
        ...

    # files, by SHA-256

    async def put_file(self, content: bytes) -> str:
        """Keep bytes under their SHA-256 (hex), once."""
        ...

    async def file(self, sha256: str) -> bytes | None: ...

    async def ready(self) -> None:
        """Raises `StoreUnavailable` unless a round trip works right now."""
        ...

    async def close(self) -> None: ...
