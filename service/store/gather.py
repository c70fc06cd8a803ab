"""Gathering: what is asked for while a flush is in flight goes together into the next one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from service.store.errors import StoreUnavailable

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_ITEMS = 256
MOST_BYTES = 1 << 20
MOST_WAITING = 64 << 20
"""Bytes that may wait while a flush hangs; what comes then is refused at once."""

Flush = Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]]


@dataclass(slots=True)
class _Waiting(Generic[Item, Result]):
    item: Item
    key: Hashable
    size: int
    answer: asyncio.Future[Result] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Gatherer(Generic[Item, Result]):
    """Sends at once when idle, and gathers while a flush is in flight.

    ``flush`` answers each item with its result or its own error. At most one item a key goes into one
    flush; the next with that key keeps its turn for the one after.
    """

    def __init__(self, flush: "Flush[Item, Result]") -> None:
        self._flush = flush
        self._waiting: deque[_Waiting[Item, Result]] = deque()
        self._bytes = 0
        self._flushing: asyncio.Task[None] | None = None
        self._closed = False

    async def submit(self, item: Item, key: Hashable, size: int) -> Result:
        """The result of ``item``, which has ``size`` bytes. A caller that gives up may still be served.

        Raises `StoreUnavailable` once closed or while too much waits, and whatever the flush answers for this
        item.
        """
        if self._closed:
            raise StoreUnavailable(why="it is closed")
        if self._bytes > MOST_WAITING:
            raise StoreUnavailable(why="too much waits for it already")
        waiting: _Waiting[Item, Result] = _Waiting(item, key, size)
        self._waiting.append(waiting)
        self._bytes += size
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush_all(), name="store-flush")
        return await waiting.answer

    async def close(self) -> None:
        """Take nothing new and see what was taken through."""
        self._closed = True
        if self._flushing is not None:
            await asyncio.gather(self._flushing, return_exceptions=True)

    async def _flush_all(self) -> None:
        try:
            while self._waiting:
                await self._flush_once(self._take())
        finally:
            self._flushing = None

    async def _flush_once(self, batch: "Sequence[_Waiting[Item, Result]]") -> None:
        try:
            results = await self._flush([one.item for one in batch])
        except BaseException as error:
            _fail(batch, error)
            if not isinstance(error, Exception):
                _fail(self._waiting, error)
                self._waiting.clear()
                self._bytes = 0
                raise
            return
        for one, result in zip(batch, results, strict=True):
            if one.answer.done():
                continue
            if isinstance(result, Exception):
                one.answer.set_exception(result)
            else:
                one.answer.set_result(result)

    def _take(self) -> "list[_Waiting[Item, Result]]":
        """The next batch, oldest first; a second item of a key waits, and so does what no longer fits."""
        batch: list[_Waiting[Item, Result]] = []
        later: deque[_Waiting[Item, Result]] = deque()
        keys: set[Hashable] = set()
        size = 0
        while self._waiting and len(batch) < MOST_ITEMS:
            one = self._waiting.popleft()
            if one.key in keys:
                later.append(one)
                continue
            size += one.size
            if batch and size > MOST_BYTES:
                later.append(one)
                break
            keys.add(one.key)
            batch.append(one)
        self._waiting.extendleft(reversed(later))
        self._bytes -= sum(one.size for one in batch)
        return batch


def _fail(
    batch: "Sequence[_Waiting[Item, Result]] | deque[_Waiting[Item, Result]]", error: BaseException
) -> None:
    for one in batch:
        if not one.answer.done():
            if isinstance(error, Exception):
                one.answer.set_exception(error)
            else:
                one.answer.cancel()
