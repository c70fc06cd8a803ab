"""The migration runner against a real Postgres, with files of each test's own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pytest

from migrations import runner
from migrations.errors import Ahead, BadFile, Behind, Changed, Failed, GapInDatabase, GapInFiles

FIRST = "-- People are kept so that they can be greeted.\nCREATE TABLE person (name text PRIMARY KEY);\n"
SECOND = "-- A greeting needs a language.\nALTER TABLE person ADD COLUMN language text;\n"

DROPPED = "DROP INDEX CONCURRENTLY IF EXISTS public.person_language;\n"
BUILT = "CREATE UNIQUE INDEX CONCURRENTLY person_language ON person (language);\n"
INDEX = f"-- People are found by their language.\n{DROPPED}{BUILT}"

Write = Callable[[str, str], Path]


@pytest.fixture
async def db(empty_database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(empty_database_url)
    yield connection
    await connection.close()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def file(name: str, sql: str) -> Path:
        (tmp_path / name).write_text(sql, encoding="utf-8")
        return tmp_path

    return file


@pytest.fixture
def two(write: Write) -> Path:
    write("0001_people.sql", FIRST)
    return write("0002_language.sql", SECOND)


async def test_an_empty_database_is_brought_to_the_newest_version(db, two):
    assert [step.file for step in await runner.plan(db, two)] == ["0001_people.sql", "0002_language.sql"]
    assert await runner.current(db) == 0

    assert [step.version for step in await runner.apply(db, two)] == [1, 2]

    await db.execute("INSERT INTO person VALUES ('Ada', 'en')")
    assert await runner.current(db) == 2
    assert await runner.plan(db, two) == []
    assert await runner.verify(db, two) == []
    await runner.require_current(db, two)


async def test_what_was_applied_is_remembered(db, two):
    steps = await runner.apply(db, two)
    rows = await db.fetch("SELECT * FROM schema_migration ORDER BY version")
    assert [(r["version"], r["name"], r["checksum"]) for r in rows] == [
        (s.version, s.name, s.checksum) for s in steps
    ]
    assert all(row["took_ms"] >= 0 and row["applied_at"].tzinfo for row in rows)


async def test_applying_again_changes_nothing(db, two):
    await runner.apply(db, two)
    assert await runner.apply(db, two) == []


async def test_only_the_new_file_is_applied_to_an_older_database(db, write):
    await runner.apply(db, write("0001_people.sql", FIRST))
    assert [s.version for s in await runner.apply(db, write("0002_language.sql", SECOND))] == [2]


async def test_no_files_at_all_are_fine(db, tmp_path):
    assert await runner.apply(db, tmp_path) == []
    await runner.require_current(db, tmp_path)


async def test_planning_writes_nothing(db, two):
    await runner.plan(db, two)
    assert await runner.verify(db, two) == []
    assert await db.fetchval("SELECT to_regclass('schema_migration')") is None


async def test_a_service_does_not_start_on_an_older_schema(db, write):
    await runner.apply(db, write("0001_people.sql", FIRST))
    with pytest.raises(Behind, match=r"at 0001, and this program needs 0002 .*coverd migrate apply"):
        await runner.require_current(db, write("0002_language.sql", SECOND))


async def test_a_service_does_not_start_on_a_newer_schema(db, two):
    await runner.apply(db, two)
    (two / "0002_language.sql").unlink()
    for ask in (runner.require_current, runner.plan, runner.apply):
        with pytest.raises(Ahead, match=r"0002_language\.sql, and the program ends at 0001"):
            await ask(db, two)


async def test_a_file_changed_after_it_was_applied_is_named(db, two, write):
    await runner.apply(db, two)
    write("0001_people.sql", FIRST + "-- harmless?\n")
    problems = await runner.verify(db, two)
    assert [type(p) for p in problems] == [Changed]
    assert str(problems[0]).startswith("0001_people.sql is not what was applied")
    with pytest.raises(Changed):
        await runner.apply(db, write("0003_more.sql", "-- More.\nSELECT 1;"))
    assert await runner.current(db) == 2


async def test_a_renamed_file_is_a_changed_file(db, two):
    await runner.apply(db, two)
    (two / "0001_people.sql").rename(two / "0001_persons.sql")
    assert [p.file for p in await runner.verify(db, two)] == ["0001_people.sql"]


async def test_windows_line_ends_are_no_change(db, two):
    await runner.apply(db, two)
    (two / "0001_people.sql").write_bytes(FIRST.replace("\n", "\r\n").encode())
    assert await runner.verify(db, two) == []


async def test_a_file_merged_below_the_databases_version_is_refused(db, two):
    await runner.apply(db, two)
    await db.execute("DELETE FROM schema_migration WHERE version = 1")
    with pytest.raises(GapInDatabase, match=r"version 0002 without 0001_people\.sql"):
        await runner.apply(db, two)


async def test_a_number_left_out_or_used_twice_is_refused(db, write):
    write("0001_people.sql", FIRST)
    directory = write("0003_language.sql", SECOND)
    with pytest.raises(GapInFiles, match=r"0003_language\.sql is out of line: number 0002"):
        await runner.apply(db, directory)
    (directory / "0003_language.sql").rename(directory / "0001_language.sql")
    assert [type(p) for p in await runner.verify(db, directory)] == [GapInFiles]


@pytest.mark.parametrize(
    ("name", "sql", "reason"),
    [
        ("1_people.sql", FIRST, "its name is not like"),
        ("0001_people.sql", "CREATE TABLE t ();", "does not open with"),
        ("0001_people.sql", "-- Why.\nSELECT 1;\nCOMMIT;\n", "line 3 controls the transaction"),
        ("0001_index.sql", f"-- Why.\n{BUILT}", "it builds person_language without dropping it first"),
        ("0001_index.sql", f"-- Why.\n{DROPPED}{BUILT}SELECT 1;", "it does more than drop and build indexes"),
    ],
)
async def test_a_file_that_breaks_the_form_is_refused(db, write, name, sql, reason):
    with pytest.raises(BadFile, match=reason):
        await runner.apply(db, write(name, sql))


async def test_a_block_of_plpgsql_is_no_transaction_control(db, write):
    function = "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1;\nEND;\n$$;"
    await runner.apply(db, write("0001_function.sql", f"-- Why.\n{function}"))
    assert await db.fetchval("SELECT f()") == 1


async def test_a_failing_file_leaves_nothing_and_keeps_the_files_before_it(db, write):
    write("0001_people.sql", FIRST)
    directory = write("0002_broken.sql", "-- Broken.\nCREATE TABLE half ();\nSELECT nonsense;\n")
    with pytest.raises(Failed, match=r'0002_broken\.sql failed at line 3 .*"nonsense" does not exist'):
        await runner.apply(db, directory)
    assert await runner.current(db) == 1
    assert await db.fetchval("SELECT to_regclass('half')") is None

    write("0002_broken.sql", "-- Mended.\nCREATE TABLE half ();\n")
    assert [step.version for step in await runner.apply(db, directory)] == [2]


async def test_two_appliers_at_once_apply_each_file_once(db, empty_database_url, two):
    other = await asyncpg.connect(empty_database_url)
    try:
        done = await asyncio.gather(runner.apply(db, two), runner.apply(other, two))
    finally:
        await other.close()
    assert sorted(len(steps) for steps in done) == [0, 2]


async def valid(db: "asyncpg.Connection[asyncpg.Record]") -> bool | None:
    """Whether the index is there and of use."""
    found: bool | None = await db.fetchval(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('person_language')"
    )
    return found


async def test_an_index_is_built_beside_running_traffic(db, empty_database_url, two, write):
    await runner.apply(db, two)
    directory = write("0003_index.sql", INDEX)
    writing = await asyncpg.connect(empty_database_url)
    begun = writing.transaction()
    await begun.start()
    await writing.execute("INSERT INTO person VALUES ('Ada', 'en')")

    building = asyncio.create_task(runner.apply(db, directory))
    async with asyncio.timeout(20):
        while not await writing.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            pass
    await writing.execute("INSERT INTO person VALUES ('Grace', 'fr')")  # nobody waits for the build
    await begun.commit()

    assert [step.version for step in await building] == [3]
    assert await valid(db) is True
    await writing.close()


async def test_an_index_whose_build_broke_off_is_built_again(db, two, write):
    await runner.apply(db, two)
    await db.execute("INSERT INTO person VALUES ('Ada', 'en'), ('Grace', 'en')")
    directory = write("0003_index.sql", INDEX)
    with pytest.raises(Failed, match=r"0003_index\.sql failed .*could not create unique index"):
        await runner.apply(db, directory)
    assert (await runner.current(db), await valid(db)) == (2, False)

    await db.execute("DELETE FROM person WHERE name = 'Grace'")
    assert [step.version for step in await runner.apply(db, directory)] == [3]
    assert await valid(db) is True


async def test_two_at_once_build_an_index_once(db, empty_database_url, two, write):
    other = await asyncpg.connect(empty_database_url)
    directory = write("0003_index.sql", INDEX)
    try:
        done = await asyncio.gather(runner.apply(db, directory), runner.apply(other, directory))
    finally:
        await other.close()
    assert sorted(len(steps) for steps in done) == [0, 3]


async def test_who_waits_for_a_lock_lets_the_others_through_in_between(
    db, empty_database_url, write, monkeypatch
):
    monkeypatch.setattr(runner, "LOCK_MS", 50)
    monkeypatch.setattr(runner, "PAUSE_SECONDS", 0.05)
    await runner.apply(db, write("0001_people.sql", FIRST))
    directory = write("0002_language.sql", SECOND)
    reading, another = [await asyncpg.connect(empty_database_url) for _ in range(2)]
    begun = reading.transaction()
    await begun.start()
    await reading.fetch("SELECT * FROM person")

    applying = asyncio.create_task(runner.apply(db, directory))
    async with asyncio.timeout(20):
        while not await reading.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            pass
        await another.fetch("SELECT * FROM person")  # behind the waiting file, until it gives up for now
        assert not applying.done()
        await begun.rollback()
        assert [step.version for step in await applying] == [2]
    await reading.close()
    await another.close()


async def test_a_lock_that_is_never_free_is_told(db, empty_database_url, write, monkeypatch):
    monkeypatch.setattr(runner, "LOCK_MS", 10)
    monkeypatch.setattr(runner, "PAUSE_SECONDS", 0.001)
    await runner.apply(db, write("0001_people.sql", FIRST))
    holding = await asyncpg.connect(empty_database_url)
    async with holding.transaction():
        await holding.execute("LOCK TABLE person")
        with pytest.raises(Failed, match=r"0002_language\.sql failed.*due to lock timeout"):
            await runner.apply(db, write("0002_language.sql", SECOND))
    await holding.close()
    assert await runner.current(db) == 1


async def test_the_real_migrations_are_well_formed_and_current_in_a_fresh_database(database_url):
    connection = await asyncpg.connect(database_url)
    try:
        assert await runner.verify(connection) == []
        await runner.require_current(connection)
    finally:
        await connection.close()
