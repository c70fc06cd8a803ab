"""The inbox in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from service.ports import (
    POLLED,
    UNSETTLED,
    Delivery,
    DeliveryCause,
    DeliveryOutcome,
    Lookup,
    StoredDelivery,
    Window,
)
from service.store.arrivals import LAST, LEASE, Arrivals, beginning, bucket_of_delivery, delivery_id, parsed
from service.store.limits import check_delivery, clean


@dataclass(slots=True)
class StoredRow:
    """A row of ``coverd.inbox``; see migrations/0008_inbox_and_files.sql."""

    bucket: int
    arrival: UUID
    delivery: Delivery
    wake_at: datetime | None
    attempt: int = 1
    type: str | None = None
    outcome: DeliveryOutcome | None = None
    detail: str | None = None
    streams: tuple[str, ...] = ()
    parked_at: datetime | None = None
    processed_at: datetime | None = None
    skipped_at: datetime | None = None

    @property
    def id(self) -> str:
        return delivery_id(self.bucket, self.arrival.hex)

    def needs_person(self, parked_before: datetime) -> bool:
        long_parked = self.parked_at is not None and self.parked_at <= parked_before
        return self.outcome in UNSETTLED and (self.outcome != "parked" or long_parked)

    def stored(self) -> StoredDelivery:
        return StoredDelivery(
            self.id,
            self.delivery,
            self.type,
            self.outcome,
            self.detail,
            self.streams,
            self.processed_at,
            self.attempt,
            self.skipped_at,
        )


class MemoryInbox:
    """See `service.ports.Store`."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._arrivals = Arrivals()
        self._inbox: dict[UUID, StoredRow] = {}
        self._first: dict[tuple[str, str], str] = {}
        self._also: dict[tuple[str, str], str] = {}
        self._waiting: dict[Lookup, dict[str, StoredRow]] = {}

    async def receive(self, delivery: Delivery, *, leased: bool = True) -> tuple[str, bool]:
        """Raises `NotStorable` when it can never be kept."""
        check_delivery(delivery)
        first = self._came_first(delivery)
        if first is not None:
            return first, False
        arrival = UUID(self._arrivals.next(delivery.received_at))
        due = delivery.received_at + LEASE if leased else delivery.received_at
        row = StoredRow(bucket_of_delivery(delivery), arrival, delivery, due)
        self._inbox[arrival] = row
        self._first[delivery.source, delivery.dedupe] = row.id
        if delivery.also is not None:
            self._also.setdefault((delivery.source, delivery.also), row.id)
        return row.id, True

    def _came_first(self, delivery: Delivery) -> str | None:
        """The same delivery: by its key, or one of the two was polled (see ``receive.sql``)."""
        key = delivery.source, delivery.dedupe
        found = self._first.get(key)
        if found is None and delivery.verdict == POLLED:
            found = self._also.get(key)
        if found is None and delivery.also is not None:
            other = self._row(self._first.get((delivery.source, delivery.also), ""))
            found = other.id if other and other.delivery.verdict == POLLED else None
        return found

    async def delivery(self, delivery_id: str) -> StoredDelivery | None:
        row = self._row(delivery_id)
        return row.stored() if row else None

    async def claim_deliveries(
        self, limit: int, lease_seconds: float, now: datetime
    ) -> Sequence[StoredDelivery]:
        due = [(row.wake_at, row) for row in self._inbox.values() if row.wake_at and row.wake_at <= now]
        claimed = [row for _, row in sorted(due, key=lambda pair: (pair[0], pair[1].arrival))[:limit]]
        for row in claimed:
            row.wake_at = now + timedelta(seconds=lease_seconds)
            row.attempt += 1
        return [row.stored() for row in claimed]

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
        row = self._row(delivery_id)
        if row is None:
            return
        for lookup in waits_for:
            self._waiting.setdefault(lookup, {})[row.id] = row
        row.outcome, row.type, row.detail = outcome, clean(type), clean(detail)
        row.streams, row.wake_at, row.processed_at = tuple(streams), wake_at, self._clock()
        row.parked_at = (row.parked_at or row.processed_at) if outcome == "parked" else None

    async def wake_waiting(self, known: Sequence[Lookup]) -> int:
        waiting: dict[str, StoredRow] = {}
        for lookup in known:
            waiting |= self._waiting.pop(lookup, {})
        woken = [row for row in waiting.values() if row.outcome == "parked"]
        for row in woken:
            row.wake_at = self._clock()
        return len(woken)

    async def wake_parked(self) -> int:
        parked = [row for row in self._inbox.values() if row.outcome == "parked"]
        for row in parked:
            row.wake_at = self._clock()
        return len(parked)

    async def replay_delivery(self, delivery_id: str) -> bool:
        row = self._row(delivery_id)
        if row is not None:
            row.wake_at, row.attempt, row.skipped_at = self._clock(), 0, None
        return row is not None

    async def deliveries(
        self,
        source: str | None = None,
        outcome: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[StoredDelivery]:
        """A ``before`` that is no delivery's id is taken for the end of the list."""
        place = (0, LAST) if before is None else parsed(before)
        found = [
            row.stored()
            for row in self._newest_first()
            if place is not None
            and row.arrival < place[1]
            and source in (None, row.delivery.source)
            and outcome in (None, row.outcome)
        ]
        return found[:limit]

    async def deliveries_needing_attention(
        self,
        parked_before: datetime,
        limit: int = 200,
        outcome: str | None = None,
        before: str | None = None,
    ) -> Sequence[StoredDelivery]:
        place = parsed(before) if before else (0, LAST)
        first = self._first_of_unknown_types()
        found = [
            row.stored()
            for row in self._newest_first()
            if place is not None
            and row.arrival < place[1]
            and outcome in (None, row.outcome)
            and row.skipped_at is None
            and (row.outcome != "unknown_type" or row in first)
            and row.needs_person(parked_before)
        ]
        return found[:limit]

    async def delivery_causes(self, parked_before: datetime) -> Sequence[DeliveryCause]:
        left = {
            (row.delivery.source, row.type)
            for row in self._first_of_unknown_types()
            if row.skipped_at is not None
        }
        groups: dict[tuple[str, DeliveryOutcome, str | None], list[StoredRow]] = {}
        for row in self._newest_first():
            key = row.delivery.source, row.type
            skipped = key in left if row.outcome == "unknown_type" else row.skipped_at is not None
            if row.outcome and row.needs_person(parked_before) and not skipped:
                groups.setdefault((row.delivery.source, row.outcome, row.type), []).append(row)
        found = [_cause(*key, of) for key, of in groups.items()]
        return sorted(found, key=lambda c: (-c.count, c.source, c.outcome, c.type is None, c.type))

    def _first_of_unknown_types(self) -> list[StoredRow]:
        first: dict[tuple[str, str | None], StoredRow] = {}
        for row in reversed(self._newest_first()):
            if row.outcome == "unknown_type":
                first.setdefault((row.delivery.source, row.type), row)
        return list(first.values())

    async def skip_delivery(self, delivery_id: str) -> bool:
        row = self._row(delivery_id)
        if row is None or row.outcome not in UNSETTLED:
            return False
        row.wake_at, row.skipped_at = None, row.skipped_at or self._clock()
        return True

    async def deliveries_between(
        self, window: Window, after: str | None = None, limit: int = 50
    ) -> Sequence[str]:
        return self._between(window, after)[:limit]

    async def count_between(self, window: Window, after: str | None = None) -> int:
        return len(self._between(window, after))

    def _between(self, window: Window, after: str | None) -> list[str]:
        place = parsed(after) if after else None
        return [
            row.id
            for row in reversed(self._newest_first())
            if beginning(window.since) < row.arrival < beginning(window.until)
            and (place is None or row.arrival > place[1])
            and window.source in (None, row.delivery.source)
            and window.outcome in (None, row.outcome)
        ]

    def _row(self, delivery_id: str) -> StoredRow | None:
        place = parsed(delivery_id)
        row = self._inbox.get(place[1]) if place else None
        return row if row and place and row.bucket == place[0] else None

    def _newest_first(self) -> list[StoredRow]:
        return sorted(self._inbox.values(), key=lambda row: row.arrival, reverse=True)


def _cause(source: str, outcome: DeliveryOutcome, type: str | None, of: list[StoredRow]) -> DeliveryCause:
    """``of`` holds the deliveries, newest first."""
    seen = [row.delivery.received_at for row in of]
    return DeliveryCause(source, outcome, type, len(of), min(seen), max(seen), of[0].id)
