"""Sources and cursors in Postgres."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from domain.ids import bucket_of
from service.ports import Delivery, SourceState
from service.store import rows
from service.store.arrivals import Arrivals
from service.store.limits import check_delivery, clean
from service.store.lines import on_pool
from service.store.receipts import Arriving, arriving, receive
from service.store.statements import sql
from service.store.tables import Tables

if TYPE_CHECKING:
    from service.store.lines import Connection, Pool


class PostgresSources(Tables):
    """See `service.ports.Store`."""

    def __init__(self, pool: "Pool", clock: Callable[[], datetime]) -> None:
        Tables.__init__(self, pool, clock)
        self._polled = Arrivals()

    async def receive_polled(
        self, deliveries: Sequence[Delivery], cursor: tuple[str, str] | None = None
    ) -> Sequence[tuple[str, bool]]:
        """Raises `NotStorable` when one of them can never be kept; then none is."""
        for delivery in deliveries:
            check_delivery(delivery)
        given = arriving([Arriving(delivery) for delivery in deliveries], self._polled)

        async def keep(connection: "Connection") -> Sequence[tuple[str, bool]]:
            async with connection.transaction():
                kept = await receive(connection, given) if deliveries else []
                if cursor is not None:
                    name, place = cursor
                    await connection.execute(sql("move_cursor"), bucket_of(name), name, place, self._clock())
                return kept

        return await on_pool(self._pool, keep)

    async def cursor(self, name: str) -> str | None:
        place: str | None = await self._value("cursor", bucket_of(name), name)
        return place

    async def watch_source(self, name: str, first_due: datetime) -> None:
        await self._value("watch_source", bucket_of(name), name, self._clock(), first_due)

    async def sources(self) -> Sequence[SourceState]:
        return [rows.source_state(row) for row in await self._rows("sources")]

    async def heard(self, name: str, at: datetime, limit: timedelta | None = None) -> None:
        await self._value("heard", bucket_of(name), name, at, _seconds(limit))

    async def silence_at(self, name: str, at: datetime) -> datetime | None:
        since: datetime | None = await self._value("silence_at", bucket_of(name), name, at)
        return since

    async def take_turn(self, name: str, owner: str, now: datetime, until: datetime) -> bool:
        """A turn that was taken just before the connection broke is lost until the lease passes."""
        taken = await self._value("take_turn", bucket_of(name), name, owner, now, until)
        return taken is not None

    async def keep_turn(self, name: str, owner: str, until: datetime) -> bool:
        kept = await self._value("keep_turn", bucket_of(name), name, owner, until)
        return kept is not None

    async def asked(
        self, name: str, now: datetime, error: str | None, due_at: datetime, limit: timedelta | None = None
    ) -> None:
        await self._value("asked", bucket_of(name), name, now, clean(error), due_at, _seconds(limit))


def _seconds(limit: timedelta | None) -> float | None:
    """An interval of days would take the session's time zone for its measure."""
    return None if limit is None else limit.total_seconds()
