"""Connections to Postgres: a pool for short reads and writes, and lines of their own for what never rests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import asyncpg

from service.store.errors import StoreUnavailable, is_passing, translated

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]

Result = TypeVar("Result")

ROLE = "coverd_app"
TRIES = 2
CLOSE_SECONDS = 2.0
"""What connections get to end in good order; then they are dropped."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long we wait, in seconds: for a connection, for a statement (which Postgres itself then gives up),
    and for an answer of any kind from a server that may be gone without a word."""

    connect: float = 5.0
    statement: float = 10.0
    answer: float = 12.0


USUAL = Bounds()

PROMPT = Bounds(connect=0.6, statement=0.6, answer=0.7)
"""For a sender who waits and will send it again."""

_CLOSING = (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError, asyncpg.PostgresError)


def _arguments(dsn: str, bounds: Bounds) -> dict[str, Any]:
    settings = {
        "role": ROLE,  # so that the database itself refuses what the service must never do
        "application_name": "coverd",
        "timezone": "UTC",
        "jit": "off",
        "statement_timeout": f"{bounds.statement * 1000:.0f}ms",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "20s",
    }
    return {
        "dsn": dsn,
        "server_settings": settings,
        "timeout": bounds.connect,
        "command_timeout": bounds.answer,
    }


async def open_pool(dsn: str, most: int, bounds: Bounds = USUAL) -> "Pool":
    """Raises the driver's errors, also when the login may not act as the service's role."""
    return await asyncpg.create_pool(
        **_arguments(dsn, bounds),
        min_size=1,
        max_size=most,
        reset=_reset,
        max_inactive_connection_lifetime=300.0,
    )


async def _reset(connection: "Connection") -> None:
    # Statements here leave the session as it was, so the usual reset, a round trip each time, is spared.
    if connection.is_in_transaction():
        await connection.reset()


async def close_pool(pool: "Pool") -> None:
    """Close it in good order, or drop it when that takes too long or the server is gone."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
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
            async with _acquired(pool) as connection:
                return await work(connection)
        except StoreUnavailable:
            raise
        except Exception as error:
            if not is_passing(error):
                raise translated(error) from error
            await _distrust(pool, error)
            if left == 0 or _took_too_long(error):
                raise translated(error) from error
    raise AssertionError("the last try returns or raises")


@asynccontextmanager
async def _acquired(pool: "Pool") -> "AsyncIterator[Connection]":
    try:
        connection = await pool.acquire(timeout=USUAL.connect)
    except TimeoutError:
        # No sign that the connections others use are broken.
        raise StoreUnavailable(why=f"no connection was free within {USUAL.connect:.0f} s") from None
    try:
        yield connection
    finally:
        await pool.release(connection)


def _took_too_long(error: Exception) -> bool:
    """Nobody waits for a second try that takes as long again."""
    return isinstance(error, TimeoutError)


class Line:
    """One connection for one user at a time, made when needed and made again when it broke."""

    def __init__(self, dsn: str, bounds: Bounds = USUAL) -> None:
        self._arguments = _arguments(dsn, bounds)
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
                if left == 0 or _took_too_long(error):
                    raise
        raise AssertionError("the last try returns or raises")

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            try:
                await connection.close(timeout=CLOSE_SECONDS)
            except _CLOSING:
                connection.terminate()

    async def _connected(self) -> "asyncpg.Connection[asyncpg.Record]":
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(**self._arguments)
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
