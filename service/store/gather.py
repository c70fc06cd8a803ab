"""Gathering: what is asked for while a flush is in flight goes together into the next one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from service.store.errors import StoreUnavailable

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_ITEMS = 256
MOST_BYTES = 1 << 20
MOST_WAITING = 64 << 20
"""Bytes that may wait while a flush hangs; what comes then is refused at once."""

LATELY = 0.05
"""Seconds over which a crowd is remembered: while a flush ends and the next begins nobody waits."""

Flush = Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]]


class _Waiting(Generic[Item, Result]):
    __slots__ = ("answer", "item", "key", "size")

    def __init__(self, item: Item, key: Hashable, size: int, answer: asyncio.Future[Result]) -> None:
        self.item = item
        self.key = key
        self.size = size
        self.answer = answer


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
        self._in_flight = 0
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._most = self._most_before = 0
        self._since = 0.0

    @property
    def unanswered(self) -> int:
        """How many items wait for the next flush or are in the one under way."""
        return len(self._waiting) + self._in_flight

    def most_unanswered(self) -> int:
        """How many there were at once `LATELY`."""
        now = asyncio.get_running_loop().time()
        if (past := now - self._since) > LATELY:
            self._most_before = self._most if past < 2 * LATELY else 0
            self._most, self._since = self.unanswered, now
        return max(self._most, self._most_before)

    def submit(self, item: Item, key: Hashable, size: int) -> asyncio.Future[Result]:
        """The result of ``item``, which has ``size`` bytes. A caller that gives up may still be served.

        Fails with `StoreUnavailable` once closed or while too much waits, and with whatever the flush answers
        for this item.
        """
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        answer: asyncio.Future[Result] = self._loop.create_future()
        if self._closed:
            answer.set_exception(StoreUnavailable(why="it is closed"))
            return answer
        if self._bytes > MOST_WAITING:
            answer.set_exception(StoreUnavailable(why="too much waits for it already"))
            return answer
        self._waiting.append(_Waiting(item, key, size, answer))
        self._bytes += size
        self._most = max(self._most, self.unanswered)
        if self._flushing is None:
            self._flushing = self._loop.create_task(self._flush_all(), name="store-flush")
        return answer

    async def close(self) -> None:
        """Take nothing new and see what was taken through."""
        self._closed = True
        if self._flushing is not None:
            await asyncio.gather(self._flushing, return_exceptions=True)

    async def _flush_all(self) -> None:
        try:
            while self._waiting:
                batch = self._take()
                self._in_flight = len(batch)
                await self._flush_once(batch)
        finally:
            self._flushing, self._in_flight = None, 0

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
