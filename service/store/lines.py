"""Connections to Postgres: a pool for short reads and writes, and lines of their own for what never rests."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import asyncpg

from service.store.errors import is_passing, translated

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]

Result = TypeVar("Result")

ROLE = "coverd_app"
TRIES = 2
CONNECT_SECONDS = 5.0
COMMAND_SECONDS = 20.0
"""How long we wait for an answer; the server gives up on its own before that."""

_SETTINGS = {
    "role": ROLE,  # so that the database itself refuses what the service must never do
    "application_name": "coverd",
    "timezone": "UTC",
    "jit": "off",
    "statement_timeout": "15s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
}

_CLOSING = (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError, asyncpg.PostgresError)


def _arguments(dsn: str) -> dict[str, Any]:
    return {
        "dsn": dsn,
        "server_settings": _SETTINGS,
        "timeout": CONNECT_SECONDS,
        "command_timeout": COMMAND_SECONDS,
    }


async def open_pool(dsn: str, most: int) -> "Pool":
    """Raises the driver's errors, also when the login may not act as the service's role."""
    return await asyncpg.create_pool(
        **_arguments(dsn), min_size=1, max_size=most, reset=_reset, max_inactive_connection_lifetime=300.0
    )


async def _reset(connection: "Connection") -> None:
    # Statements here leave the session as it was, so the usual reset, a round trip each time, is spared.
    if connection.is_in_transaction():
        await connection.reset()


async def close_pool(pool: "Pool") -> None:
    """Close it in good order, or drop it when that takes too long or the server is gone."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await pool.close()
    except _CLOSING:
        pool.terminate()


async def _distrust(pool: "Pool", error: Exception) -> None:
    """Where one connection broke the idle others may have too: all are made anew before their next use."""
    if not isinstance(error, asyncpg.TransactionRollbackError):
        with suppress(asyncpg.InterfaceError):  # the pool is closed
            await pool.expire_connections()


async def on_pool(pool: "Pool", work: "Callable[[Connection], Awaitable[Result]]") -> Result:
    """Run ``work``, once more on another connection after a passing failure.

    Raises `StoreUnavailable`, `NotStorable`, or the driver's error where the fault is ours.
    """
    for left in reversed(range(TRIES)):
        try:
            async with pool.acquire(timeout=CONNECT_SECONDS) as connection:
                return await work(connection)
        except Exception as error:
            if left == 0 or not is_passing(error):
                raise translated(error) from error
            await _distrust(pool, error)
    raise AssertionError("the last try returns or raises")


class Line:
    """One connection for one user at a time, made when needed and made again when it broke."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def run(self, work: "Callable[[Connection], Awaitable[Result]]") -> Result:
        """Run ``work``, once more on a new connection after a passing failure.

        Raises the driver's error as it is: the caller may still be able to divide the work.
        """
        for left in reversed(range(TRIES)):
            try:
                return await work(await self._connected())
            except Exception as error:
                if not is_passing(error):
                    raise
                self._drop()
                if left == 0:
                    raise
        raise AssertionError("the last try returns or raises")

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            try:
                await connection.close(timeout=CONNECT_SECONDS)
            except _CLOSING:
                connection.terminate()

    async def _connected(self) -> "asyncpg.Connection[asyncpg.Record]":
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(**_arguments(self._dsn))
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
