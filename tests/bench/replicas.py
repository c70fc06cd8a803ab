"""replicas: the whole job done by one process, and by two that share the database and nothing else."""

import asyncio
import time
from collections.abc import Callable, Sequence

from bench import requests
from bench.load import Generator
from bench.processes import Database, Server, served, vendors
from bench.report import Figure, percentile, typical
from bench.whole_job import CONNECTIONS, LOOK_EVERY, PATIENCE, TIMES, _insured, _right, vendor_set

ENGAGEMENTS = 1000
ROUNDS = 3


async def run(db: Database, load: Generator, say: Callable[[str], None]) -> list[Figure]:
    other, alone, both, took, shares = Generator(), list[float](), list[float](), list[float](), list[float]()
    try:
        async with vendors() as vendor, served(db, vendor, UNPACED="1") as first:
            await vendor_set(vendor, first.port)
            for number in range(ROUNDS + 1):  # the first warms everything up
                place = 50_000_000 + number * 10 * ENGAGEMENTS
                rate, _ = await _through(db, [load], [first], place)
                async with served(db, vendor, UNPACED="1") as second:
                    used = first.cpu_seconds(), second.cpu_seconds()
                    together, times = await _through(db, [load, other], [first, second], place + ENGAGEMENTS)
                    spent = first.cpu_seconds() - used[0], second.cpu_seconds() - used[1]
                say(f"replicas: one {rate:,.0f}/s, two {together:,.0f}/s")
                if number:
                    alone.append(rate)
                    both.append(together)
                    shares.append(spent[1] / sum(spent))
                    took += times
            right = await _right(db)
    finally:
        await other.close()
    one, two = typical(alone), typical(both)
    return [
        Figure(
            "replicas",
            two,
            "engagements/s",
            right and len(took) == ROUNDS * ENGAGEMENTS,
            one,
            two / one,
            percentile(took, 0.5) * 1000,
            percentile(took, 0.99) * 1000,
            f"floor: one process; of the CPU of both the second used {typical(shares):.0%}",
        )
    ]


async def _through(
    db: Database, loads: Sequence[Generator], servers: Sequence[Server], first: int
) -> tuple[float, list[float]]:
    """Engagements a second until all are insured, told in equal parts; and how long each took."""
    part = ENGAGEMENTS // len(servers)
    for place, load in enumerate(loads):
        await load.prepare(requests.offers, first + place * part, part)
    began = time.monotonic()
    sent = await asyncio.gather(
        *(
            load.run(server.port, CONNECTIONS // len(servers))
            for load, server in zip(loads, servers, strict=True)
        )
    )
    assert all(sample.statuses == {202: part} for sample in sent), [sample.statuses for sample in sent]
    span = f"engagement:{first}", f"engagement:{first + ENGAGEMENTS}"
    async with db.connection() as conn:
        while await _insured(conn, *span) < ENGAGEMENTS:
            if time.monotonic() - began > PATIENCE:
                raise TimeoutError("not all were insured in time")
            await asyncio.sleep(LOOK_EVERY)
        rows = await conn.fetch(TIMES, *span)
    seconds = max(row["ended"] for row in rows) - min(row["began"] for row in rows)
    return ENGAGEMENTS / seconds, [row["ended"] - row["began"] for row in rows]
