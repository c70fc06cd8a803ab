"""`make bench-growth`: the same questions to a small database and to ever larger ones."""

import argparse
import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp
import asyncpg
import orjson

from bench import requests
from bench.curve import draw
from bench.fill import fill, ids
from bench.lag import feed_lag
from bench.load import Generator
from bench.processes import Database, coverd, database
from bench.report import machine, percentile
from domain.commands import NoteOptIn
from domain.rules import Rules
from projections.engagements import Engagements
from projections.fill import fill as fold
from service.cli.terminal import put, say
from service.clock import epoch, utc_now
from service.handle import Handler, Origin
from service.store.postgres import PostgresStore

SIZES = (10_000, 100_000)
ASKED = 2000
"""So many questions of each kind, one after the other."""
APPENDS = 300

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


async def point(db: Database, size: int, load: Generator) -> Point:
    known, asked = ids(size), {}
    appended, right = await _appends(db, known)
    began = time.perf_counter()
    async with coverd(db) as server:
        await _until_ready(server.port)
        startup = time.perf_counter() - began
        for name, paths in questions(known).items():
            for count, seed in ((ASKED // 10, 0), (ASKED, 1)):  # the first warm it up
                await load.prepare(requests.gets, paths, count, seed)
                sample = await load.run(server.port, 1)
            right = right and sample.statuses == {200: ASKED}
            asked[name] = sample.took
        lags, all_came = await feed_lag(db, server.port, known)
        memory = server.memory() / 2**20
    asked |= {"append": appended, "feed lag": lags}
    async with db.connection() as conn:
        events = await conn.fetchval("SELECT sum(position)::bigint FROM coverd.bucket_head")
    p50, p99 = ({n: percentile(t, share) * 1000 for n, t in asked.items()} for share in (0.5, 0.99))
    return Point(size, events, p50, p99, startup, memory, right and all_came)


def questions(known: Sequence[str]) -> dict[str, list[str]]:
    """Paths of each kind, about engagements from all over the database."""
    some = known[:: max(len(known) // 5000, 1)]
    insured = [id for n, id in enumerate(known) if n % 100 < 89][:: max(len(known) // 5000, 1)]
    return {
        "status": [f"/v1/engagements/{id}" for id in some],
        "history": [f"/v1/engagements/{id}/events" for id in some],
        "attention list": ["/v1/attention?limit=50"],
        "search by id": [f"/v1/engagements?q=pl_{id}" for id in insured],
        "search by freelancer": [f"/v1/engagements?freelancer=fl_{id}" for id in some],
        "list by state": [f"/v1/engagements?state={state}&limit=50" for state in ("insured", "ended")],
    }


async def _appends(db: Database, known: Sequence[str]) -> tuple[list[float], bool]:
    """How long one append takes, one after the other, each to a stream of its own."""
    waiting = [id for n, id in enumerate(known) if 89 <= n % 100 < 95]
    store = await PostgresStore.open(db.dsn, utc_now)
    handler, took, right = Handler(store, Rules), [], True
    for id in waiting[:: max(len(waiting) // APPENDS, 1)][:APPENDS]:
        origin = Origin(f"growth:{time.time_ns()}", "growth", "bench")
        began = time.perf_counter()
        written = await handler.engagement(id, NoteOptIn(epoch(utc_now())), origin)
        took.append(time.perf_counter() - began)
        right = right and written.after.opted_in
    await store.close()
    return took[len(took) // 10 :], right


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
    load = Generator()
    points = _kept(json)
    try:
        async with database(place, say) as db:
            async with db.connection() as conn:
                put(machine((await conn.fetchval("SELECT version()")).split(" on ")[0]))
            for size in sorted(sizes):
                await grow(db, size, say)
                points[size] = await point(db, size, load)
                _show(points[size])
    finally:
        await load.close()
        if folder is None:
            shutil.rmtree(place, ignore_errors=True)
    _keep([points[size] for size in sorted(points)], json, picture)
    return 0 if all(point.right for point in points.values()) else 1


def _keep(curve: Sequence[Point], json: Path | None, picture: Path | None) -> None:
    if json:
        json.write_bytes(orjson.dumps([asdict(point) for point in curve], option=orjson.OPT_INDENT_2))
    if picture:
        picture.write_text(draw(curve), encoding="utf-8")


def _kept(json: Path | None) -> dict[int, Point]:
    """What was measured before of other sizes."""
    if json is None or not json.exists():
        return {}
    return {found["engagements"]: Point(**found) for found in orjson.loads(json.read_bytes())}


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
    parser.add_argument("--folder", type=Path, help="keep the database here (default: a temporary folder)")
    parser.add_argument("--json", type=Path, help="write what was found here, beside other sizes")
    parser.add_argument("--picture", type=Path, help="draw it here as SVG")
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    raise SystemExit(asyncio.run(main(sizes, given.folder, given.json, given.picture)))
