"""What the database itself holds to: buckets, rights, and combinations that cannot be written."""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
from contracts.given import OFFER, READ, Clock, append, delivery
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.ids import bucket_of
from migrations.files import read
from service.store import statements
from service.store.errors import NotStorable
from service.store.lines import ROLE
from service.store.postgres import PostgresStore

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

TABLES = (
    *(
        "accepted",
        "also_known",
        "api_token",
        "bucket_head",
        "cursor",
        "effect",
        "event",
        "file",
        "inbox",
        "operation",
        "silence",
        "source",
        "stream",
        "vendor_id",
    ),
    "waiting",
    "pace",
    "breaker",
    "vendor_act",
    "oauth_token",
)


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator["Connection"]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def service(database_url: str) -> AsyncIterator["Connection"]:
    """A connection with the service's rights, over a log that has something in it."""
    store = await PostgresStore.open(database_url, Clock())
    await store.append(append(OFFER, effects=(READ,), lookups=(("offer", "of_1"),)))
    await store.receive(delivery())
    await store.put_file(b"x")
    await store.close()
    connection = await asyncpg.connect(database_url, server_settings={"role": ROLE})
    yield connection
    await connection.close()


async def test_postgres_and_python_agree_on_buckets(owner):
    keys = [
        "",
        "\\",
        "\\x41",
        "\\\\101",
        "a\nb",
        "engagement:9001",
        "漢字",
        "😀",
        "İ",
        "e\u0301",
        "x" * 10_000,
    ]

    @given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")))
    def collect(key: str) -> None:
        keys.append(key)

    collect()
    keys += [f"engagement:{number}" for number in range(2000)]
    found = await owner.fetch("SELECT coverd.bucket_of(k) AS bucket FROM unnest($1::text[]) AS k", keys)
    assert [row["bucket"] for row in found] == [bucket_of(key) for key in keys]


async def test_there_is_a_head_for_every_bucket(owner):
    assert await owner.fetchval("SELECT array_agg(bucket ORDER BY bucket) FROM coverd.bucket_head") == [
        *range(1024)
    ]


async def test_a_login_that_may_not_act_as_the_service_is_told_what_an_administrator_must_do(owner):
    weak = f"weak_{uuid.uuid4().hex[:8]}"
    first = read()[0].sql.replace("CREATE SCHEMA coverd;", "")
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute(f"CREATE ROLE {weak}")
    await owner.execute(f"GRANT {weak} TO CURRENT_USER")
    await owner.execute(f"SET LOCAL ROLE {weak}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError) as refused:
        await owner.execute(first)
    await transaction.rollback()
    assert str(refused.value.args[0]) == f'the role coverd_app exists, but "{weak}" may not act as it'
    assert refused.value.hint == f"As an administrator: GRANT coverd_app TO {weak};"


async def test_migrating_again_in_another_database_finds_the_role(owner):
    """The role is shared by all databases of a server; making it again is no fault."""
    async with owner.transaction():
        await owner.execute(read()[0].sql.replace("CREATE SCHEMA coverd;", ""))


SQL = {step.file: step.sql for step in read() if step.version not in (10, 11)} | {
    path.name: path.read_text() for path in Path(statements.__file__).parent.glob("sql/*.sql")
}


READS_ITS_CLOCK = {"take_turns.sql"}
"""Turns are shared by processes whose clocks differ. The time is still an argument of the function."""


@pytest.mark.parametrize("name", SQL)
def test_the_sql_keeps_the_rules_that_let_it_run_on_a_cluster(name):
    said = re.sub(r"--.*", "", SQL[name])
    if name in READS_ITS_CLOCK:
        said = said.replace("clock_timestamp()", "")
    volatile = r"now\(\)|_timestamp\(\)|current_timestamp|gen_random|nextval"
    assert not re.search(volatile, said, re.I), "times and tokens are parameters"
    assert not re.search(r"CREATE (TRIGGER|RULE|SEQUENCE)|MERGE INTO|advisory|DEFERR|NOTIFY", said, re.I)
    for update in re.findall(r"\bSET\b(.*?)\b(?:WHERE|RETURNING|;)", said, re.S):
        assert not re.search(r"= *\w+\[", update), "no subscript inside UPDATE SET"
    for locked in re.findall(r"(?:SELECT|PERFORM)(?:(?!SELECT|PERFORM).)*?FOR UPDATE", said, re.S):
        assert "bucket =" in locked, "FOR UPDATE only within a bucket"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE coverd.event SET data = '{}'",
        "DELETE FROM coverd.event",
        "TRUNCATE coverd.event",
        "SELECT 1 FROM coverd.event FOR UPDATE",
        "INSERT INTO coverd.event TABLE coverd.event ON CONFLICT (bucket, position) DO UPDATE SET actor = ''",
        "DELETE FROM coverd.accepted",
        "UPDATE coverd.accepted SET cause = ''",
        "DELETE FROM coverd.stream",
        "DELETE FROM coverd.effect",
        "DELETE FROM coverd.inbox",
        "DELETE FROM coverd.bucket_head",
        "INSERT INTO coverd.bucket_head (bucket) VALUES (1)",
        "UPDATE coverd.file SET content = ''",
        "UPDATE coverd.vendor_act SET reason = ''",
        "DELETE FROM coverd.vendor_act",
        "UPDATE coverd.vendor_id SET stream_id = ''",
        "UPDATE coverd.operation SET actor = ''",
        "DELETE FROM coverd.operation",
        "UPDATE coverd.api_token SET scope = 'operate'",
        "UPDATE coverd.api_token SET revoked_at = NULL",
        "INSERT INTO coverd.api_token (bucket) VALUES (1)",
        "DROP TABLE coverd.event",
        "ALTER TABLE coverd.event ADD COLUMN more text",
        "CREATE TABLE coverd.mine (bucket int)",
        "CREATE OR REPLACE FUNCTION coverd.bucket_of(p_key text) RETURNS int LANGUAGE sql IMMUTABLE RETURN 1",
    ],
)
async def test_the_service_cannot_rewrite_the_log_or_its_rules(service, statement):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.execute(statement)


async def test_the_store_itself_runs_with_the_services_rights(database_url):
    store = await PostgresStore.open(database_url, Clock())
    assert await store._pool.fetchval("SELECT current_user") == ROLE
    await store.append(append(OFFER))
    line = store._lines[0]
    assert await line.run(lambda connection: connection.fetchval("SELECT current_user")) == ROLE
    await store.close()


async def test_every_table_of_the_store_begins_with_its_bucket_and_so_do_its_keys(owner):
    columns = await owner.fetch(
        "SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
        " WHERE relnamespace = 'coverd'::regnamespace AND relkind = 'r' AND attnum = 1"
    )
    first = {row["relname"]: row["attname"] for row in columns}
    assert {first[name] for name in TABLES} == {"bucket"}
    keys = await owner.fetch(
        "SELECT relname, conkey[1] AS first FROM pg_constraint JOIN pg_class ON conrelid = pg_class.oid"
        " WHERE relnamespace = 'coverd'::regnamespace AND contype IN ('p', 'u')"
        " AND relname = ANY ($1::text[])",
        TABLES,
    )
    assert {row["relname"] for row in keys} == set(TABLES)
    assert {row["first"] for row in keys} == {1}


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO coverd.accepted VALUES ((coverd.bucket_of('s') + 1) % 1024, 's', 'c')",
        "INSERT INTO coverd.vendor_id VALUES ((coverd.bucket_of('k:i') + 1) % 1024, 'k', 'i', 's')",
        "UPDATE coverd.effect SET wake_at = NULL",
        "UPDATE coverd.effect SET parked_at = created_at",
        "UPDATE coverd.effect SET result = 'done'",
        "UPDATE coverd.inbox SET outcome = 'applied'",
        "UPDATE coverd.inbox SET outcome = 'lost', processed_at = received_at",
        "UPDATE coverd.stream SET updated_at = NULL",
        "INSERT INTO coverd.api_token VALUES (coverd.bucket_of('t'), 't', '', 'all', sha256('t'), now())",
        "INSERT INTO coverd.file VALUES (coverd.bucket_of('a'), 'a', 'not its content', now())",
    ],
)
async def test_impossible_rows_cannot_be_written(service, owner, statement):
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(statement)


async def test_a_command_that_the_database_refuses_fails_alone(database_url):
    """The checks in Python come first, so the refusal is provoked by one the database alone can see."""
    store = await PostgresStore.open(database_url, Clock())
    commands = [append(OFFER, stream=f"engagement:{n}", effects=(READ,)) for n in range(9)]
    commands[4] = replace(commands[4], effects=(replace(READ, generation=0),))
    outcomes = await asyncio.gather(*(store.append(one) for one in commands), return_exceptions=True)

    assert isinstance(outcomes.pop(4), NotStorable)
    assert {done.outcome for done in outcomes} == {"appended"}
    assert (await store.head("engagement:4")).version == 0
    await store.close()
