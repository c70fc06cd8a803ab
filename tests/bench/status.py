"""status: how quickly `GET /v1/engagements/{id}` answers, whole and as 304, and whether it is ever stale."""

import asyncio
from collections.abc import Callable

import aiohttp
import orjson

from bench import requests
from bench.accept import CONNECTIONS, ROUNDS, figure
from bench.fill import fill, ids
from bench.load import Generator, Sample
from bench.processes import Database, Server, coverd, floor
from bench.report import Figure, typical
from domain.commands import NoteOptIn
from domain.rules import Rules
from service.clock import epoch, utc_now
from service.handle import Handler, Origin
from service.store.postgres import PostgresStore

REQUESTS = 20_000
ENGAGEMENTS = 10_000
WRITES = 200


async def run(db: Database, load: Generator, say: Callable[[str], None]) -> list[Figure]:
    await fill(db, ENGAGEMENTS, say)
    known = ids(ENGAGEMENTS)
    async with floor("read", db.dsn) as bare, coverd(db, role="web") as subject:
        tags = await _tags(subject, known)
        floors, whole, unchanged = [], [], []
        await load.prepare(requests.statuses, known, REQUESTS, 0)
        for server in (bare, subject):
            await load.run(server.port, CONNECTIONS)
        for number in range(ROUNDS):
            await load.prepare(requests.statuses, known, REQUESTS, number)
            floors.append(await load.run(bare.port, CONNECTIONS))
            whole.append(await load.run(subject.port, CONNECTIONS, keep=True))
            await load.prepare(requests.statuses, known, REQUESTS, number, tags)
            unchanged.append(await load.run(subject.port, CONNECTIONS))
            say(
                f"status, round {number + 1}: {whole[-1].rate:,.0f}/s, 304 {unchanged[-1].rate:,.0f}/s;"
                f" floor {floors[-1].rate:,.0f}/s"
            )
        stale = await _stale(db, load, subject, known)
    base = typical([s.rate for s in floors])
    note = f"{WRITES} writes by another process under this load, {stale} of them answered stale"
    right = _right(whole, known) and not stale
    same = all(sample.statuses == {304: REQUESTS} for sample in unchanged)
    return [
        figure("status", whole, base, right, note),
        figure("status_304", unchanged, base, same, "floor: the same read, answered whole"),
    ]


async def _tags(subject: Server, known: list[str]) -> list[str]:
    """The engagements' tags now; asking for all of them fills whatever cache there is."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{subject.port}") as session:

        async def tag(id: str) -> str:
            async with session.get(f"/v1/engagements/{id}") as answer:
                return answer.headers["ETag"]

        return await asyncio.gather(*map(tag, known))


def _right(samples: list[Sample], known: list[str]) -> bool:
    """Every answer is 200 and whole, about an engagement that was asked for and in a state it can have."""
    allowed = set(known)
    answers = [orjson.loads(body) for sample in samples for body in sample.bodies]
    return all(sample.statuses == {200: REQUESTS} for sample in samples) and all(
        found["engagement_id"] in allowed and found["state"] in STATES for found in answers
    )


STATES = {"insured", "awaiting_opt_in", "ended", "contractor_ready"}


async def _stale(db: Database, load: Generator, subject: Server, known: list[str]) -> int:
    """How many writes committed by another process were not in the answer asked for right after them."""
    store = await PostgresStore.open(db.dsn, utc_now)
    handler, stale = Handler(store, Rules), 0
    await load.prepare(requests.statuses, known, REQUESTS, 99)
    loaded = asyncio.create_task(load.run(subject.port, CONNECTIONS))
    waiting = [id for n, id in enumerate(known) if 89 <= n % 100 < 95]
    async with aiohttp.ClientSession(f"http://127.0.0.1:{subject.port}") as session:
        for id in waiting[:WRITES]:
            origin = Origin(f"bench:{id}", "bench", "bench")
            written = await handler.engagement(id, NoteOptIn(epoch(utc_now())), origin)
            async with session.get(f"/v1/engagements/{id}") as answer:
                shown = await answer.json()
            stale += not (written.new and shown["version"] == written.after.version)
    await loaded
    await store.close()
    return stale
