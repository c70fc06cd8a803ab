"""What is known of the vendors, in Postgres."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from domain.ids import bucket_of
from service.store.limits import clean
from service.store.lines import on_pool
from service.store.statements import sql
from service.store.tables import Tables
from service.vendors.breaker import ALL, Breaker, Failure, Patience
from service.vendors.ports import Act, InVain, SealedToken, VendorAct
from service.vendors.rate import Rate

if TYPE_CHECKING:
    from service.store.lines import Connection


class PostgresVendors(Tables):
    """See `service.vendors.ports.VendorStore`."""

    async def take_turns(self, name: str, want: int, rate: Rate, now: datetime | None) -> Sequence[float]:
        limits = rate.spacing, rate.interval, rate.slack, rate.horizon, rate.a_day
        found = await self._rows("take_turns", bucket_of(name), name, want, now, *limits)
        return [row["turn"] for row in found]

    async def turns_taken(self, name: str, day: date) -> int:
        taken: int | None = await self._value("turns_taken", bucket_of(name), name, day)
        return taken or 0

    async def breakers(self) -> Sequence[Breaker]:
        return [Breaker(**row) for row in await self._rows("breakers")]

    async def vendor_failed(
        self, vendor: str, operation: str, failure: Failure, patience: Patience
    ) -> Breaker:
        failure = replace(failure, error=clean(failure.error) or "")
        key = bucket_of(vendor), vendor, operation

        async def count(connection: "Connection") -> Breaker:
            async with connection.transaction():
                await connection.execute(sql("new_breaker"), *key, failure.at)
                row = await connection.fetchrow(sql("lock_breaker"), *key)
                was = Breaker(**row) if row else Breaker(vendor, operation, 0, failure.at, failure.at, "")
                found = patience.after(was, failure)
                told = found.failures, found.since, found.failed_at, found.error
                await connection.execute(
                    sql("set_breaker"), *key, *told, found.opened_at, found.openings, found.until
                )
                return found

        return await on_pool(self._pool, count)

    async def close_breakers(self, vendor: str, operations: Sequence[str] | None = None) -> Sequence[str]:
        only = None if operations is None else list(operations)
        closed = await self._rows("close_breakers", bucket_of(vendor), vendor, only)
        return sorted(row["operation"] for row in closed if row["was_open"])

    async def take_probe(self, vendor: str, operation: str, now: datetime, until: datetime) -> bool:
        """One that was taken just before the connection broke is lost until then."""
        taken = await self._value("take_probe", bucket_of(vendor), vendor, operation, now, until)
        return taken is not None

    async def give_probe_back(self, vendor: str, operation: str, now: datetime) -> None:
        await self._value("give_probe_back", bucket_of(vendor), vendor, operation, now)

    async def add_act(
        self, vendor: str, act: Act, actor: str, reason: str, cause: str, operation: str = ALL
    ) -> bool:
        bucket = bucket_of(vendor)
        given = vendor, act, actor, clean(reason), cause, self._clock(), operation
        while await self._value("add_act", bucket, *given) is None:
            if await self._value("act_known", bucket, vendor, cause) is not None:
                return False
        return True

    async def acts_of(self, vendor: str, limit: int) -> Sequence[VendorAct]:
        return [VendorAct(**row) for row in await self._rows("acts_of", bucket_of(vendor), vendor, limit)]

    async def pauses(self) -> Sequence[VendorAct]:
        return [VendorAct(**row) for row in await self._rows("pauses")]

    async def hold_back(self, kinds: Sequence[str], now: datetime, until: datetime) -> None:
        await self._value("hold_back", list(kinds), now, until)

    async def waiting_by_channel(self) -> Mapping[str, int]:
        return {row["channel"]: row["waiting"] for row in await self._rows("waiting_by_channel")}

    async def any_waits(self, kinds: Sequence[str]) -> bool:
        return bool(await self._value("any_waits", list(kinds)))

    async def in_vain(self) -> Sequence[InVain]:
        return [InVain(**row) for row in await self._rows("in_vain")]

    async def shared_token(self, name: str) -> SealedToken:
        row = await self._row("shared_token", bucket_of(name), name)
        return SealedToken(**row) if row else SealedToken(0, None, None)

    async def take_token_turn(
        self, name: str, number: int, owner: str, now: datetime, until: datetime
    ) -> bool:
        bucket = bucket_of(name)
        if number == 0:
            await self._value("new_token_row", bucket, name)
        taken = await self._value("take_token_turn", bucket, name, number, owner, now, until)
        return taken is not None

    async def keep_token(self, name: str, owner: str, sealed: bytes, until: datetime) -> None:
        await self._value("keep_token", bucket_of(name), name, owner, sealed, until)

    async def give_token_turn_back(self, name: str, owner: str) -> None:
        await self._value("give_token_turn_back", bucket_of(name), name, owner)
