"""`make bench-growth`: the same questions to a small database and to ever larger ones."""

import argparse
import asyncio
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import aiohttp
import asyncpg
import orjson

from bench import requests
from bench.curve import draw
from bench.fill import fill, ids
from bench.lag import feed_lag, policy_news
from bench.lives import INSURED
from bench.load import Generator
from bench.processes import Database, coverd, database
from bench.report import machine, percentile
from bench.warm import warm
from domain.rules import Rules
from projections.engagements import Engagements
from projections.fill import fill as fold
from service.cli.terminal import put, say
from service.clock import utc_now
from service.handle import Handler, Origin
from service.store.postgres import PostgresStore

SIZES = (10_000, 100_000)
PARTS, ASKED, APPENDS = 8, 250, 50
"""So many questions of each kind, and appends, one after the other and in so many parts."""

NUMBER_FEED = """
INSERT INTO coverd.feed (seq, bucket, position, stream_id, version, type, recorded_at)
SELECT h.seq + row_number() OVER (ORDER BY e.recorded_at, e.bucket, e.position),
       e.bucket, e.position, e.stream_id, e.version, e.type, e.recorded_at
FROM coverd.feed_head h
CROSS JOIN coverd.subscription s
JOIN coverd.event e ON e.bucket = s.bucket AND e.position > s.position
WHERE s.projection = 'feed'
"""


@dataclass(frozen=True)
class Point:
    """One size: the median and the 99th percentile of each question in ms, start-up in s, memory in MB."""

    engagements: int
    events: int
    p50_ms: dict[str, float]
    p99_ms: dict[str, float]
    startup_s: float
    memory_mb: float
    right: bool


class Subject:
    """A filled database and the process that serves it. Sizes are asked in turn, so that whatever else this
    machine does weighs on all of them."""

    def __init__(self, db: Database, size: int) -> None:
        self.db = db
        self.known = ids(size)
        self.questions = questions(self.known)
        self.size = size
        self.took: defaultdict[str, list[float]] = defaultdict(list)
        self.right = True
        self.startup_s = 0.0

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        began = time.perf_counter()
        async with coverd(self.db) as self._server:
            await _until_ready(self._server.port)
            self.startup_s = time.perf_counter() - began
            yield

    async def append(self, part: int) -> None:
        """One after the other, each to a stream of its own."""
        insured = [id for n, id in enumerate(self.known) if n % 100 < INSURED]
        store = await PostgresStore.open(self.db.dsn, utc_now)
        handler = Handler(store, Rules)
        for number, id in enumerate(insured[part :: len(insured) // APPENDS][:APPENDS]):
            origin = Origin(f"growth:{time.time_ns()}", "growth", "bench")
            began = time.perf_counter()
            written = await handler.engagement(id, policy_news(), origin)
            if number >= APPENDS // 5:  # the first warm it up
                self.took["append"].append(time.perf_counter() - began)
            self.right = self.right and written.new
        await store.close()

    async def ask(self, name: str, load: Generator, part: int) -> None:
        await load.prepare(requests.gets, self.questions[name], ASKED, part)
        sample = await load.run(self._server.port, 1)
        self.right = self.right and sample.statuses == {200: ASKED}
        if part:  # the first warms it up
            self.took[name] += sample.took

    async def point(self) -> Point:
        self.took["feed lag"], all_came = await feed_lag(self.db, self._server.port, self.known)
        async with self.db.connection() as conn:
            events = await conn.fetchval("SELECT sum(position)::bigint FROM coverd.bucket_head")
        p50, p99 = (
            {name: percentile(took, share) * 1000 for name, took in self.took.items()}
            for share in (0.5, 0.99)
        )
        memory = self._server.memory() / 2**20
        return Point(self.size, events, p50, p99, self.startup_s, memory, self.right and all_came)


async def measured(subjects: Sequence[Subject], load: Generator) -> list[Point]:
    for part in range(PARTS):
        for subject in subjects:
            await subject.append(part)
    async with AsyncExitStack() as stack:
        for subject in subjects:
            await stack.enter_async_context(subject.served())
        for name in subjects[0].questions:
            for part in range(PARTS + 1):
                for subject in subjects:
                    await subject.ask(name, load, part)
        return [await subject.point() for subject in subjects]


def questions(known: Sequence[str]) -> dict[str, list[str]]:
    """Paths of each kind, about engagements from all over the database."""
    some = Random(1).sample(known, min(5000, len(known)))
    insured = [id for id in some if int(id) % 100 < INSURED]
    return {
        "status": [f"/v1/engagements/{id}" for id in some],
        "history": [f"/v1/engagements/{id}/events" for id in some],
        "attention list": ["/v1/attention?limit=50"],
        "search by id": [f"/v1/engagements?q=pl_{id}" for id in insured],
        "search by freelancer": [f"/v1/engagements?freelancer=fl_{id}" for id in some],
        "list by state": [f"/v1/engagements?state={state}&limit=50" for state in ("insured", "ended")],
    }


async def _until_ready(port: int) -> None:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        while True:
            async with session.get("/readyz") as answer:
                if answer.status == 200:
                    return
            await asyncio.sleep(0.02)


async def grow(db: Database, size: int, say: Callable[[str], None]) -> None:
    """Bring a database to so many engagements, read models and all."""
    async with db.connection() as conn:
        already = await conn.fetchval("SELECT count(*) FROM coverd.stream")
        if already >= size:
            return
        began = time.perf_counter()
        await fill(db, size, say, already)
        say(f"{size:,} engagements in the log after {time.perf_counter() - began:.0f} s")
        async with asyncpg.create_pool(db.dsn, min_size=1, max_size=4) as pool:
            await _read_models(pool, say)
        await conn.execute("VACUUM (ANALYZE)")


async def _read_models(pool: "asyncpg.Pool[asyncpg.Record]", say: Callable[[str], None]) -> None:
    """As their runner would leave them, by COPY."""
    began = time.perf_counter()
    async with pool.acquire() as conn:
        await conn.execute("TRUNCATE coverd.engagements_r1, coverd.attention_r1")
        await conn.execute("UPDATE coverd.subscription SET position = 0 WHERE projection = 'engagements'")
    await fold(pool, Engagements(), 1, utc_now, lambda buckets: None)
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute(NUMBER_FEED)
        await conn.execute(
            "UPDATE coverd.feed_head SET seq = (SELECT coalesce(max(seq), 0) FROM coverd.feed)"
        )
        await conn.execute(
            "UPDATE coverd.subscription s SET position = h.position FROM coverd.bucket_head h"
            " WHERE h.bucket = s.bucket AND s.position < h.position"
        )
    say(f"read models folded in {time.perf_counter() - began:.0f} s")


async def main(sizes: Sequence[int], folder: Path | None, json: Path | None, picture: Path | None) -> int:
    place = folder or Path(tempfile.mkdtemp(prefix="coverd-growth-"))
    load, subjects = Generator(), list[Subject]()
    try:
        async with AsyncExitStack() as stack:
            for size in sorted(sizes):
                db = await stack.enter_async_context(database(place / str(size), say))
                await grow(db, size, say)
                read = await warm(db, place / str(size) / "postgres")
                say(f"{read / 1e9:.1f} GB of what {size:,} engagements are asked about were read")
                subjects.append(Subject(db, size))
            async with subjects[0].db.connection() as conn:
                put(machine((await conn.fetchval("SELECT version()")).split(" on ")[0]))
            curve = await measured(subjects, load)
    finally:
        await load.close()
        if folder is None:
            shutil.rmtree(place, ignore_errors=True)
    for point in curve:
        _show(point)
    _keep(curve, json, picture)
    return 0 if all(point.right for point in curve) else 1


def _keep(curve: Sequence[Point], json: Path | None, picture: Path | None) -> None:
    if json:
        json.write_bytes(orjson.dumps([asdict(point) for point in curve], option=orjson.OPT_INDENT_2))
    if picture:
        picture.write_text(draw(curve), encoding="utf-8")


def _show(p: Point) -> None:
    put(
        f"{p.engagements:,} engagements, {p.events:,} events: start-up {p.startup_s:.1f} s,"
        f" {p.memory_mb:.0f} MB, {'right' if p.right else 'NOT RIGHT'}"
    )
    for name, value in p.p50_ms.items():
        put(f"  {name:21} p50 {value:8.2f} ms   p99 {p.p99_ms[name]:8.2f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make bench-growth", description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="engagements, e.g. 10000,100000")
    parser.add_argument("--folder", type=Path, help="keep the databases here (default: a temporary folder)")
    parser.add_argument("--json", type=Path, help="write what was found here")
    parser.add_argument("--picture", type=Path, help="draw it here as SVG")
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    raise SystemExit(asyncio.run(main(sizes, given.folder, given.json, given.picture)))
