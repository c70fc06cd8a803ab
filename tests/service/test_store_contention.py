"""Many processes at the same streams: no deadlock, nothing written twice, every effect done once."""

import asyncio
import random
from contextlib import AsyncExitStack

import asyncpg
from contracts.given import NOON, append, neighbours

from domain import events as e
from domain.effects import WakeUp, Wanted
from domain.ids import bucket_of
from service.ports import EffectDone
from service.store.postgres import PostgresStore

STREAMS = [f"engagement:{number}" for number in range(6)] + neighbours(6, of="engagement:0")
PROCESSES, ROUNDS = 4, 25


async def test_writers_and_workers_get_along(database_url):
    async with AsyncExitStack() as stack:
        stores = [
            await PostgresStore.open(database_url, lambda: NOON, connections=3) for _ in range(PROCESSES)
        ]
        for store in stores:
            stack.push_async_callback(store.close)
        writing = asyncio.gather(*(write(store, n) for n, store in enumerate(stores)))
        done = await asyncio.gather(*(work(store, writing) for store in stores))
        written = await writing
        for bucket in {bucket_of(stream) for stream in STREAMS}:
            assert await stores[0].verify_buckets(bucket, bucket) == []

    owner = await asyncpg.connect(database_url)
    events = await owner.fetchval("SELECT count(*) FROM coverd.event WHERE type = 'JobCreated'")
    effects = await owner.fetchval("SELECT count(*) FROM coverd.effect WHERE result = 'done'")
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert sum(written) == events > len(STREAMS)
    assert sum(done) == effects == events, "each event asked for one effect"
    assert await owner.fetchval(deadlocks) == 0
    await owner.close()


async def write(store: PostgresStore, process: int) -> int:
    """Appends to every stream at once in an order of its own; the losers of a race let it be."""
    chance = random.Random(process)
    won = 0
    for turn in range(ROUNDS):
        order = chance.sample(STREAMS, len(STREAMS))
        heads = await asyncio.gather(*(store.head(stream) for stream in order))
        commands = [
            append(
                e.JobCreated("j"),
                stream=head.stream_id,
                expected=head.version,
                cause=f"{process}-{turn}",
                effects=(Wanted(f"wake:{process}:{turn}", 1, WakeUp(0), "k"),),
                lookups=(("policy", f"p_{turn % 3}"),),
            )
            for head in heads
        ]
        outcomes = await asyncio.gather(*(store.append(one) for one in commands))
        won += sum(outcome.outcome == "appended" for outcome in outcomes)
    return won


async def work(store: PostgresStore, writing: "asyncio.Future[list[int]]") -> int:
    """Claims and settles until nobody writes and nothing is due."""
    done = 0
    while not writing.done() or await store.next_due() == NOON:
        claimed = await store.claim(20, 60, NOON)
        for one in claimed:
            settled = None
            while settled is None or settled.outcome == "conflict":
                head = await store.head(one.stream_id)
                settled = await store.append(
                    append(
                        e.OptInNoted(),
                        stream=one.stream_id,
                        expected=head.version,
                        cause=f"effect:{one.step}",
                        settles=EffectDone(one.stream_id, one.step, one.generation, one.fence, "done"),
                    )
                )
            assert settled.outcome == "appended"
            done += 1
    return done
