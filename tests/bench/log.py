"""replay, rebuild and verify: how quickly the whole log is read again, beside reading it alone."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import asyncpg
import orjson
import psutil

from bench.fill import fill, ids
from bench.load import Generator
from bench.processes import Database
from bench.report import Figure
from domain.ids import bucket_of, engagement_stream
from projections.engagements import Engagements
from projections.fill import fill as fold
from projections.rebuild import rebuild
from service.audit.buckets import over_all
from service.clock import utc_now
from service.store.postgres import PostgresStore

ENGAGEMENTS = 67_000
"""A little more than a million events."""

LOG = "SELECT stream_id, version, type, effective_at, data::text FROM coverd.event ORDER BY bucket, position"
PAGE = 2000


@dataclass(frozen=True)
class Took:
    """``cpu`` seconds of Postgres and of this process together; ``memory`` bytes it grew by meanwhile."""

    seconds: float
    cpu: float
    memory: int


async def run(db: Database, load: Generator, say: Callable[[str], None]) -> list[Figure]:
    events = await fill(db, ENGAGEMENTS, say)
    pool = await asyncpg.create_pool(db.dsn, min_size=1, max_size=4)
    store = await PostgresStore.open(db.dsn, utc_now)
    async with pool:
        await fold(pool, Engagements(), 1, utc_now, lambda buckets: None)
        bench = _Bench(db, say, events, pool, store)
        figures = [await bench.replay(), await bench.rebuild(), await bench.verify()]
    await store.close()
    return figures


@dataclass(frozen=True)
class _Bench:
    db: Database
    say: Callable[[str], None]
    events: int
    pool: "asyncpg.Pool[asyncpg.Record]"
    store: PostgresStore

    async def replay(self) -> Figure:
        async def all_streams() -> bool:
            heads = await self.store.heads_of_buckets()
            return not await over_all(heads, self.store.replay_buckets) and sum(heads.values()) == self.events

        return await self._figure("replay", all_streams)

    async def rebuild(self) -> Figure:
        async def engagements() -> bool:
            report = await rebuild(self.pool, "engagements", lambda said: None)
            return report.same and report.tables["engagements"].new == ENGAGEMENTS

        return await self._figure("rebuild", engagements)

    async def verify(self) -> Figure:
        async def all_buckets() -> bool:
            heads = await self.store.heads_of_buckets()
            return not await over_all(heads, self.store.verify_buckets) and sum(heads.values()) == self.events

        return await self._figure("verify", all_buckets, await self._finds_what_was_changed())

    async def _figure(self, name: str, work: Callable[[], Awaitable[bool]], sound: bool = True) -> Figure:
        before, _ = await self._timed(self._read)
        took, correct = await self._timed(work)
        after, whole = await self._timed(self._read)
        rate, floor = self.events / took.seconds, 2 * self.events / (before.seconds + after.seconds)
        cpu, least = (x / self.events * 1e6 for x in (took.cpu, (before.cpu + after.cpu) / 2))
        note = (
            f"{self.events:,} events in {took.seconds:.1f} s; {cpu:.1f} µs of CPU an event, the floor"
            f" {least:.1f}; memory + {took.memory / 2**20:.0f} MB"
        )
        self.say(f"{name}: {rate:,.0f} events/s; floor {floor:,.0f} events/s")
        return Figure(name, rate, "events/s", correct and whole and sound, floor, rate / floor, note=note)

    async def _timed(self, work: Callable[[], Awaitable[bool]]) -> tuple[Took, bool]:
        async with _memory() as grown:
            began, cpu = time.perf_counter(), self._cpu()
            right = await work()
            seconds, cpu = time.perf_counter() - began, self._cpu() - cpu
        return Took(seconds, cpu, max(grown)), right

    def _cpu(self) -> float:
        return self.db.cpu_seconds() + time.process_time()

    async def _read(self) -> bool:
        """The floor: every event in its bucket's order, its data decoded."""
        count = 0
        async with self.pool.acquire() as conn, conn.transaction():
            cursor = await conn.cursor(LOG)
            while rows := await cursor.fetch(PAGE):
                for row in rows:
                    orjson.loads(row[4])
                count += len(rows)
        return count == self.events

    async def _finds_what_was_changed(self) -> bool:
        """Whether one second in one event of all is noticed; it is put back afterwards."""
        stream = engagement_stream(ids(ENGAGEMENTS)[ENGAGEMENTS // 2])
        moved = (
            "UPDATE coverd.event SET effective_at = effective_at + $2 WHERE stream_id = $1 AND version = 3"
        )
        await self.pool.execute(f"{moved} AND bucket = $3", stream, 1, bucket_of(stream))
        faults = await self.store.verify_buckets(bucket_of(stream), bucket_of(stream))
        await self.pool.execute(f"{moved} AND bucket = $3", stream, -1, bucket_of(stream))
        return [(fault.stream_id, fault.version) for fault in faults] == [(stream, 3)]


@asynccontextmanager
async def _memory() -> AsyncIterator[list[int]]:
    """By how many bytes this process has grown, looked at five times a second."""
    process = psutil.Process(os.getpid())
    before, grown = process.memory_info().rss, [0]

    async def look() -> None:
        while True:
            grown.append(process.memory_info().rss - before)
            await asyncio.sleep(0.2)

    looking = asyncio.create_task(look())
    try:
        yield grown
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
