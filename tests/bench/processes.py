"""The processes of a run: Postgres with its durable settings, coverd as it is served, and what they cost."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil

from migrations import runner as migrations
from service.postgres import DURABLE, Cluster
from service.settings import SANDBOX

TESTS = Path(__file__).parents[1]
NOBODY = "http://127.0.0.1:9"
"""Where no vendor answers."""


@dataclass(frozen=True)
class Database:
    """A migrated database of a running cluster; ``dsn`` logs in as its owner."""

    dsn: str
    pid: int

    @asynccontextmanager
    async def connection(self) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
        conn = await asyncpg.connect(self.dsn)
        try:
            yield conn
        finally:
            await conn.close()

    def cpu_seconds(self) -> float:
        """What Postgres has used so far, all its processes together."""
        return _cpu(psutil.Process(self.pid))


@asynccontextmanager
async def database(folder: Path, say: Callable[[str], None]) -> AsyncIterator[Database]:
    """A cluster with the settings of `coverd up`: fsync and synchronous_commit on."""
    cluster = Cluster(folder, DURABLE, say)
    await cluster.start()
    try:
        conn = await asyncpg.connect(cluster.dsn)
        await migrations.apply(conn)
        await conn.close()
        assert cluster.pid is not None
        yield Database(cluster.dsn, cluster.pid)
    finally:
        await cluster.stop()


@dataclass(frozen=True)
class Server:
    """A process of its own that answers HTTP on a port of loopback."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        return _cpu(psutil.Process(self.pid))

    def memory(self) -> int:
        """Bytes it holds in memory."""
        return int(psutil.Process(self.pid).memory_info().rss)


@asynccontextmanager
async def coverd(
    db: Database, upwork: str = NOBODY, ten99policy: str = NOBODY, role: str = "all", **more: str
) -> AsyncIterator[Server]:
    """`coverd serve`, logging warnings and worse to our stderr. Polling is off unless set."""
    environment = {**_environment(db, upwork, ten99policy), **more}
    async with _python(["-m", "service", "serve", "--role", role], environment) as found:
        yield found


@asynccontextmanager
async def served(db: Database, vendor: Server, **more: str) -> AsyncIterator[Server]:
    """The same with both vendors in `vendor`, and a configuration; see `served`."""
    there = f"http://127.0.0.1:{vendor.port}"
    environment = {**_environment(db, there, there), **more}
    async with _python(["-m", "bench.served"], environment) as found:
        yield found


@asynccontextmanager
async def vendors() -> AsyncIterator[Server]:
    """Both vendors; see `vendor`."""
    async with _python(["-m", "bench.vendor"], {}) as found:
        yield found


@asynccontextmanager
async def upwork_sandbox() -> AsyncIterator[Server]:
    """See `upwork_sandbox`."""
    async with _python(["-m", "bench.upwork_sandbox"], {}) as found:
        yield found


@asynccontextmanager
async def floor(kind: str, dsn: str = "") -> AsyncIterator[Server]:
    """One of the servers in `floors`."""
    async with _python(["-m", "bench.floors", kind], {"DSN": dsn}) as found:
        yield found


@asynccontextmanager
async def _python(arguments: list[str], environment: dict[str, str]) -> AsyncIterator[Server]:
    """A child that says on stderr where it serves; ended with the block."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env={**os.environ, **environment, "PYTHONPATH": str(TESTS)},
        cwd=TESTS.parent,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    assert child.stderr is not None
    try:
        port = await asyncio.wait_for(_port(child.stderr), 30)
        draining = asyncio.create_task(_drain(child.stderr))
        yield Server(port, child.pid)
    finally:
        with suppress(ProcessLookupError):
            child.terminate()
        await child.wait()
    await draining


def _environment(db: Database, upwork: str, ten99policy: str) -> dict[str, str]:
    return {
        **SANDBOX,
        "COVERD_DATABASE_URL": db.dsn,
        "COVERD_PORT": "0",
        "COVERD_UPWORK_URL": upwork,
        "COVERD_TEN99POLICY_URL": ten99policy,
        "COVERD_POLL_SECONDS": "0",
    }


_SERVES = re.compile(rb"http://127\.0\.0\.1:(\d+)")


async def _port(lines: asyncio.StreamReader) -> int:
    said = []
    async for line in lines:
        said.append(line)
        if found := _SERVES.search(line):
            return int(found[1])
    raise RuntimeError("a server did not start:\n" + b"".join(said).decode(errors="replace"))


async def _drain(lines: asyncio.StreamReader) -> None:
    async for line in lines:
        if b'"level":"error"' in line or b"Traceback" in line:
            sys.stderr.write(line.decode(errors="replace"))


def _cpu(root: psutil.Process) -> float:
    return sum(_times(process) for process in _family(root))


def _family(root: psutil.Process) -> Iterator[psutil.Process]:
    yield root
    yield from root.children(recursive=True)


def _times(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        used = process.cpu_times()
        return used.user + used.system + used.children_user + used.children_system
    return 0.0
