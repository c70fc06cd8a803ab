"""Spacing of requests, so that a vendor's limit is kept whatever happens around it."""

import asyncio
import time
from collections.abc import Awaitable, Callable


class Pace:
    """Starts at least ``interval`` seconds apart, first come first served.

    Each start is counted from when it really happened: a loop that was held up never makes up for lost
    turns with a burst. The first one waits too, because the process before may just have started one.
    """

    def __init__(
        self,
        interval: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._interval = interval
        self._clock = clock
        self._sleep = sleep
        self._free_at = clock() + interval
        self._one_at_a_time = asyncio.Lock()

    async def turn(self) -> None:
        """Wait for the next free start."""
        async with self._one_at_a_time:
            while (early := self._free_at - self._clock()) > 0:
                await self._sleep(early)
            self._free_at = self._clock() + self._interval
