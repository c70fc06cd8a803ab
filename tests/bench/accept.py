"""accept: how quickly signed webhooks are committed and answered, beside servers that do less or nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bench import requests
from bench.load import Generator, Sample
from bench.processes import Database, Server, coverd, floor
from bench.report import Figure, percentile, typical

ROUNDS = 5
REQUESTS = 20_000
CONNECTIONS = 32
DUPLICATES = 1000
"""So many different deliveries are sent over and over."""
FLOODS, FORGERS, FORGED = 3, 200, 800
"""So often so many connections send so many forged ones: refusals are told in turn, so they last longer than
the good ones beside them."""


async def run(db: Database, load: Generator, say: Callable[[str], None]) -> list[Figure]:
    async with (
        floor("bare") as bare,
        floor("insert", db.dsn) as insert,
        floor("gathered", db.dsn) as gathered,
        coverd(db) as subject,
    ):
        await _warm(load, (bare, insert, gathered, subject))
        floors: dict[str, list[Sample]] = {"bare": [], "insert": [], "gathered": []}
        new: list[Sample] = []
        for number in range(ROUNDS):
            await load.prepare(requests.policy_news, number * REQUESTS, REQUESTS)
            for name, server in (("bare", bare), ("gathered", gathered)):
                floors[name].append(await load.run(server.port, CONNECTIONS))
            new.append(await load.run(subject.port, CONNECTIONS, keep=True))
            say(f"accept, round {number + 1}: {new[-1].rate:,.0f}/s; bare {floors['bare'][-1].rate:,.0f}/s")
            await _settled(db)
        await load.prepare(requests.policy_news, 10**9, REQUESTS // 5)
        floors["insert"].append(await load.run(insert.port, CONNECTIONS))
        correct = await _all_there(db, new)
        again, same, once = await _duplicates(db, load, bare, subject)
        flooded, alone = await _flooded(load, subject)
    base = typical([s.rate for s in floors["bare"]])
    base_p99 = typical([percentile(s.took, 0.99) for s in floors["bare"]])
    note = (
        f"bare p99 {base_p99 * 1000:.1f} ms; an INSERT a request {floors['insert'][0].rate:,.0f}/s;"
        f" rows gathered {typical([s.rate for s in floors['gathered']]):,.0f}/s;"
        f" beside a flood of forged ones {flooded / alone:.0%} of alone"
    )
    return [
        figure("accept", new, base, correct, note),
        figure("accept_duplicate", again, typical([s.rate for s in same]), once, ""),
    ]


def figure(name: str, samples: list[Sample], base: float, correct: bool, note: str) -> Figure:
    rate = typical([s.rate for s in samples])
    return Figure(
        name,
        rate,
        "requests/s",
        correct,
        base,
        rate / base,
        typical([percentile(s.took, 0.5) for s in samples]) * 1000,
        typical([percentile(s.took, 0.99) for s in samples]) * 1000,
        note,
    )


async def _warm(load: Generator, servers: tuple[Server, ...]) -> None:
    await load.prepare(requests.policy_news, 2 * 10**9, 2000)
    for server in servers:
        await load.run(server.port, CONNECTIONS)


async def _settled(db: Database) -> None:
    """Wait a while until what was accepted is also processed, so that rounds do not weigh on each other."""
    async with db.connection() as conn:
        for _ in range(600):
            if not await conn.fetchval("SELECT EXISTS (SELECT FROM coverd.inbox WHERE outcome IS NULL)"):
                return
            await asyncio.sleep(0.1)


async def _all_there(db: Database, samples: list[Sample]) -> bool:
    """Every request was answered 202, and is in the inbox once, byte for byte; nothing else is."""
    async with db.connection() as conn:
        kept, different, size = await conn.fetchrow(
            "SELECT count(*), count(DISTINCT dedupe), min(length(body)) FROM coverd.inbox"
            " WHERE substr(dedupe, 15)::bigint < 1000000000"
        )
    asked = ROUNDS * REQUESTS
    ids = {body for sample in samples for body in sample.bodies}
    answered = all(sample.statuses == {202: REQUESTS} for sample in samples)
    return answered and kept == different == len(ids) == asked and size == requests.SIZE


async def _duplicates(
    db: Database, load: Generator, bare: Server, subject: Server
) -> tuple[list[Sample], list[Sample], bool]:
    async with db.connection() as conn:
        before = await conn.fetchval("SELECT count(*) FROM coverd.inbox")
        await load.prepare(requests.again, 0, DUPLICATES, REQUESTS // DUPLICATES)
        again, same = [], []
        for _ in range(ROUNDS):
            same.append(await load.run(bare.port, CONNECTIONS))
            again.append(await load.run(subject.port, CONNECTIONS))
        after = await conn.fetchval("SELECT count(*) FROM coverd.inbox")
    return again, same, before == after and all(s.statuses == {200: REQUESTS} for s in again)


async def _flooded(load: Generator, subject: Server) -> tuple[float, float]:
    """The rate of good deliveries: beside many connections that send forged ones, and alone, in turns."""
    alone, beside = list[float](), list[float]()
    async with _second() as flood:
        for number in range(FLOODS):
            await load.prepare(requests.policy_news, (4 + 2 * number) * 10**9, REQUESTS // 8)
            alone.append((await load.run(subject.port, 4)).rate)
            await load.prepare(requests.policy_news, (5 + 2 * number) * 10**9, REQUESTS // 8)
            await flood.prepare(requests.forged, 3 * 10**9, FORGED)
            forging = asyncio.create_task(flood.run(subject.port, FORGERS))
            beside.append((await load.run(subject.port, 4)).rate)
            await forging
    return typical(beside), typical(alone)


@asynccontextmanager
async def _second() -> AsyncIterator[Generator]:
    load = Generator()
    try:
        yield load
    finally:
        await load.close()
