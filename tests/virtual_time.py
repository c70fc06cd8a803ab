"""A clock that moves on by itself to the next sleeper, once nobody has anything else to do."""

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count

from contracts.given import NOON


class VirtualTime:
    """``busy`` counts those who wait for the outside, for which no time passes here."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.busy = 0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()

    def __call__(self) -> float:
        return self.now

    def shared(self) -> datetime:
        return NOON + timedelta(seconds=self.now)

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._numbers), woken))
        await woken

    @asynccontextmanager
    async def passing(self) -> AsyncIterator[None]:
        pump = asyncio.create_task(self._pass())
        try:
            yield
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)

    async def _pass(self) -> None:
        while True:
            for _ in range(10):
                await asyncio.sleep(0)
            if self.busy == 0 and self._sleepers:
                at, _, woken = heapq.heappop(self._sleepers)
                self.now = max(self.now, at)
                if not woken.done():
                    woken.set_result(None)
