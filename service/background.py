"""Work that goes on as long as the service runs, whatever befalls it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

AGAIN_SECONDS = 5.0
"""After a failure that nobody foresaw; what fails in a known way waits and goes on by itself."""

log = structlog.get_logger("coverd")


@asynccontextmanager
async def going_on(
    name: str, work: Callable[[], Coroutine[Any, Any, None]], again: float | None = None
) -> AsyncIterator[None]:
    """While the context is open ``work`` runs beside it, begun anew ``again`` seconds after it failed
    (`AGAIN_SECONDS`)."""
    again = AGAIN_SECONDS if again is None else again
    task = asyncio.create_task(_for_ever(name, work, again), name=name)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _for_ever(name: str, work: Callable[[], Coroutine[Any, Any, None]], again: float) -> None:
    while True:
        try:
            await work()
            return
        except Exception:
            log.exception("something that should go on failed; it begins anew", what=name)
            await asyncio.sleep(again)
