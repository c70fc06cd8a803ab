"""How long after its commit an event reaches whoever listens to the feed, at half of what can be written."""

import asyncio
import time
from collections.abc import Sequence

import aiohttp
import orjson

from bench.lives import INSURED
from bench.processes import Database
from domain.commands import NotePolicyActive
from domain.rules import Rules
from service.clock import epoch, utc_now
from service.handle import Handler, Origin
from service.store.postgres import PostgresStore

BURST = 100
SECONDS = 8.0
MOST = 200.0
"""Appends a second, however many more would be possible."""


async def feed_lag(db: Database, port: int, known: Sequence[str]) -> tuple[list[float], bool]:
    """Seconds from each commit to its event at a listener, and whether all came; at half of the load that one
    writer could make."""
    insured = [id for n, id in enumerate(known) if n % 100 < INSURED][-10_000:]
    store = await PostgresStore.open(db.dsn, utc_now)
    handler = Handler(store, Rules)

    async def write(id: str, run: str) -> float:
        origin = Origin(f"lag:{run}:{id}:{time.time_ns()}", "lag", "bench")
        await handler.engagement(id, policy_news(), origin)
        return time.perf_counter()

    began = time.perf_counter()
    first = insured[:BURST]
    for id in first:
        await write(id, "pace")
    pace = min(len(first) / (time.perf_counter() - began) / 2, MOST)
    came: dict[str, float] = {}
    listening = asyncio.create_task(_listen(port, came))
    await asyncio.sleep(0.5)
    written: dict[str, float] = {}
    start = time.perf_counter()
    targets = insured[BURST:][: int(pace * SECONDS)]
    for n, id in enumerate(targets):
        await asyncio.sleep(max(start + n / pace - time.perf_counter(), 0))
        written[id] = await write(id, "lag")
    for _ in range(100):
        if written.keys() <= came.keys():
            break
        await asyncio.sleep(0.1)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await store.close()
    lags = [max(came[id] - at, 0.0) for id, at in written.items() if id in came]
    return lags or [float("inf")], written.keys() <= came.keys()


def policy_news() -> NotePolicyActive:
    """News of a policy that nobody has heard of yet."""
    now = epoch(utc_now())
    return NotePolicyActive(now, f"pl_{time.time_ns()}", None, now, now + 90 * 86_400)


async def _listen(port: int, came: dict[str, float]) -> None:
    """Notes when the first news of each engagement came."""
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session,
        session.get(f"http://127.0.0.1:{port}/v1/feed") as answer,
    ):
        async for line in answer.content:
            if line.startswith(b"data:"):
                said = orjson.loads(line[5:])
                came.setdefault(said["engagement_id"], time.perf_counter())
