"""`coverd migrate` and `coverd serve` as processes: nothing serves on a schema that does not fit it."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from migrations import runner
from migrations.files import read
from service.settings import SANDBOX

pytestmark = pytest.mark.slow

ENOUGH = 60.0


async def coverd(database_url: str, *words: str) -> tuple[int, Any, str]:
    """The exit code, what was printed as JSON, and what was said."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("COVERD_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env={**others, **SANDBOX, "COVERD_DATABASE_URL": database_url, "COVERD_PORT": "0"},
    )
    async with asyncio.timeout(ENOUGH):
        printed, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, orjson.loads(printed) if printed else None, said.decode()


async def test_plan_apply_verify(empty_database_url: str) -> None:
    files = [step.version for step in read()]
    code, planned, _ = await coverd(empty_database_url, "migrate", "plan", "--json")
    assert (code, [step["version"] for step in planned]) == (0, files)

    both = await asyncio.gather(*(coverd(empty_database_url, "migrate", "apply", "--json") for _ in range(2)))
    assert [code for code, _, _ in both] == [0, 0]
    assert sorted(len(applied) for _, applied, _ in both) == [0, len(files)]

    assert (await coverd(empty_database_url, "migrate", "plan", "--json"))[:2] == (0, [])
    assert (await coverd(empty_database_url, "migrate", "verify", "--json"))[:2] == (0, {"problems": []})


async def test_verify_says_what_is_not_applied_yet(database_url: str) -> None:
    owner = await asyncpg.connect(database_url)
    newest = max(step.version for step in read())
    code, _, said = await coverd(database_url, "migrate", "verify")
    assert (code, said) == (0, "What was applied is what the files say.\n")
    await owner.execute("DELETE FROM schema_migration WHERE version = $1", newest)
    code, _, said = await coverd(database_url, "migrate", "verify")
    assert (code, "and 1 wait for coverd migrate apply." in said) == (0, True)
    await owner.close()


async def test_apply_says_whom_it_waits_for(database_url: str) -> None:
    other = await asyncpg.connect(database_url)
    await other.execute("SELECT pg_advisory_lock($1)", runner._LOCK)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", "migrate", "apply"),
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "COVERD_DATABASE_URL": database_url},
    )
    assert process.stderr
    async with asyncio.timeout(ENOUGH):
        assert b"waits for it" in await process.stderr.readline()
        await other.close()
        assert await process.stderr.read() == b"0 applied.\n"
        assert await process.wait() == 0


async def test_nothing_serves_on_a_schema_that_is_behind(empty_database_url: str) -> None:
    code, _, said = await coverd(empty_database_url, "serve")
    assert code == 1
    assert "The database schema is behind: it is at 0000" in said
    assert "coverd migrate apply" in said


async def test_nothing_serves_on_a_schema_that_is_ahead_or_another(database_url: str) -> None:
    owner = await asyncpg.connect(database_url)
    await owner.execute(
        "INSERT INTO schema_migration (version, name, checksum, took_ms) VALUES (9999, 'later', '', 1)"
    )
    code, _, said = await coverd(database_url, "serve", "--role", "worker")
    assert code == 1
    assert "it holds migration 9999_later.sql" in said

    await owner.execute("DELETE FROM schema_migration WHERE version = 9999")
    await owner.execute("UPDATE schema_migration SET checksum = 'other' WHERE version = 1")
    code, _, said = await coverd(database_url, "serve", "--role", "web")
    assert code == 1
    assert "0001_schema_and_role.sql is not what was applied" in said
    code, printed, _ = await coverd(database_url, "migrate", "verify", "--json")
    assert code == 1
    assert len(printed["problems"]) == 1
    await owner.close()
