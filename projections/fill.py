"""Folding a new revision from the beginning of the log: many buckets a transaction, written by COPY.

It only saves time. What it cannot do it leaves to `step`: buckets that have begun or are too long, and all of
a transaction in which one event cannot be applied.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from projections import feed
from projections.errors import FeedGap
from projections.feed import Moved, Told
from projections.projection import Rebuildable
from projections.statements import sql
from projections.step import passing

if TYPE_CHECKING:
    from projections.statements import Connection, Pool

_EVENTS = 20_000
"""About so many events make a transaction."""

_MOST = 200_000
"""A bucket with more is not folded in one piece: its rows are held in memory until then."""

_PAGE = 2_000
_WORKERS = 2
"""While Postgres reads and writes for one, the other folds."""

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Filling:
    """Of ``revision``, which is new; without the events ``skipped``, by bucket and position."""

    projection: Rebuildable
    revision: int
    skipped: Collection[Place]
    now: Callable[[], datetime]


async def fill(
    pool: "Pool",
    projection: Rebuildable,
    revision: int,
    now: Callable[[], datetime],
    say: Callable[[int], None],
) -> None:
    """Fold what the log holds now, over two connections; ``say`` is told how many buckets were looked at."""
    rows = await pool.fetch(sql("all_skipped"), projection.name)
    filling = Filling(projection, revision, {(row["bucket"], row["position"]) for row in rows}, now)
    behind = await feed.moved(pool, projection.name, revision, projection.follows)
    chunks = _chunks([bucket for bucket in behind if bucket.head <= _MOST])
    done = 0

    async def work() -> None:
        nonlocal done
        async with pool.acquire() as conn:
            for chunk in chunks:  # the workers share them
                with suppress(_Left):
                    await _fill(conn, filling, chunk)
                done += len(chunk)
                say(done)

    ends = await asyncio.gather(*(work() for _ in range(_WORKERS)), return_exceptions=True)
    for problem in ends:
        if problem is not None:
            raise problem


def _chunks(behind: Sequence[Moved]) -> Iterator[Sequence[Moved]]:
    chunk: list[Moved] = []
    size = 0
    for bucket in behind:
        if chunk and size + bucket.head > _EVENTS:
            yield chunk
            chunk, size = [], 0
        chunk.append(bucket)
        size += bucket.head
    if chunk:
        yield chunk


class _Left(Exception):
    """Nothing of these buckets was kept: an event cannot be applied, or is missing."""


async def _fill(conn: "Connection", filling: Filling, chunk: Sequence[Moved]) -> None:
    try:
        await _fill_all(conn, filling, chunk)
    except Exception as problem:
        if passing(problem):
            raise
        raise _Left from problem


async def _fill_all(conn: "Connection", filling: Filling, chunk: Sequence[Moved]) -> None:
    reached = {bucket.bucket: 0 for bucket in chunk}
    async with conn.transaction():
        # Nothing of it counts until the revision serves, and the commit that says so waits for this one too.
        await conn.execute("SET LOCAL synchronous_commit = off")
        await filling.projection.fill(conn, filling.revision, _pages(conn, filling, reached))
        for bucket in chunk:
            if reached[bucket.bucket] < bucket.head:
                raise FeedGap(bucket=bucket.bucket, position=reached[bucket.bucket] + 1)
        places = [list(map(str, column)) for column in zip(*reached.items(), strict=True)]
        name = filling.projection.name
        moved = await conn.fetchval(sql("filled"), name, filling.revision, *places, filling.now())
        if moved != len(chunk):
            raise RuntimeError("a revision being filled was moved by somebody else")


async def _pages(
    conn: "Connection", filling: Filling, reached: dict[int, int]
) -> AsyncIterator[Sequence[Told]]:
    cursor = await conn.cursor(sql("events_between"), min(reached), max(reached))
    while rows := await cursor.fetch(_PAGE):
        yield _taken(rows, filling, reached)


def _taken(rows: "Sequence[feed.Row]", filling: Filling, reached: dict[int, int]) -> Sequence[Told]:
    taken = []
    for row in rows:
        bucket, position = row["bucket"], row["position"]
        if bucket not in reached:
            continue  # it lies between those to be filled
        if position != reached[bucket] + 1:
            raise FeedGap(bucket=bucket, position=reached[bucket] + 1)
        reached[bucket] = position
        if (bucket, position) not in filling.skipped:
            taken.append(feed.told(row))
    return taken
