"""Whether a delivery could be kept right now, found out by keeping one and taking it back.

On a full disk what is small may still find room: after a refusal it is one as large as what was refused.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import asyncpg

from service.ports import Delivery
from service.store.arrivals import Arrivals
from service.store.errors import StoreUnavailable, translated
from service.store.lines import Line
from service.store.receipts import Arriving, arriving, receive

if TYPE_CHECKING:
    from service.store.lines import Connection


HEADERS = 512
"""Bytes that a delivery's headers and keys take at most, as a rule."""


class _TakenBack(Exception):
    """Ends the transaction without a trace."""


class Probe:
    """Asks over a line of its own, once at a time however many want to know."""

    def __init__(self, line: Line, clock: Callable[[], datetime]) -> None:
        self._line = line
        self._clock = clock
        self._arrivals = Arrivals()
        self._asking: asyncio.Task[None] | None = None
        self._refused = 0
        self._closed = False

    def refused(self, size: int) -> None:
        """A body of so many bytes could not be kept: until one like it can, the store is not ready."""
        self._refused = max(self._refused, size)

    async def __call__(self) -> None:
        """Raises `StoreUnavailable` when it could not be kept. A caller that gives up stops nobody else."""
        if self._closed:
            raise StoreUnavailable(why="it is closed")
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(), name="store-probe")
            self._asking.add_done_callback(_heard)
        await asyncio.shield(self._asking)

    async def close(self) -> None:
        self._closed = True
        if self._asking is not None:
            with suppress(StoreUnavailable):
                await self._asking
        await self._line.close()

    async def _ask(self) -> None:
        try:
            await self._line.run(self._keep_and_take_back)
        except asyncpg.PostgresError as error:
            why = f"{type(error).__name__}: {error}"
            raise StoreUnavailable(why=why) from error
        except Exception as error:
            raise translated(error) from error

    async def _keep_and_take_back(self, connection: "Connection") -> None:
        size = self._refused
        given = arriving([Arriving(_nothing(self._clock(), size))], self._arrivals)
        with suppress(_TakenBack):
            async with connection.transaction():
                await receive(connection, given)
                raise _TakenBack
        if self._refused == size:
            self._refused = 0


def _heard(asked: "asyncio.Task[None]") -> None:
    """Its error is for those who still wait."""
    if not asked.cancelled():
        asked.exception()


def _nothing(now: datetime, size: int) -> Delivery:
    """A body of ``size`` bytes that cannot be packed, and what the headers of a real one take."""
    return Delivery(
        source="upwork",
        dedupe=f"probe:{uuid4().hex}",
        body=os.urandom(size + HEADERS) if size else b"{}",
        headers={},
        verdict="probe",
        received_at=now,
    )
