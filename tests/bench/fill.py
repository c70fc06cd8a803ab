"""Fills a database with whole engagements, as appends would have left them, by COPY."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from bench.lives import NUMBER, Life, Told, lives
from bench.processes import Database
from domain.ids import bucket_of, engagement_stream
from service.store.arrivals import Arrivals
from service.store.chain import START, Link, event_hash

WAVE = 5000
"""So many engagements live at once."""

BETWEEN = 3
"""Seconds between the beginnings of two of them: ten million a year. What follows at once upon an event lies
near it in the log, among what befalls the neighbours; what comes days later lies far off."""

FIRST = 10_000_000
"""The number of the first; all have as many digits."""

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = {
    "contractor": "cn_",
    "job": "jb_",
    "quote": "qt_",
    "session": "as_",
    "policy": "pl_",
    "certificate": "ce_",
    "freelancer": "fl_",
}

EVENTS = (
    *("bucket", "stream_id", "version", "position", "type", "schema", "effective_at", "recorded_at"),
    *("cause", "correlation", "actor", "data", "hash"),
)


def ids(count: int) -> list[str]:
    """The engagements of a database filled with so many."""
    return [str(FIRST + n) for n in range(count)]


async def fill(db: Database, count: int, say: Callable[[str], None], already: int = 0) -> int:
    """Bring a database that holds ``already`` engagements to ``count``; how many events were added."""
    added = 0
    async with db.connection() as conn:
        positions = defaultdict(int, await conn.fetch("SELECT bucket, position FROM coverd.bucket_head"))
        templates = lives()
        for first in range(already, count, WAVE):
            wave = [_One(FIRST + n, templates[n % 100]) for n in range(first, min(first + WAVE, count))]
            added += await _write(conn, wave, positions, BEGAN + timedelta(seconds=first))
            if (first + WAVE) % 100_000 == 0:
                say(f"filled with {first + WAVE:,} engagements")
        await conn.execute("ANALYZE")
    return added


class _One:
    """One engagement: its template with its own number put in."""

    def __init__(self, number: int, life: Life) -> None:
        self.number = str(number)
        self.life = life
        self.stream_id = engagement_stream(self.number)
        self.bucket = bucket_of(self.stream_id)
        self.hash = START

    def own(self, text: str) -> str:
        return text.replace(NUMBER, self.number)

    def event(self, version: int, told: Told, position: int, recorded_at: datetime) -> tuple[Any, ...]:
        link = Link(
            self.stream_id,
            version,
            position,
            told.type,
            1,
            told.at,
            recorded_at,
            self.own(told.cause),
            f"delivery-{self.number}",
            "coverd",
            self.own(told.data),
            b"",
        )
        self.hash = event_hash(self.hash, link)
        return (
            *(self.bucket, link.stream_id, version, position, told.type, 1, told.at, recorded_at),
            *(link.cause, link.correlation, link.actor, link.data, self.hash),
        )


async def _write(
    conn: "asyncpg.Connection[asyncpg.Record]",
    wave: Sequence[_One],
    positions: dict[int, int],
    at: datetime,
) -> int:
    async with conn.transaction():
        events = list(_events(wave, positions, at))
        await _copy(conn, "event", EVENTS, events)
        heads = (
            (
                one.bucket,
                one.stream_id,
                len(one.life.events),
                one.life.state,
                one.own(one.life.status),
                one.hash,
                at,
            )
            for one in wave
        )
        columns = ("bucket", "stream_id", "version", "state", "status", "head_hash", "updated_at")
        await _copy(conn, "stream", columns, heads)
        causes = {(one.bucket, one.stream_id, one.own(t.cause)) for one in wave for t in one.life.events}
        await _copy(conn, "accepted", ("bucket", "stream_id", "cause"), sorted(causes))
        await _copy(conn, "vendor_id", ("bucket", "kind", "id", "stream_id"), _look_ups(wave))
        await _copy(conn, "effect", EFFECTS, _effects(wave, at))
        await _copy(conn, "inbox", INBOX, _deliveries(wave, at))
        await conn.executemany(
            "UPDATE coverd.bucket_head SET position = $2, recorded_at = $3 WHERE bucket = $1",
            [(bucket, position, at) for bucket, position in positions.items()],
        )
    return len(events)


def _events(wave: Sequence[_One], positions: dict[int, int], at: datetime) -> Iterator[tuple[Any, ...]]:
    """In the order in which they would come in."""
    versions = [0] * len(wave)
    for _, n in sorted(_times(wave)):
        one = wave[n]
        versions[n] += 1
        positions[one.bucket] += 1
        yield one.event(versions[n], one.life.events[versions[n] - 1], positions[one.bucket], at)


def _times(wave: Sequence[_One]) -> Iterator[tuple[int, int]]:
    """When something happens, and to which of them: once for each event."""
    for n, one in enumerate(wave):
        begins = n * BETWEEN - one.life.events[0].at
        yield from ((begins + told.at, n) for told in one.life.events)


def _look_ups(wave: Sequence[_One]) -> Iterator[tuple[Any, ...]]:
    for one in wave:
        for kind, prefix in KINDS.items():
            id = f"{prefix}{one.number}"
            if id in one.own(one.life.status):
                yield bucket_of(f"{kind}:{id}"), kind, id, one.stream_id


STEPS = ("read", "contractor", "job", "quote", "session", "share-opt-in")
EFFECTS = (
    *("bucket", "stream_id", "step", "generation", "channel", "kind", "payload", "key", "correlation"),
    *("fence", "attempt", "done_at", "result", "created_at"),
)


def _effects(wave: Sequence[_One], at: datetime) -> Iterator[tuple[Any, ...]]:
    payload = '{"description":"' + "x" * 200 + '"}'
    for one in wave:
        for step in STEPS[: len(one.life.events) - 3]:
            key = f"upwork-contract-{one.number}-{step}"
            yield (
                *(one.bucket, one.stream_id, step, 1, "1099policy", "CreateJob", payload, key, "delivery"),
                *(1, 1, at, "done", at),
            )


INBOX = (
    *("bucket", "arrival", "source", "dedupe", "body", "headers", "verdict", "received_at", "attempt"),
    *("type", "outcome", "streams", "processed_at"),
)


def _deliveries(wave: Sequence[_One], at: datetime) -> Iterator[tuple[Any, ...]]:
    arrivals, body = Arrivals(), b"x" * 1500
    for one in wave:
        for type in ("offer.accepted", "policy.active"):
            dedupe = f"body:evt_{type}_{one.number}"
            yield (
                *(
                    bucket_of(f"upwork:{dedupe}"),
                    arrivals.next(at),
                    "upwork",
                    dedupe,
                    body,
                    "{}",
                    "token",
                    at,
                    1,
                ),
                *(type, "applied", [one.stream_id], at),
            )


async def _copy(conn: Any, table: str, columns: Sequence[str], records: Any) -> None:
    await conn.copy_records_to_table(table, schema_name="coverd", columns=columns, records=records)
