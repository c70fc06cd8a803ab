"""A reader of a bucket never misses an event; without the bucket's lock these tests find that it does."""

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import asyncpg
from contracts.given import ADA, NOON, append, neighbours

from domain import events as e
from domain.ids import bucket_of
from service.store.postgres import PostgresStore
from service.store.rows import command, text
from service.store.statements import sql

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

BUCKET = bucket_of(ADA)

WITHOUT_THE_LOCK = """
CREATE SEQUENCE coverd.loose;
GRANT USAGE ON coverd.loose TO coverd_app;
CREATE OR REPLACE FUNCTION coverd.number_commands(
  p_buckets int[], p_counts int[], p_now timestamptz, OUT o_befores bigint[], OUT o_times timestamptz[]
) LANGUAGE plpgsql AS $$
BEGIN
  SELECT array_agg(nextval('coverd.loose') - 1), array_agg(p_now) INTO o_befores, o_times
  FROM unnest(p_counts);
  -- One has more to do than another between its number and its commit.
  PERFORM count(*) FROM generate_series(1, (random() * 50000)::int);
END
$$
"""


async def fetch_appended(connection: "Connection", stream: str) -> None:
    one = {"ordinal": 0, **command(append(e.JobCreated("j"), stream=stream))}
    (row,) = await connection.fetch(sql("append"), text([one]), NOON)
    assert row["outcomes"] == ["appended"]


async def positions(connection: "Connection", after: int) -> list[int]:
    return [row["position"] for row in await connection.fetch(sql("feed"), BUCKET, after, 500)]


async def blocked_or_done(watcher: "Connection", pid: int, task: "asyncio.Task[None]") -> None:
    """Returns once the task's statement waits for a lock, or the task is through."""
    while not task.done():
        if await watcher.fetchval("SELECT cardinality(pg_blocking_pids($1)) > 0", pid):
            return


async def overtaking(url: str) -> tuple[list[int], int]:
    """The slow writer numbers first and commits last; gives what a reader saw and how many there were."""
    async with AsyncExitStack() as stack:
        slow, fast, reader = [await asyncpg.connect(url) for _ in range(3)]
        for connection in (slow, fast, reader):
            stack.push_async_callback(connection.close)
        one, other = neighbours(2)
        transaction = slow.transaction()
        await transaction.start()
        await fetch_appended(slow, one)
        overtaker = asyncio.create_task(fetch_appended(fast, other))
        await blocked_or_done(reader, fast.get_server_pid(), overtaker)
        seen = await positions(reader, 0)
        await transaction.commit()
        await overtaker
        seen += await positions(reader, max(seen, default=0))
        return seen, await reader.fetchval("SELECT count(*) FROM coverd.event")


async def crowd(url: str, writers: int, each: int) -> tuple[list[int], int]:
    """Many processes' worth of writers in one bucket while a reader follows."""
    streams = neighbours(writers * each)
    async with AsyncExitStack() as stack:
        stores = [await PostgresStore.open(url, lambda: NOON, connections=2) for _ in range(writers)]
        for store in stores:
            stack.push_async_callback(store.close)
        reader = await asyncpg.connect(url)
        stack.push_async_callback(reader.close)
        work = asyncio.gather(
            *(write(store, streams[n::writers]) for n, store in enumerate(stores)),
        )
        seen: list[int] = []
        while not work.done():
            seen += await positions(reader, max(seen, default=0))
        await work
        seen += await positions(reader, max(seen, default=0))
        return seen, len(streams)


async def write(store: PostgresStore, streams: list[str]) -> None:
    """Five at a time, so that batches have more than one event."""
    for start in range(0, len(streams), 5):
        batch = streams[start : start + 5]
        await asyncio.gather(*(store.append(append(e.JobCreated("j"), stream=stream)) for stream in batch))


async def test_an_event_numbered_earlier_is_never_seen_later(database_url):
    seen, written = await overtaking(database_url)
    assert seen == [1, 2]
    assert written == 2


async def test_the_control_without_the_lock_loses_the_overtaken_event(database_url):
    await loosen(database_url)
    seen, written = await overtaking(database_url)
    assert seen == [2]
    assert written == 2


async def test_a_reader_who_follows_a_crowd_of_writers_sees_every_event_once(database_url):
    seen, written = await crowd(database_url, writers=6, each=50)
    assert seen == list(range(1, written + 1))


async def test_the_control_without_the_lock_loses_events_in_the_crowd(database_url):
    await loosen(database_url)
    seen, written = await crowd(database_url, writers=6, each=50)
    assert len(seen) < written


async def loosen(url: str) -> None:
    owner = await asyncpg.connect(url)
    await owner.execute(WITHOUT_THE_LOCK)
    await owner.close()
