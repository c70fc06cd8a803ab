"""How far the feed reaches, for whoever follows it in this process: one question for all of them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import structlog

from projections.public_feed import last_seq
from service.store.errors import as_unavailable

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

log = structlog.get_logger("coverd")


class Tail:
    """Looks when told to, and at least every ``poll`` seconds for what other processes add to the feed.

    Looks only while somebody follows.
    """

    def __init__(self, pool: "Pool", *, poll: float = 0.1) -> None:
        self._pool = pool
        self._poll = poll
        self._told = asyncio.Event()
        self._grown = asyncio.Event()
        self._followers = 0
        self.reached = 0

    def look(self) -> None:
        """The feed may have grown."""
        self._told.set()

    @contextmanager
    def followed(self) -> Iterator[None]:
        self._followers += 1
        try:
            yield
        finally:
            self._followers -= 1

    async def refresh(self) -> int:
        """How far the feed reaches now. Raises `StoreUnavailable`."""
        with as_unavailable():
            reached = await last_seq(self._pool)
        if reached > self.reached:
            self.reached = reached
            self._grown.set()
            self._grown = asyncio.Event()
        return reached

    async def beyond(self, seq: int, within: float) -> bool:
        """Wait until the feed reaches beyond ``seq``; False when it doesn't ``within`` these seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self.reached <= seq:
                    await self._grown.wait()
        return self.reached > seq

    async def run(self) -> None:
        """Look until cancelled; while the store is away nothing grows."""
        while True:
            self._told.clear()
            if self._followers:
                try:
                    await self.refresh()
                except Exception as problem:
                    log.warning("feed_waits", error=type(problem).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll):
                    await self._told.wait()
