"""What the parts of the Postgres store share: a pool, a clock, and asking by a statement's name."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from service.store.lines import on_pool
from service.store.statements import sql

if TYPE_CHECKING:
    import asyncpg

    from service.store.lines import Pool


class Tables:
    """Each of these raises `StoreUnavailable` when Postgres cannot be reached; see `lines.on_pool`."""

    def __init__(self, pool: "Pool", clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._clock = clock

    async def _rows(self, name: str, *arguments: object) -> "Sequence[asyncpg.Record]":
        return await on_pool(self._pool, lambda connection: connection.fetch(sql(name), *arguments))

    async def _row(self, name: str, *arguments: object) -> "asyncpg.Record | None":
        return await on_pool(self._pool, lambda connection: connection.fetchrow(sql(name), *arguments))

    async def _value(self, name: str, *arguments: object) -> Any:
        return await on_pool(self._pool, lambda connection: connection.fetchval(sql(name), *arguments))
