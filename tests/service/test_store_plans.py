"""The hot statements find their rows by index, however large the tables grow."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import orjson
import pytest
from contracts.given import ADA, NOON, OFFER, READ, append

from domain import events as e
from domain.ids import bucket_of
from service.ports import EffectDone
from service.store.rows import command, text
from service.store.statements import sql

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

LATER = NOON + timedelta(minutes=1)
PLACE = bucket_of(ADA), ADA

FILL = """
WITH s AS MATERIALIZED (
  SELECT coverd.bucket_of('engagement:' || n) AS bucket, 'engagement:' || n AS id, n, sha256('') AS hash
  FROM generate_series(1, 20000) n
), heads AS (
  INSERT INTO coverd.stream SELECT bucket, id, 1, 'offered', '{}', hash, $1 FROM s
), events AS (
  INSERT INTO coverd.event
  SELECT bucket, id, 1, row_number() OVER (PARTITION BY bucket), 'JobCreated', 1, 0, $1, 'c', 'c', 'a',
         '{"job_id": "j"}', hash
  FROM s
), causes AS (
  INSERT INTO coverd.accepted SELECT bucket, id, 'c' FROM s
), effects AS (
  INSERT INTO coverd.effect (bucket, stream_id, step, generation, channel, kind, payload, key, correlation,
                             wake_at, done_at, result, created_at)
  SELECT bucket, id, 'read', 1, 'upwork', 'ReadContract', '{}', 'k', 'c',
         CASE WHEN n % 100 = 0 THEN $1 + interval '1 s' * n END,
         CASE WHEN n % 100 > 0 THEN $1 END, CASE WHEN n % 100 > 0 THEN 'done' END, $1
  FROM s
), ids AS (
  INSERT INTO coverd.vendor_id SELECT coverd.bucket_of('offer:' || n), 'offer', n::text, id FROM s
), also AS (
  INSERT INTO coverd.also_known
  SELECT coverd.bucket_of('upwork:b' || n), 'upwork', 'b' || n, n % 1024, lpad(to_hex(n), 32, '0')::uuid
  FROM s
), awaited AS (
  INSERT INTO coverd.waiting
  SELECT coverd.bucket_of('quote:' || n), 'quote', n::text, n % 1024, lpad(to_hex(n), 32, '0')::uuid FROM s
)
INSERT INTO coverd.inbox (bucket, arrival, source, dedupe, body, headers, verdict, received_at, attempt,
                          wake_at, outcome, type, parked_at, processed_at)
SELECT coverd.bucket_of('upwork:' || n), lpad(to_hex(n), 32, '0')::uuid, 'upwork', n::text, '', '{}', 'ok',
       $1, 1,
       CASE WHEN n % 1000 = 0 THEN $1 + interval '1 s' * n END,
       CASE WHEN n % 1000 = 0 THEN 'parked' ELSE 'applied' END, 't', CASE WHEN n % 1000 = 0 THEN $1 END, $1
FROM s
"""

POSITIONS = """
UPDATE coverd.bucket_head h SET position = e.last
FROM (SELECT bucket, max(position) AS last FROM coverd.event GROUP BY bucket) e WHERE e.bucket = h.bucket
"""

FILES = """
INSERT INTO coverd.file
SELECT coverd.bucket_of(encode(sha256(b), 'hex')), encode(sha256(b), 'hex'), b, $1
FROM generate_series(1, 2000) n, LATERAL (SELECT decode(n::text, 'escape') AS b) s
"""

HOT = (
    *("head", "heads", "history", "feed", "streams_of", "streams_of_any", "streams_in"),
    *(
        "finish",
        "retry_later",
        "effects_of",
        "next_due",
        "hold_back",
        "waiting_by_channel",
        "in_vain",
        "any_waits",
    ),
    *("receive", "arrivals_of", "delivery", "settle_delivery", "replay_delivery", "wake_parked"),
    *("deliveries", "deliveries_needing_attention", "file"),
    *("settle_waiting", "skip_delivery", "deliveries_between", "count_between", "delivery_causes"),
    *("inbox_due", "outbox_due", "webhooks_lately", "export_log"),
)


@pytest.fixture
async def filled(database_url: str) -> AsyncIterator["Connection"]:
    """20,000 streams, of which few have anything due; plans as for parameters nobody knows."""
    connection = await asyncpg.connect(
        database_url, server_settings={"plan_cache_mode": "force_generic_plan"}
    )
    await connection.fetch(FILL, NOON)
    await connection.execute(POSITIONS)
    await connection.execute(FILES, NOON)
    await connection.execute("ANALYZE")
    yield connection
    await connection.close()


async def test_every_hot_statement_goes_by_an_index(filled):
    scans = {name: scanned(await plan(filled, name)) for name in HOT}
    assert {name: tables for name, tables in scans.items() if tables} == {}


async def test_reads_for_many_look_each_up_also_where_the_tables_are_young(database_url):
    """A plan is kept, and a new table grows long before its statistics are first gathered."""
    connection = await asyncpg.connect(
        database_url, server_settings={"plan_cache_mode": "force_generic_plan"}
    )
    for name in ("heads", "streams_of", "arrivals_of"):
        assert scanned(await plan(connection, name)) == [], name
    await connection.close()


async def plan(connection: "Connection", name: str) -> dict[str, Any]:
    """As it is for values nobody knows yet, the worst the server may choose."""
    most = max((int(number) for number in re.findall(r"\$(\d+)", sql(name))), default=0)
    given = f"({', '.join(['NULL'] * most)})" if most else ""
    await connection.execute(f"PREPARE p_{name} AS {sql(name)}")
    found = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE p_{name} {given}")
    root: dict[str, Any] = orjson.loads(found)[0]["Plan"]
    return root


def scanned(node: dict[str, Any]) -> list[str]:
    """The tables this plan reads from end to end."""
    return [n["Relation Name"] for n in nodes(node) if n["Node Type"] == "Seq Scan"]


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from nodes(child)


async def test_what_happens_inside_functions_goes_by_an_index_too(filled):
    before = await sequential_scans(filled)

    await filled.fetch(sql("claim"), 10, LATER, LATER, None, ["CreateJob"])
    await filled.fetch(sql("claim"), 10, LATER, LATER, ["upwork"], [])
    assert await filled.fetch(sql("claim_of"), *PLACE, NOON, LATER, []) == []
    assert len(await filled.fetch(sql("claim_probe"), ["ReadContract"], LATER, LATER)) == 1
    await filled.fetch(sql("claim_deliveries"), 10, LATER, LATER)
    ids = text([{"bucket": bucket_of("offer:7"), "kind": "offer", "id": "7"}])
    assert await filled.fetchval(sql("wake_waiting"), ids, LATER) == 0

    assert await sequential_scans(filled) == before


async def test_an_append_goes_by_an_index(filled):
    before = await sequential_scans(filled)

    first = append(OFFER, stream="engagement:new", effects=(READ,), lookups=(("offer", "of_1"),))
    assert await sent(filled, first) == "appended"
    (claimed,) = await filled.fetch(
        sql("claim_of"), bucket_of("engagement:new"), "engagement:new", NOON, LATER, []
    )
    settles = EffectDone("engagement:new", "read", 1, claimed["fence"], "done")
    assert await sent(
        filled, append(e.JobCreated("j"), stream="engagement:new", expected=1, settles=settles)
    ) == ("appended")

    assert await sequential_scans(filled) == before


async def sent(connection: "Connection", one: Any) -> str:
    (row,) = await connection.fetch(sql("append"), text([{"ordinal": 0, **command(one)}]), NOON)
    (outcome,) = row["outcomes"]
    return str(outcome)


async def sequential_scans(connection: "Connection") -> dict[str, int]:
    await connection.fetchval("SELECT pg_stat_force_next_flush()")
    rows = await connection.fetch(
        "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE schemaname = 'coverd'"
    )
    return {row["relname"]: row["seq_scan"] for row in rows}


async def test_the_control_reading_a_table_from_end_to_end_is_noticed(filled):
    before = await sequential_scans(filled)
    await filled.fetch("SELECT FROM coverd.stream WHERE status::text = 'x'")
    after = await sequential_scans(filled)
    assert {name for name in after if after[name] != before[name]} == {"stream"}
