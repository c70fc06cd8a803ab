"""What is known of the vendors, in Postgres."""

from collections.abc import Sequence
from datetime import date, datetime

from domain.ids import bucket_of
from service.store.tables import Tables
from service.vendors.rate import Rate


class PostgresVendors(Tables):
    """See `service.vendors.ports.VendorStore`."""

    async def take_turns(self, name: str, want: int, rate: Rate, now: datetime | None) -> Sequence[float]:
        limits = rate.spacing, rate.interval, rate.slack, rate.horizon
        found = await self._rows("take_turns", bucket_of(name), name, want, now, *limits)
        return [row["turn"] for row in found]

    async def turns_taken(self, name: str, day: date) -> int:
        taken: int | None = await self._value("turns_taken", bucket_of(name), name, day)
        return taken or 0
