"""whole_job: from an offer's webhook to `insured`, with vendors that answer at once, and with slow ones."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
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

LOOK_EVERY = 0.25
"""Seconds between two looks whether all are insured: each costs Postgres something."""

TIMES = """
SELECT extract(epoch FROM i.received_at)::float AS began, extract(epoch FROM e.recorded_at)::float AS ended
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
        say(f"whole job, one at a time: {_in_words(lone)}")
        run = await _through(db, load, subject, 20_000_000, ENGAGEMENTS)
        stats = await vendor_stats(vendor)
        right = await _right(db)
        memory = subject.memory() / 2**20
    rate = ENGAGEMENTS / run.seconds
    cpu = [1000 * seconds / ENGAGEMENTS for seconds in run.cpu_seconds]
    note = f"idle: {_in_words(lone)}; {memory:.0f} MB"
    return [
        Figure(
            "whole_job",
            rate,
            "engagements/s",
            right and len(run.took) == ENGAGEMENTS,
            600.0,
            rate / 600,
            percentile(run.took, 0.5) * 1000,
            percentile(run.took, 0.99) * 1000,
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
        run = await _through(db, load, subject, 40_000_000, SLOW_ENGAGEMENTS)
        stats = await vendor_stats(vendor)
        right = await _right(db)
    rate, most = SLOW_ENGAGEMENTS / run.seconds, SLOW_WORKERS / (PAUSE * CALLS)
    asked = sum(n for call, n in stats["asked"].items() if "/_" not in call)
    return Figure(
        "whole_job_slow_vendor",
        rate,
        "engagements/s",
        right,
        most,
        rate / most,
        percentile(run.took, 0.5) * 1000,
        percentile(run.took, 0.99) * 1000,
        f"floor: {SLOW_WORKERS} workers, {CALLS} calls of {PAUSE * 1000:.0f} ms; asked {asked} times",
    )


@dataclass(frozen=True)
class Run:
    """``seconds`` from the first webhook to the last insured; ``took``: each one's own; ``cpu_seconds`` of
    coverd and of Postgres."""

    seconds: float
    took: list[float]
    cpu_seconds: tuple[float, float]


async def _through(db: Database, load: Generator, subject: Server, first: int, count: int) -> Run:
    """Send the webhooks of so many offers and wait until all are insured."""
    await load.prepare(requests.offers, first, count)
    began, used = time.monotonic(), (subject.cpu_seconds(), db.cpu_seconds())
    sent = await load.run(subject.port, CONNECTIONS)
    assert sent.statuses == {202: count}, sent.statuses
    span = f"engagement:{first}", f"engagement:{first + count}"
    async with db.connection() as conn:
        while await _insured(conn, *span) < count:
            if time.monotonic() - began > PATIENCE:
                raise TimeoutError(f"{await _insured(conn, *span)} of {count} were insured")
            await asyncio.sleep(LOOK_EVERY)
        used = subject.cpu_seconds() - used[0], db.cpu_seconds() - used[1]
        rows = await conn.fetch(TIMES, *span)
    seconds = max(row["ended"] for row in rows) - min(row["began"] for row in rows)
    return Run(seconds, [row["ended"] - row["began"] for row in rows], used)


async def _insured(conn: Any, low: str, high: str) -> int:
    count: int = await conn.fetchval(
        "SELECT count(*) FROM coverd.stream WHERE state = 'insured' AND stream_id >= $1 AND stream_id < $2",
        low,
        high,
    )
    return count


async def _lone(db: Database, vendor: Server, subject: Server) -> dict[str, float]:
    """Medians in an idle system: first call after the webhook, and how soon its end is shown."""
    answered_at, shown, page = dict[str, float](), [], []
    await vendor_set(vendor, subject.port)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{subject.port}") as session, db.connection() as conn:
        for number in range(30_000_000, 30_000_000 + LONE):
            head, _, body = requests.offers(number, 1)[0].partition(b"\r\n\r\n")
            headers = dict(line.split(": ") for line in head.decode().split("\r\n")[1:])
            async with session.post("/webhooks/upwork", data=body, headers=headers) as answer:
                assert answer.status == 202
                answered_at[str(number)] = time.time()
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
    asked_at = {id: at for id, at in stats["first_asked"].items() if id in received}
    return {
        "first_call_ms": percentile([at - answered_at[id] for id, at in asked_at.items()], 0.5) * 1000,
        "since_received_ms": percentile([at - received[id] for id, at in asked_at.items()], 0.5) * 1000,
        "shown_ms": percentile(shown, 0.5) * 1000,
        "page_ms": percentile(page, 0.5) * 1000,
    }


def _in_words(lone: dict[str, float]) -> str:
    return (
        f"first call {lone['first_call_ms']:.1f} ms after the answer to its webhook"
        f" ({lone['since_received_ms']:.1f} ms after that came), insured shown {lone['shown_ms']:.1f} ms"
        f" after the policy's news, on the page {lone['page_ms']:.1f} ms"
    )


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
