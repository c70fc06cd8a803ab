"""whole_job: from an offer's webhook to `insured`, with vendors that answer at once, and with slow ones."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp

from bench import requests
from bench.load import Generator
from bench.processes import Database, Server, served, vendors
from bench.report import Figure, percentile

ENGAGEMENTS = 3000
WORKERS = 64
"""Effects under way at once where the vendors answer at once."""

SLOW_ENGAGEMENTS, SLOW_WORKERS = 400, 16
PAUSE = 0.05
"""Seconds a slow vendor takes over each answer."""

CALLS = 5
"""What an engagement asks of 1099Policy; reads of contracts go together and wait apart."""

CONNECTIONS = 16
LONE = 100
PATIENCE = 600

TIMES = """
SELECT extract(epoch FROM e.recorded_at - i.received_at)::float AS took
FROM coverd.event e
JOIN coverd.inbox i ON i.source = 'upwork' AND i.dedupe = 'body:wh_' || split_part(e.stream_id, ':', 2)
WHERE e.type = 'EngagementInsured' AND e.stream_id >= $1 AND e.stream_id < $2
"""


async def run(db: Database, load: Generator, say: Callable[[str], None]) -> list[Figure]:
    async with vendors() as vendor:
        return [*await _fast(db, load, vendor, say), await _slow(db, load, vendor)]


async def _fast(db: Database, load: Generator, vendor: Server, say: Callable[[str], None]) -> list[Figure]:
    async with served(db, vendor, UNPACED="1", COVERD_WORKERS=str(WORKERS)) as subject:
        await vendor_set(vendor, subject.port)
        await _through(db, load, subject, 10_000_000, 200)
        lone = await _lone(db, vendor, subject)
        say(
            f"whole job, one at a time: first call after {lone['first_call_ms']:.1f} ms, insured shown"
            f" {lone['shown_ms']:.1f} ms after the policy's news, on the page {lone['page_ms']:.1f} ms"
        )
        used = subject.cpu_seconds(), db.cpu_seconds()
        seconds, took = await _through(db, load, subject, 20_000_000, ENGAGEMENTS)
        used = subject.cpu_seconds() - used[0], db.cpu_seconds() - used[1]
        stats = await vendor_stats(vendor)
        right = await _right(db)
        memory = subject.memory() / 2**20
    rate = ENGAGEMENTS / seconds
    cpu = [1000 * seconds / ENGAGEMENTS for seconds in used]
    note = (
        f"idle: first call {lone['first_call_ms']:.1f} ms, insured {lone['shown_ms']:.1f} ms after its news,"
        f" on the page {lone['page_ms']:.1f} ms; {memory:.0f} MB"
    )
    return [
        Figure(
            "whole_job",
            rate,
            "engagements/s",
            right and len(took) == ENGAGEMENTS,
            600.0,
            rate / 600,
            percentile(took, 0.5) * 1000,
            percentile(took, 0.99) * 1000,
            f"floor: the aim; {WORKERS} workers; {note}",
        ),
        Figure(
            "cpu_ms_per_engagement",
            sum(cpu),
            "ms",
            right,
            2.0,
            sum(cpu) / 2.0,
            note=f"floor: the aim; coverd {cpu[0]:.2f}, Postgres {cpu[1]:.2f}; {stats['asked']}",
        ),
    ]


async def _slow(db: Database, load: Generator, vendor: Server) -> Figure:
    """Against what so many workers can do at most, each with one call under way."""
    async with served(db, vendor, UNPACED="1", COVERD_WORKERS=str(SLOW_WORKERS)) as subject:
        await vendor_set(vendor, subject.port, PAUSE)
        seconds, took = await _through(db, load, subject, 40_000_000, SLOW_ENGAGEMENTS)
        stats = await vendor_stats(vendor)
        right = await _right(db)
    rate, most = SLOW_ENGAGEMENTS / seconds, SLOW_WORKERS / (PAUSE * CALLS)
    asked = sum(n for call, n in stats["asked"].items() if "/_" not in call)
    return Figure(
        "whole_job_slow_vendor",
        rate,
        "engagements/s",
        right,
        most,
        rate / most,
        percentile(took, 0.5) * 1000,
        percentile(took, 0.99) * 1000,
        f"floor: {SLOW_WORKERS} workers, {CALLS} calls of {PAUSE * 1000:.0f} ms; asked {asked} times",
    )


async def _through(
    db: Database, load: Generator, subject: Server, first: int, count: int
) -> tuple[float, list[float]]:
    """Seconds until all are insured, and how long each took from its webhook."""
    await load.prepare(requests.offers, first, count)
    began = time.monotonic()
    sent = await load.run(subject.port, CONNECTIONS)
    assert sent.statuses == {202: count}, sent.statuses
    span = f"engagement:{first}", f"engagement:{first + count}"
    async with db.connection() as conn:
        while await _insured(conn, *span) < count:
            if time.monotonic() - began > PATIENCE:
                raise TimeoutError(f"{await _insured(conn, *span)} of {count} were insured")
            await asyncio.sleep(0.05)
        seconds = time.monotonic() - began
        rows = await conn.fetch(TIMES, *span)
    return seconds, [row["took"] for row in rows]


async def _insured(conn: Any, low: str, high: str) -> int:
    count: int = await conn.fetchval(
        "SELECT count(*) FROM coverd.stream WHERE state = 'insured' AND stream_id >= $1 AND stream_id < $2",
        low,
        high,
    )
    return count


async def _lone(db: Database, vendor: Server, subject: Server) -> dict[str, float]:
    """Medians in an idle system: first call after the webhook, and how soon its end is shown."""
    calls, shown, page = [], [], []
    await vendor_set(vendor, subject.port)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{subject.port}") as session, db.connection() as conn:
        for number in range(30_000_000, 30_000_000 + LONE):
            head, _, body = requests.offers(number, 1)[0].partition(b"\r\n\r\n")
            headers = dict(line.split(": ") for line in head.decode().split("\r\n")[1:])
            async with session.post("/webhooks/upwork", data=body, headers=headers) as answer:
                assert answer.status == 202
            news = await _policy_news_at(conn, number)
            shown.append(await _until(session, f"/v1/engagements/{number}", b'"state":"insured"') - news)
            page.append(await _until(session, f"/engagements/{number}", b"insured") - news)
        received = dict(
            await conn.fetch(
                "SELECT substr(dedupe, 9), extract(epoch FROM received_at)::float FROM coverd.inbox"
                " WHERE dedupe LIKE 'body:wh\\_3%'"
            )
        )
    stats = await vendor_stats(vendor)
    calls = [at - received[id] for id, at in stats["first_asked"].items() if id in received]
    return {
        "first_call_ms": percentile(calls, 0.5) * 1000,
        "shown_ms": percentile(shown, 0.5) * 1000,
        "page_ms": percentile(page, 0.5) * 1000,
    }


async def _policy_news_at(conn: Any, number: int) -> float:
    """When the news of this engagement's policy was received (epoch seconds)."""
    while True:
        found: float | None = await conn.fetchval(
            "SELECT extract(epoch FROM max(i.received_at))::float FROM coverd.inbox i"
            " WHERE i.source = '1099policy' AND $1 = ANY (i.streams)",
            f"engagement:{number}",
        )
        if found is not None:
            return found
        await asyncio.sleep(0.002)


async def _until(session: aiohttp.ClientSession, path: str, sign: bytes) -> float:
    """When the answer at a path first shows what is looked for (epoch seconds)."""
    while True:
        async with session.get(path) as answer:
            if sign in await answer.read():
                return time.time()


async def _right(db: Database) -> bool:
    """No engagement has two of anything, no bucket's log has a hole, and every delivery was applied."""
    async with db.connection() as conn:
        doubled = await conn.fetchval(
            "SELECT count(*) FROM (SELECT FROM coverd.event WHERE type IN ('JobCreated', 'QuoteCreated',"
            " 'SessionOpened', 'EngagementInsured') GROUP BY stream_id, type HAVING count(*) > 1) d"
        )
        holes = await conn.fetchval(
            "SELECT count(*) FROM coverd.bucket_head h WHERE h.position <>"
            " (SELECT count(*) FROM coverd.event e WHERE e.bucket = h.bucket)"
        )
        left = await conn.fetchval(
            "SELECT count(*) FROM coverd.inbox WHERE outcome IS DISTINCT FROM 'applied'"
        )
    return not (doubled or holes or left)


async def vendor_set(vendor: Server, callback: int, pause: float = 0.0) -> None:
    async with aiohttp.ClientSession() as session:
        await session.post(
            f"http://127.0.0.1:{vendor.port}/_setup", json={"callback": callback, "pause": pause}
        )


async def vendor_stats(vendor: Server) -> dict[str, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{vendor.port}/_stats") as answer,
    ):
        found: dict[str, Any] = await answer.json()
        return found
