"""A command's own turns at Upwork: shared with the processes that serve, where there are any."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

from service.clients.pace import Pace
from service.clock import utc_now
from service.settings import Settings
from service.sources import UPWORK
from service.store.errors import StoreUnavailable
from service.store.postgres import PostgresStore
from service.vendors import rate
from service.vendors.limiter import Limiter


@asynccontextmanager
async def upwork_turns(settings: Settings) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """By the database's count, or by this process's own where there is none yet to count with."""
    alone = Pace(rate.UPWORK.interval).turn
    if settings.database_url is None:
        yield alone
        return
    try:
        store = await PostgresStore.open(settings.database_url.reveal(), utc_now, connections=1)
    except (StoreUnavailable, asyncpg.PostgresError, OSError):
        yield alone
        return
    try:
        yield Limiter(store, UPWORK, rate.UPWORK).turn if await _counts(store) else alone
    finally:
        await store.close()


async def _counts(store: PostgresStore) -> bool:
    """Whether its schema has come so far."""
    try:
        await store.turns_taken(UPWORK, utc_now().date())
    except (StoreUnavailable, asyncpg.PostgresError):
        return False
    return True
