"""The inbox in Postgres."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from service.ports import Delivery, DeliveryCause, DeliveryOutcome, Lookup, StoredDelivery, Window
from service.store import rows
from service.store.arrivals import LAST, beginning, delivery_id, parsed
from service.store.gather import Gatherer
from service.store.limits import check_delivery, clean, storable
from service.store.lines import Line
from service.store.receipts import Arriving, ReceiveFlush
from service.store.tables import Tables

if TYPE_CHECKING:
    from service.store.lines import Pool


class PostgresInbox(Tables):
    """See `service.ports.Store`."""

    def __init__(
        self, pool: "Pool", clock: Callable[[], datetime], line: Line, refused: Callable[[int], None]
    ) -> None:
        Tables.__init__(self, pool, clock)
        self._receipts: Gatherer[Arriving, tuple[str, bool]] = Gatherer(ReceiveFlush(line, refused))

    def receive(self, delivery: Delivery, *, leased: bool = True) -> Awaitable[tuple[str, bool]]:
        """Raises `NotStorable` when it can never be kept."""
        check_delivery(delivery)
        key = delivery.source, delivery.dedupe
        return self._receipts.submit(Arriving(delivery, leased), key, len(delivery.body))

    def receipts_waiting(self) -> int:
        """How many senders wait for their delivery to be committed, or waited a moment ago."""
        return self._receipts.most_unanswered()

    async def delivery(self, delivery_id: str) -> StoredDelivery | None:
        place = parsed(delivery_id)
        row = await self._row("delivery", *place) if place else None
        return rows.stored_delivery(row) if row else None

    async def claim_deliveries(
        self, limit: int, lease_seconds: float, now: datetime
    ) -> Sequence[StoredDelivery]:
        until = now + timedelta(seconds=lease_seconds)
        return [rows.stored_delivery(row) for row in await self._rows("claim_deliveries", limit, now, until)]

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
        place = parsed(delivery_id)
        if place is None:
            return
        said = outcome, clean(type), clean(detail), list(streams), wake_at, self._clock()
        awaited = [lookup for lookup in waits_for if all(map(storable, lookup))]
        if awaited:
            await self._value("settle_waiting", *place, *said, rows.text(rows.lookups(awaited)))
        else:
            await self._value("settle_delivery", *place, *said)

    async def wake_waiting(self, known: Sequence[Lookup]) -> int:
        ids = rows.lookups([lookup for lookup in known if all(map(storable, lookup))])
        return int(await self._value("wake_waiting", rows.text(ids), self._clock())) if ids else 0

    async def wake_parked(self) -> int:
        return int(await self._value("wake_parked", self._clock()))

    async def replay_delivery(self, delivery_id: str) -> bool:
        place = parsed(delivery_id)
        return place is not None and await self._value("replay_delivery", *place, self._clock()) is not None

    async def deliveries(
        self,
        source: str | None = None,
        outcome: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[StoredDelivery]:
        """A ``before`` that is no delivery's id is taken for the end of the list."""
        arrival: UUID = LAST
        if before is not None:
            place = parsed(before)
            if place is None:
                return []
            arrival = place[1]
        found = await self._rows("deliveries", source, outcome, arrival, limit)
        return [rows.stored_delivery(row) for row in found]

    async def deliveries_needing_attention(
        self,
        parked_before: datetime,
        limit: int = 200,
        outcome: str | None = None,
        before: str | None = None,
    ) -> Sequence[StoredDelivery]:
        place = parsed(before) if before else (0, LAST)
        if place is None:
            return []
        found = await self._rows("deliveries_needing_attention", parked_before, outcome, place[1], limit)
        return [rows.stored_delivery(row) for row in found]

    async def delivery_causes(self, parked_before: datetime) -> Sequence[DeliveryCause]:
        return [rows.delivery_cause(row) for row in await self._rows("delivery_causes", parked_before)]

    async def skip_delivery(self, delivery_id: str) -> bool:
        place = parsed(delivery_id)
        return place is not None and await self._value("skip_delivery", *place, self._clock()) is not None

    async def deliveries_between(
        self, window: Window, after: str | None = None, limit: int = 50
    ) -> Sequence[str]:
        found = await self._rows("deliveries_between", *_between(window, after), limit)
        return [delivery_id(row["bucket"], row["arrival"].hex) for row in found]

    async def count_between(self, window: Window, after: str | None = None) -> int:
        return int(await self._value("count_between", *_between(window, after)))


def _between(window: Window, after: str | None) -> tuple[object, ...]:
    place = parsed(after) if after else None
    first = max(beginning(window.since), place[1]) if place else beginning(window.since)
    return window.source, window.outcome, first, beginning(window.until)
