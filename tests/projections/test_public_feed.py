"""The feed: all events in one order that a reader can follow by a number alone, whoever writes meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Any

import asyncpg
import pytest
from projection_spies import Spy, refusing, running
from story import CONTRACTOR, JOB, QUOTE, Story, contract_read, given, insured, offer
from written_log import Log, ids_of_bucket

from projections import feed
from projections.errors import NeverRebuilt
from projections.feed import Told
from projections.freelancers import Freelancers
from projections.public_feed import Numbered, PublicFeed, last_seq, read_feed
from projections.rebuild import rebuild
from projections.registry import ALL
from projections.runner import Runner
from service.store import rows
from service.store.statements import sql

SOON = 10  # seconds; reached only by a test that fails


def stories(*ids: str) -> list[Story]:
    return [given(offer(), contract_read(), CONTRACTOR, JOB, QUOTE, id=id_) for id_ in ids]


def places(found: Sequence[Numbered]) -> list[tuple[int, str, int]]:
    return [(n.seq, n.recorded.stream_id, n.recorded.version) for n in found]


async def test_every_event_is_numbered_once_from_one_in_its_streams_order(pool, log, runner):
    told = stories("9001", "9002", *ids_of_bucket(7, 3))
    await log.interleave(told)
    assert (await last_seq(pool), await read_feed(pool, 0, 10)) == (0, [])
    await runner.caught_up()

    found = await read_feed(pool, 0, 1000)

    assert [n.seq for n in found] == list(range(1, sum(len(story.entries) for story in told) + 1))
    assert await last_seq(pool) == len(found)
    for story in told:
        stream = f"engagement:{story.engagement.engagement_id}"
        versions = [n.recorded.version for n in found if n.recorded.stream_id == stream]
        assert versions == [entry.version for entry in story.entries]


async def test_a_page_begins_behind_the_number_given_and_may_be_of_one_stream(pool, log, runner):
    await log.interleave(stories("9001", "9002"))
    await runner.caught_up()
    everything = await read_feed(pool, 0, 1000)
    assert await read_feed(pool, 3, 2) == everything[3:5]
    assert await read_feed(pool, len(everything), 10) == []
    one = [n for n in everything if n.recorded.stream_id == "engagement:9002"]
    assert await read_feed(pool, 0, 1000, "engagement:9002") == one
    assert await read_feed(pool, one[1].seq, 2, "engagement:9002") == one[2:4]


async def test_the_events_read_are_those_of_the_log(pool, log, runner):
    await log.tell(insured())
    await runner.caught_up()
    stored = await pool.fetch("SELECT bucket FROM coverd.event LIMIT 1")
    log_has = await pool.fetch(sql("feed"), stored[0]["bucket"], 0, 500)
    assert [n.recorded for n in await read_feed(pool, 0, 1000)] == [rows.recorded(row) for row in log_has]


class Slow(PublicFeed):
    """Numbers, and then waits before its transaction ends."""

    def __init__(self) -> None:
        self.numbered, self.may_end = asyncio.Event(), asyncio.Event()

    async def apply(self, conn: Any, revision: int, events: Sequence[Told]) -> None:
        await self.number(conn, events)
        self.numbered.set()
        await self.may_end.wait()

    async def number(self, conn: Any, events: Sequence[Told]) -> None:
        await super().apply(conn, 1, events)


class SlowAndUnlocked(Slow):
    """Takes its numbers from a sequence, as if no lock were needed."""

    async def number(self, conn: Any, events: Sequence[Told]) -> None:
        for event in events:
            await conn.execute(
                "INSERT INTO coverd.feed SELECT nextval('coverd.loose'), bucket, position, stream_id,"
                " version, type, recorded_at FROM coverd.event WHERE bucket = $1 AND position = $2",
                *(event.bucket, event.position),
            )


class Reader:
    """Reads on from the last number it saw, and knows how many events it has seen."""

    def __init__(self, pool: Any) -> None:
        self.pool, self.seq, self.seen = pool, 0, 0

    async def read(self) -> int:
        while found := await read_feed(self.pool, self.seq, 3):
            self.seq, self.seen = found[-1].seq, self.seen + len(found)
        return self.seen


async def two_overlapping(pool: Any, log: Log, monkeypatch: Any, kind: type[Slow]) -> tuple[Reader, int]:
    """A first runner numbers a bucket and is slow to commit; a second one numbers another bucket meanwhile.
    The reader reads when the second has committed or waits for the first, and again in the end."""
    await log.interleave(stories(*ids_of_bucket(7, 1), *ids_of_bucket(8, 1)))
    reader, first, second = Reader(pool), kind(), kind()
    second.may_end.set()
    really = feed.moved

    async def one_bucket(conn: Any, name: str, *rest: Any) -> Any:
        found = await really(conn, name)
        first_asks = asyncio.current_task() is slow
        return [m for m in found if m.bucket == (7 if first_asks else 8)]

    monkeypatch.setattr(feed, "moved", one_bucket)
    async with asyncio.timeout(SOON):
        slow = asyncio.create_task(Runner(pool, [first]).caught_up())
        await first.numbered.wait()
        quick = asyncio.create_task(Runner(pool, [second]).caught_up())
        while not quick.done() and not await pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await reader.read()
        await reader.read()
        first.may_end.set()
        await asyncio.gather(slow, quick)
        await reader.read()
    return reader, sum(log.versions.values())


async def test_whoever_numbers_next_commits_next_so_a_reader_misses_nothing(pool, log, monkeypatch):
    reader, written = await two_overlapping(pool, log, monkeypatch, Slow)
    assert reader.seen == reader.seq == written


async def test_without_the_lock_the_same_reader_loses_events(pool, log, owner, monkeypatch):
    await owner.execute("CREATE SEQUENCE coverd.loose; GRANT USAGE ON coverd.loose TO coverd_app")
    reader, written = await two_overlapping(pool, log, monkeypatch, SlowAndUnlocked)
    assert reader.seen < written


@asynccontextmanager
async def connected(url: str, count: int) -> AsyncIterator[list[Any]]:
    async with AsyncExitStack() as stack:
        found = []
        for _ in range(count):
            conn = await asyncpg.connect(url)
            stack.push_async_callback(conn.close)
            found.append(conn)
        yield found


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_lost_or_doubled_while_many_append_and_two_number(pool, database_url, seed):
    """A reader follows from the beginning to the end, beside all of them."""
    random = Random(seed)
    async with connected(database_url, 4) as connections, asyncio.timeout(6 * SOON):
        logs = [Log(conn) for conn in connections]
        told = [stories(*(f"w{writer}-{n}" for n in range(12))) for writer in range(len(logs))]
        written = sum(len(story.entries) for each in told for story in each)
        runners = [Runner(pool, poll=0.001, batch=random.randint(1, 4)) for _ in range(2)]
        seen: list[Numbered] = []

        async def follow() -> None:
            while len(seen) < written:
                seen.extend(await read_feed(pool, seen[-1].seq if seen else 0, random.randint(1, 9)))

        async with running(runners[0]), running(runners[1]):
            writing = [log.interleave(mine) for log, mine in zip(logs, told, strict=True)]
            await asyncio.gather(*writing, follow())
        assert await read_feed(pool, written, 10) == []

    assert [n.seq for n in seen] == list(range(1, written + 1))
    assert len({(n.recorded.stream_id, n.recorded.version) for n in seen}) == written
    last: dict[str, int] = {}
    for stream, version in ((n.recorded.stream_id, n.recorded.version) for n in seen):
        assert version == last.get(stream, 0) + 1
        last[stream] = version


async def test_an_event_is_in_the_other_read_models_before_it_is_in_the_feed(pool, log):
    """Also when they are written by somebody else, who is slower."""
    await log.interleave(stories(*ids_of_bucket(7, 2)))
    feed_alone = Runner(pool, [PublicFeed()])
    await feed_alone.caught_up()
    assert await last_seq(pool) == 0

    await Runner(pool, [Spy()]).caught_up()
    await feed_alone.caught_up()
    assert await last_seq(pool) == 0
    await Runner(pool, [Freelancers()]).caught_up()
    await log.interleave(stories(*ids_of_bucket(7, 3)[2:]))
    await feed_alone.caught_up()

    rows = await pool.fetch("SELECT version FROM coverd.engagements")
    assert await last_seq(pool) == sum(row["version"] for row in rows) > 0
    await Runner(pool).caught_up()
    assert await last_seq(pool) == sum(log.versions.values())


async def test_a_read_model_that_is_stopped_does_not_stop_the_feed(pool, log):
    await log.tell(insured())
    await Runner(pool, [Spy(refusing("OfferAccepted")), *ALL[1:]]).caught_up()
    assert await last_seq(pool) == insured().engagement.version


async def test_the_feed_is_never_rebuilt_for_that_would_break_its_readers_cursors(pool, owner, log, runner):
    await log.tell(insured())
    await runner.caught_up()
    before = await read_feed(pool, 0, 100)
    said: list[str] = []
    with pytest.raises(NeverRebuilt, match="feed cannot be rebuilt: readers keep its numbers as cursors"):
        await rebuild(pool, "feed", said.append)
    assert await read_feed(pool, 0, 100) == before
    assert said == []


async def test_the_service_cannot_rewrite_the_feed(pool, log, runner):
    await log.tell(insured())
    await runner.caught_up()
    for statement in ("UPDATE coverd.feed SET seq = seq + 1", "DELETE FROM coverd.feed"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(statement)


@pytest.mark.parametrize("stream", [None, "engagement:e7"])
async def test_a_page_far_into_a_long_feed_is_found_by_index(pool, owner, stream):
    await owner.execute(
        "INSERT INTO coverd.event (bucket, stream_id, version, position, type, schema, effective_at,"
        " recorded_at, cause, correlation, actor, data, hash)"
        " SELECT coverd.bucket_of(s), s, n, n, 'T', 1, 0, now(), 'c', 'c', 'a', '{}', sha256('')"
        " FROM generate_series(1, 20000) n, LATERAL (SELECT 'engagement:e' || n % 50 AS s) stream"
    )
    await owner.execute(
        "INSERT INTO coverd.feed SELECT position, bucket, position, stream_id, version, type, recorded_at"
        " FROM coverd.event"
    )
    await owner.execute("ANALYZE coverd.event; ANALYZE coverd.feed")

    class Explaining:
        async def fetch(self, statement: str, *arguments: Any) -> list[Any]:
            rows = await pool.fetch(f"EXPLAIN {statement}", *arguments)
            self.plan = "\n".join(row[0] for row in rows)
            return []

    explaining = Explaining()
    await read_feed(explaining, 15_000, 100, stream)
    assert "Seq Scan" not in explaining.plan
