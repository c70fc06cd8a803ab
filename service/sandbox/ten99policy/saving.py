"""Keeps a sandbox's state in a file, so that a restarted one remembers."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import orjson
from aiohttp import web

from service.sandbox.ten99policy.events import send
from service.sandbox.ten99policy.table import Row
from service.sandbox.ten99policy.vendor import Ten99Policy

# A large state is written less often: at most a twentieth of the time goes into it.
SHARE = 20


def load(vendor: Ten99Policy, path: Path) -> list[Row]:
    """Read the file, if there is one; the events that were still on their way come back to be sent."""
    if not path.exists():
        return []
    saved = orjson.loads(path.read_bytes())
    vendor.state.load(saved["state"])
    vendor.clock.ahead_by = saved["clock_ahead_by"]
    vendor.state.seed(vendor.options.entities, vendor.now())
    events = vendor.state.events.rows
    return [events[id] for id in saved["undelivered"] if id in events]


def saver(vendor: Ten99Policy, path: Path) -> Callable[[web.Application], AsyncIterator[None]]:
    """For `app.cleanup_ctx`, before the emitter: loads, saves while the app is up, and once more after."""

    async def run(app: web.Application) -> AsyncIterator[None]:
        for event in load(vendor, path):
            send(vendor, event)
        over = asyncio.Event()
        task = asyncio.create_task(_save_until(over, vendor, path))
        yield
        over.set()
        await task
        write(path, dump(vendor))

    return run


def dump(vendor: Ten99Policy) -> bytes:
    return orjson.dumps(
        {
            "state": vendor.state.dump(vendor.clock.now()),
            "clock_ahead_by": vendor.clock.ahead_by,
            "undelivered": vendor.emitter.undelivered(),
        }
    )


def write(path: Path, content: bytes) -> None:
    """All or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(content)
    os.replace(beside, path)


async def _save_until(over: asyncio.Event, vendor: Ten99Policy, path: Path) -> None:
    pause = every = vendor.options.save_every_seconds
    saved_undelivered: list[str] = []
    while not await _is_set_within(pause, over):
        undelivered = vendor.emitter.undelivered()
        if not vendor.state.dirty and undelivered == saved_undelivered:
            continue
        vendor.state.dirty, saved_undelivered = False, undelivered
        started = time.monotonic()
        content = dump(vendor)
        pause = max(every, SHARE * (time.monotonic() - started))
        await asyncio.to_thread(write, path, content)


async def _is_set_within(seconds: float, event: asyncio.Event) -> bool:
    with contextlib.suppress(TimeoutError):
        return await asyncio.wait_for(event.wait(), seconds)
    return False
