"""What everything runs on: uvloop's event loop where it is installed, and a collector that seldom looks."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any

RARELY = 20_000
"""New objects between two looks for cycles: a request makes dozens, and few of them are in one."""


def run(work: Coroutine[Any, Any, None]) -> None:
    gc.freeze()  # what was imported stays
    gc.set_threshold(RARELY, 20, 50)
    with asyncio.Runner(loop_factory=_factory()) as runner:
        runner.run(work)


def _factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
