"""Whole processes: whatever ends a parent also ends its server, and what one left behind is cleared away."""

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from service.postgres import CRASH_TEST, THROWAWAY, binaries, embedded
from service.postgres.account import choose
from service.postgres.layout import name_for
from service.postgres.ownership import servers_in

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only there the kernel ends the server"),
]

# A coverd in small: it says the server's process id, then serves until it is ended.
PARENT = """
import asyncio, sys
from pathlib import Path
from service.postgres import CRASH_TEST, THROWAWAY, embedded

async def serve():
    async with embedded(Path(sys.argv[1]), THROWAWAY, lambda step: print(step, flush=True)) as cluster:
        print(cluster.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(serve())
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data dir"


async def ask(dsn: str, sql: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


@contextmanager
def parent(data: Path) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        yield process
        process.kill()


@contextmanager
def orphaned_server(programs: Path, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A server in `folder` that nobody looks after, as a killed parent leaves one where no kernel ends it."""
    account = choose(folder)
    with subprocess.Popen(
        [programs / "postgres", "-D", name_for(folder, account), "-c", "listen_addresses=", "-k", "."],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        **account.spawn_as(),
    ) as process:
        yield process
        process.kill()


def server_pid(process: "subprocess.Popen[str]") -> int:
    assert process.stdout
    return next(int(line) for line in process.stdout if line.strip().isdigit())


@contextmanager
def ends(pid: int) -> Iterator[None]:
    """What happens inside must end process `pid`."""
    watch = os.pidfd_open(pid)
    try:
        yield
        assert select.select([watch], [], [], 20)[0], f"process {pid} still runs"
    finally:
        os.close(watch)


async def test_a_server_that_an_earlier_run_left_is_stopped_first(data):
    async with embedded(data, THROWAWAY) as cluster:
        await ask(cluster.dsn, "CREATE TABLE kept ()")
    folder = data / "postgres"
    found = await binaries.usable(None, choose(folder), None, lambda _: None)
    with orphaned_server(found.folder, folder) as orphan, ends(orphan.pid):
        assert orphan.stderr
        assert any("ready to accept" in line for line in orphan.stderr)
        said: list[str] = []
        async with embedded(data, THROWAWAY, said.append) as cluster:
            assert await ask(cluster.dsn, "SELECT count(*) FROM kept") == 0
    assert said[0].startswith(f"Waiting for a Postgres of an earlier run to stop (process {orphan.pid})")


async def test_a_parent_killed_at_once_leaves_no_server_and_no_lock(data):
    with parent(data) as process, ends(server_pid(process)):
        process.kill()
    assert "database system is shut down" in (data / "postgres.log").read_text()
    async with embedded(data, THROWAWAY) as cluster:
        assert await ask(cluster.dsn, "SELECT 1") == 1


async def test_a_server_that_is_killed_is_started_again_where_it_was(data):
    said: list[str] = []
    async with embedded(data, CRASH_TEST, said.append) as cluster:
        await ask(cluster.dsn, "CREATE TABLE kept ()")
        for _ in range(2):
            killed = cluster.pid
            assert killed is not None
            os.kill(killed, signal.SIGKILL)
            assert await answered(cluster.dsn, "SELECT count(*) FROM kept") == 0
            assert cluster.pid not in (None, killed)
    assert said.count("Postgres ended (status -9); it is started again.") == 2


async def answered(dsn: str, sql: str) -> object:
    """Asked again and again until the server is there."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await ask(dsn, sql)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                continue


async def test_a_server_that_cannot_be_started_again_yet_is_tried_until_it_can(data):
    failed = asyncio.Event()
    said: list[str] = []

    def say(step: str) -> None:
        said.append(step)
        if step.endswith("It is tried again."):
            failed.set()

    async with embedded(data, CRASH_TEST, say) as cluster:
        control = data / "postgres" / "global" / "pg_control"
        control.rename(control.with_suffix(".away"))
        assert cluster.pid is not None
        os.kill(cluster.pid, signal.SIGKILL)
        await asyncio.wait_for(failed.wait(), 30)
        control.with_suffix(".away").rename(control)
        assert await answered(cluster.dsn, "SELECT 1") == 1
    assert sum("pg_control" in step for step in said) >= 1


def test_ctrl_c_ends_the_server_with_its_parent(data):
    with parent(data) as process, ends(server_pid(process)):
        process.send_signal(signal.SIGINT)
        process.wait(20)
        assert not servers_in(data / "postgres")


async def test_ctrl_c_while_the_cluster_is_being_made_leaves_nothing_half_made(data):
    with parent(data) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("Making")
        process.send_signal(signal.SIGINT)
        process.wait(20)
    assert sorted(path.name for path in data.iterdir()) in (
        ["postgres.lock", "postgres.log", "postgres.password"],
        ["postgres.lock", "postgres.password"],
    )
    async with embedded(data, THROWAWAY) as cluster:
        assert await ask(cluster.dsn, "SELECT 1") == 1
