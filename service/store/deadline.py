"""A deadline for whoever waits for the store: it counts also where the driver would first clean up."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from service.store.errors import StoreUnavailable

Result = TypeVar("Result")


class Wait(Protocol):
    done: bool

    def late(self) -> None: ...


async def promptly(work: Coroutine[Any, Any, Result], seconds: float) -> Result:
    """What ``work`` gives, within ``seconds``; later it goes on, and nobody hears of it.

    Raises `StoreUnavailable` then, and whatever ``work`` raises.
    """
    going = asyncio.ensure_future(work)
    await asyncio.wait({going}, timeout=seconds)
    if going.done():
        return going.result()
    going.add_done_callback(_ended)
    raise StoreUnavailable(why=f"it was silent for {seconds} s")


class Deadlines:
    """The same deadline for many waits at once, with one timer for all of them.

    What is still not done after ``seconds`` is told by its ``late``, once.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waits: deque[tuple[float, Wait]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, wait: Wait) -> None:
        loop = asyncio.get_running_loop()
        self._waits.append((loop.time() + self._seconds, wait))
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        while self._waits and (self._waits[0][1].done or self._waits[0][0] <= now):
            wait = self._waits.popleft()[1]
            if not wait.done:
                wait.late()
        self._timer = loop.call_at(self._waits[0][0], self._look, loop) if self._waits else None


def _ended(going: "asyncio.Future[Any]") -> None:
    if not going.cancelled():
        going.exception()  # nobody waits for it any more
