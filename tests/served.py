"""`coverd serve` as a process of its own, for tests that end it in every way a process can end."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from service.settings import SANDBOX

ENOUGH = 30.0
"""Seconds within which whatever is waited for here happens; reached only by a hang."""

NOBODY = "http://127.0.0.1:9"
"""Where no vendor answers."""

_SERVES = re.compile(rb'"at": ?"(http://127\.0\.0\.1:\d+)"')


@dataclass
class Served:
    """A running process; ``url`` is empty for a worker, ``said`` is its log so far."""

    process: asyncio.subprocess.Process
    url: str = ""
    said: list[bytes] = field(default_factory=list)

    async def end(self, how: signal.Signals, within: float = ENOUGH) -> int:
        """Send the signal and wait for the exit code."""
        self.process.send_signal(how)
        async with asyncio.timeout(within):
            return await self.process.wait()


@asynccontextmanager
async def served(
    database_url: str, *, role: str = "all", upwork: str = NOBODY, ten99policy: str = NOBODY, **more: str
) -> AsyncIterator[Served]:
    """Running with the sandboxes' secrets and without polling, unless ``more`` says otherwise."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERD_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", "serve", "--role", role),
        env={
            **environment,
            **SANDBOX,
            "COVERD_DATABASE_URL": database_url,
            "COVERD_PORT": "0",
            "COVERD_UPWORK_URL": upwork,
            "COVERD_TEN99POLICY_URL": ten99policy,
            "COVERD_POLL_SECONDS": "0",
            **more,
        },
        cwd=Path(__file__).parents[1],
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    running = Served(process)
    try:
        async with asyncio.timeout(ENOUGH):
            await _begun(running)
        reading = asyncio.create_task(_read_on(running))
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    await reading


async def _begun(running: Served) -> None:
    assert running.process.stderr is not None
    async for line in running.process.stderr:
        running.said.append(line)
        if b'"serving"' in line:
            found = _SERVES.search(line)
            running.url = found[1].decode() if found else ""
            return
    raise AssertionError("coverd did not start:\n" + b"".join(running.said).decode())


async def _read_on(running: Served) -> None:
    assert running.process.stderr is not None
    async for line in running.process.stderr:
        running.said.append(line)
