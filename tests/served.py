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
    """A running process; ``said`` is its log so far."""

    process: asyncio.subprocess.Process
    said: list[bytes] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Where it serves; nothing for a worker."""
        found = _SERVES.search(b"".join(self.said))
        return found[1].decode() if found else ""

    async def until(self, words: bytes) -> None:
        """Wait until it says so."""
        async with asyncio.timeout(ENOUGH):
            while not any(words in line for line in self.said):
                assert self.process.returncode is None, b"".join(self.said).decode()
                self.news.clear()
                await self.news.wait()

    async def listen(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.said.append(line)
            self.news.set()
        await self.process.wait()
        self.news.set()

    async def end(self, how: signal.Signals, within: float = ENOUGH) -> int:
        """Send the signal and wait for the exit code."""
        self.process.send_signal(how)
        async with asyncio.timeout(within):
            return await self.process.wait()


@asynccontextmanager
async def served(
    database_url: str,
    *,
    role: str = "all",
    upwork: str = NOBODY,
    ten99policy: str = NOBODY,
    until: bytes = b'"serving"',
    **more: str,
) -> AsyncIterator[Served]:
    """From when it says ``until``. With the sandboxes' secrets and without polling, unless ``more`` says
    otherwise."""
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
    listening = asyncio.create_task(running.listen())
    try:
        await running.until(until)
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await listening
