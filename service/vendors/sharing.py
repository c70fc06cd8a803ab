"""What a command shares with the processes that serve, where there are any: turns at Upwork, and pauses."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import asyncpg

from service.clients.pace import Pace
from service.clock import utc_now
from service.settings import Settings
from service.sources import UPWORK
from service.store.errors import StoreUnavailable
from service.store.postgres import PostgresStore
from service.vendors import rate
from service.vendors.breaker import ALL
from service.vendors.gate import Gate
from service.vendors.limiter import Limiter
from service.vendors.ports import VendorAct


@asynccontextmanager
async def upwork_turns(settings: Settings) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """By the database's count, or by this process's own where there is none yet to count with."""
    alone = Pace(rate.UPWORK.interval).turn
    dsn = settings.database_url.reveal() if settings.database_url else None
    async with _store(dsn) as store:
        yield Limiter(store, UPWORK, rate.UPWORK).turn if store and await _counts(store) else alone


async def paused(dsn: str | None) -> Mapping[str, VendorAct]:
    """The vendors that a person wants left alone, as far as the database can say."""
    async with _store(dsn) as store:
        try:
            seen = (await Gate(store, utc_now).look()).pauses if store else {}
        except _CANNOT_SAY:
            return {}
    return {vendor: act for (vendor, operation), act in seen.items() if operation == ALL}


_CANNOT_SAY = (StoreUnavailable, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError)


@asynccontextmanager
async def _store(dsn: str | None) -> AsyncIterator[PostgresStore | None]:
    try:
        store = await PostgresStore.open(dsn, utc_now, connections=1) if dsn else None
    except _CANNOT_SAY:
        store = None
    try:
        yield store
    finally:
        if store is not None:
            await store.close()


async def _counts(store: PostgresStore) -> bool:
    """Whether its schema has come so far."""
    try:
        await store.take_turns(UPWORK, 0, rate.UPWORK, None)
    except (StoreUnavailable, asyncpg.PostgresError):
        return False
    return True
