"""Whether a delivery could be kept right now, found out by keeping one and taking it back."""

import asyncio
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


class _TakenBack(Exception):
    """Ends the transaction without a trace."""


class Probe:
    """Asks over a line of its own, once at a time however many want to know."""

    def __init__(self, line: Line, clock: Callable[[], datetime]) -> None:
        self._line = line
        self._clock = clock
        self._arrivals = Arrivals()
        self._asking: asyncio.Task[None] | None = None
        self._closed = False

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
        given = arriving([Arriving(_nothing(self._clock()))], self._arrivals)
        with suppress(_TakenBack):
            async with connection.transaction():
                await receive(connection, given)
                raise _TakenBack


def _heard(asked: "asyncio.Task[None]") -> None:
    """Its error is for those who still wait."""
    if not asked.cancelled():
        asked.exception()


def _nothing(now: datetime) -> Delivery:
    return Delivery(
        source="upwork",
        dedupe=f"probe:{uuid4().hex}",
        body=b"{}",
        headers={},
        verdict="probe",
        received_at=now,
    )
