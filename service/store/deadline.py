"""A deadline for whoever waits for the store: it counts also where the driver would first clean up."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from service.store.errors import StoreUnavailable

Result = TypeVar("Result")


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


def _ended(going: "asyncio.Future[Any]") -> None:
    if not going.cancelled():
        going.exception()  # nobody waits for it any more
