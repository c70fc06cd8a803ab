"""Fixtures every test may use: a Postgres for the session, and a fresh database for each test that asks.

Which server: `--postgres=embedded` or `container` decides; else COVERD_TEST_DATABASE_URL, whose role must be
allowed to create databases; else an embedded one that is thrown away.
"""

import asyncio
import itertools
import os
import shutil
import tempfile
import threading
import uuid
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg
import pytest
from hypothesis import settings

from migrations import runner
from service.postgres import THROWAWAY, Cluster

T = TypeVar("T")
ROOM = 1 << 30  # bytes free in memory before the throw-away cluster goes there


# The same examples on every machine and every run: a failure can be repeated by running it again.
settings.register_profile("coverd", derandomize=True, database=None, deadline=None, print_blob=True)
settings.load_profile("coverd")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres",
        choices=("auto", "embedded", "container"),
        default="auto",
        help="where the tests' Postgres comes from (auto: COVERD_TEST_DATABASE_URL, else embedded)",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--postgres") == "container":
        # Docker's client leaves its sockets to the garbage collector.
        config.addinivalue_line("filterwarnings", "ignore:unclosed <socket:ResourceWarning")


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest) -> Iterator["Databases"]:
    """The session's server, with a migrated template to copy from."""
    with background() as run, server(request.config.getoption("--postgres"), run) as found:
        made = Databases(found, run)
        try:
            run(made.open())
            yield made
        finally:
            run(made.close())


@pytest.fixture
def database_url(databases: "Databases") -> Iterator[str]:
    """The URL of a fresh database with every migration applied, the test's own."""
    with databases.fresh(databases.template) as url:
        yield url


@pytest.fixture
def empty_database_url(databases: "Databases") -> Iterator[str]:
    """The URL of a fresh database with nothing in it, the test's own."""
    with databases.fresh("template0") as url:
        yield url


class Background:
    """A loop on its own thread, for what outlives a test's loop or is used beside one that runs."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="fixtures", daemon=True)
        self.thread.start()

    def __call__(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` to its end; a Ctrl-C cancels it and lets it clean up first."""
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            self.drain()
            raise

    def drain(self) -> None:
        asyncio.run_coroutine_threadsafe(self._ended(), self.loop).result()

    def close(self) -> None:
        self.drain()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    @staticmethod
    async def _ended() -> None:
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)


@contextmanager
def background() -> Iterator[Background]:
    run = Background()
    try:
        yield run
    finally:
        run.close()


@dataclass(frozen=True)
class Server:
    """`admin` may create and drop databases; `owner` is the role that a test's URL logs in as."""

    admin: str
    owner: str


@contextmanager
def server(choice: str, run: Background) -> Iterator[Server]:
    given = os.environ.get("COVERD_TEST_DATABASE_URL")
    if choice == "container":
        with container() as url:
            yield Server(admin=url, owner=url)
    elif choice == "auto" and given:
        yield Server(admin=given, owner=given)
    else:
        with thrown_away() as folder:
            cluster = Cluster(folder, THROWAWAY)
            try:
                run(cluster.start())
                yield Server(admin=cluster.admin_dsn, owner=cluster.dsn)
            finally:
                run(cluster.stop())


@contextmanager
def container() -> Iterator[str]:
    from testcontainers.community.postgres import PostgresContainer  # slow to import, seldom asked for

    with PostgresContainer("postgres:18", driver=None) as postgres:
        yield postgres.get_connection_url()


@contextmanager
def thrown_away() -> Iterator[Path]:
    """A folder in memory if there is room, named after this process so that a killed one's can be removed."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM
    parent = memory if roomy else Path(tempfile.gettempdir())
    for left in parent.glob("coverd-test-[0-9]*-*"):
        if not running(int(left.name.split("-")[2])):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"coverd-test-{os.getpid()}-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@dataclass
class Databases:
    """Makes fresh databases, a few milliseconds each, and drops them again."""

    server: Server
    run: Background
    name: str = field(default_factory=lambda: f"coverd_test_{uuid.uuid4().hex[:8]}")
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    admin: "asyncpg.Connection[asyncpg.Record] | None" = None

    @property
    def template(self) -> str:
        return f"{self.name}_template"

    def url(self, name: str) -> str:
        return urlsplit(self.server.owner)._replace(path=f"/{name}").geturl()

    @contextmanager
    def fresh(self, template: str) -> Iterator[str]:
        name = f"{self.name}_{next(self.numbers)}"
        try:
            self.run(self.create(name, template))
            yield self.url(name)
        finally:
            self.run(self.drop(name))

    async def open(self) -> None:
        self.admin = await asyncpg.connect(self.server.admin)
        await self.create(self.template, "template0")
        owner = await asyncpg.connect(self.url(self.template))
        try:
            await runner.apply(owner)
        finally:
            await owner.close()

    async def close(self) -> None:
        if self.admin:
            await self.drop(self.template)
            await self.admin.close()

    async def create(self, name: str, template: str) -> None:
        assert self.admin
        owner = urlsplit(self.server.owner).username
        await self.admin.execute(
            f'CREATE DATABASE "{name}" OWNER "{owner}" TEMPLATE "{template}" STRATEGY FILE_COPY'
        )

    async def drop(self, name: str) -> None:
        assert self.admin
        await self.admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
