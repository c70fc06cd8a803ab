"""What this process has committed and not yet processed: a few at a time, and senders come first."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from service.ports import StoredDelivery

AT_ONCE = 16
"""So many are processed side by side."""

MOST_BYTES = 16 << 20
"""More bodies are not kept in memory: those deliveries wait in the inbox, free for whoever has time."""

HURRY = 8
"""With more senders waiting to be answered than this, processing only goes on at `PACE`: a sender who gets no
answer in time sends again, while what is in the inbox is safe."""

PACE = 0.03
"""Seconds between two deliveries in a hurry."""


class Backlog:
    """Takes deliveries in their order and gives each to ``process``, which must not raise.

    ``waiting`` says how many senders wait for their answer.
    """

    def __init__(
        self, process: Callable[[StoredDelivery], Awaitable[None]], waiting: Callable[[], int]
    ) -> None:
        self._process = process
        self._waiting = waiting
        self._deliveries: deque[StoredDelivery] = deque()
        self._bytes = 0
        self._free = asyncio.Semaphore(AT_ONCE)
        self._running: set[asyncio.Task[None]] = set()
        self._dispatcher: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._deliveries)

    @property
    def has_room(self) -> bool:
        return self._bytes < MOST_BYTES

    def add(self, stored: StoredDelivery) -> None:
        self._deliveries.append(stored)
        self._bytes += len(stored.delivery.body)
        if self._dispatcher is None:
            self._dispatcher = asyncio.create_task(self._dispatch(), name="backlog")

    async def empty(self) -> None:
        """Wait until everything that was added is processed."""
        while self._dispatcher or self._running:
            dispatcher = [self._dispatcher] if self._dispatcher else []
            await asyncio.gather(*dispatcher, *self._running)

    async def stop(self, patience: float) -> None:
        """See through what is under way and what more can be done in time; others find the rest."""
        if (dispatcher := self._dispatcher) is not None:
            await asyncio.wait({dispatcher}, timeout=patience)
            dispatcher.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _dispatch(self) -> None:
        while self._deliveries:
            await self._free.acquire()
            if self._waiting() > HURRY:
                await asyncio.sleep(PACE)
            stored = self._deliveries.popleft()
            self._bytes -= len(stored.delivery.body)
            task = asyncio.create_task(self._run(stored))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        self._dispatcher = None

    async def _run(self, stored: StoredDelivery) -> None:
        try:
            await self._process(stored)
        finally:
            self._free.release()
