"""Folding a new revision from the beginning of the log: many buckets a transaction, written by COPY.

It only saves time. What it cannot do it leaves to `step`: buckets that have begun or are too long, and those
beside one in which an event cannot be applied.
"""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

from projections import feed
from projections.errors import FeedGap
from projections.feed import Moved, Told
from projections.projection import Rebuildable
from projections.statements import sql
from projections.step import passing

if TYPE_CHECKING:
    from projections.statements import Connection, Pool

_EVENTS = 20_000
"""About so many events are folded before their rows are written."""

_LEAST, _PARTS = 250_000, 8
"""So many events, or this part of the log where it is more, are read and kept in one transaction: a good part
of a table is read as it lies and then sorted, without a look into the index for each event."""

_MOST = 200_000
"""A bucket with more is not folded in one piece: its rows are held in memory until then."""

_PAGE = 2_000
_WORKERS = 2
"""While Postgres reads and writes for one, the other folds."""

Place = tuple[int, int]
_Item = TypeVar("_Item")


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
    parts = iter(_parts(_chunks([bucket for bucket in behind if bucket.head <= _MOST])))
    done = 0

    async def work() -> None:
        nonlocal done
        async with pool.acquire() as conn:
            for part in parts:  # the workers share them
                if not await _fill(conn, filling, part):
                    for chunk in part:
                        await _fill(conn, filling, [chunk])
                done += sum(map(len, part))
                say(done)

    ends = await asyncio.gather(*(work() for _ in range(_WORKERS)), return_exceptions=True)
    for problem in ends:
        if problem is not None:
            raise problem


_Chunk = Sequence[Moved]


def _chunks(behind: Sequence[Moved]) -> Iterator[_Chunk]:
    return _grouped(behind, lambda bucket: bucket.head, _EVENTS)


def _parts(chunks: Iterator[_Chunk]) -> Iterator[Sequence[_Chunk]]:
    known = list(chunks)
    return _grouped(known, _size, max(_LEAST, sum(map(_size, known)) // _PARTS))


def _size(chunk: _Chunk) -> int:
    return sum(bucket.head for bucket in chunk)


def _grouped(items: Sequence[_Item], size: Callable[[_Item], int], most: int) -> Iterator[Sequence[_Item]]:
    """Neighbours whose sizes are ``most`` together, or one that is larger alone."""
    group: list[_Item] = []
    for item in items:
        if group and sum(map(size, group)) + size(item) > most:
            yield group
            group = []
        group.append(item)
    if group:
        yield group


async def _fill(conn: "Connection", filling: Filling, part: Sequence[_Chunk]) -> bool:
    """False, and nothing of these buckets kept, where an event cannot be applied or is missing."""
    try:
        async with conn.transaction():
            # Nothing of it counts until the revision serves, and the commit that says so waits for this too.
            await conn.execute("SET LOCAL synchronous_commit = off")
            await conn.execute("SET LOCAL work_mem = '64MB'")
            buckets = part[0][0].bucket, part[-1][-1].bucket
            reader = _Reader(await conn.cursor(sql("events_between"), *buckets), filling.skipped)
            for chunk in part:
                await _fill_chunk(conn, filling, chunk, reader)
    except Exception as problem:
        if passing(problem):
            raise
        return False
    return True


async def _fill_chunk(conn: "Connection", filling: Filling, chunk: _Chunk, reader: "_Reader") -> None:
    read = {bucket.bucket: _Read() for bucket in chunk}
    await filling.projection.fill(conn, filling.revision, reader.streams(read))
    for bucket in chunk:
        read[bucket.bucket].refuse_gap(bucket)
    places = [str(bucket) for bucket in read], [str(one.last) for one in read.values()]
    moved = await conn.fetchval(
        sql("filled"), filling.projection.name, filling.revision, *places, filling.now()
    )
    if moved != len(chunk):
        raise RuntimeError("a revision being filled was moved by somebody else")


@dataclass(slots=True)
class _Read:
    """How many events of a bucket were read, and the last position among them."""

    count: int = 0
    last: int = 0

    def add(self, rows: "Sequence[feed.Row]") -> None:
        self.count += len(rows)
        self.last = max(self.last, *(row["position"] for row in rows))

    def refuse_gap(self, bucket: Moved) -> None:
        """Raises `FeedGap`. No position comes twice: where the last is their count, none is missing."""
        if self.count != self.last or self.last < bucket.head:
            raise FeedGap(bucket=bucket.bucket, position=self.count + 1)


class _Reader:
    """Reads on in events_between.sql, some buckets at a time."""

    def __init__(self, cursor: Any, skipped: Collection[Place]) -> None:
        self._cursor = cursor
        self._skipped = skipped
        self._rows: Sequence[feed.Row] = []

    async def streams(self, read: dict[int, _Read]) -> AsyncIterator[Sequence[Told]]:
        """Each stream of the buckets in ``read``, where it is noted what was read of each bucket."""
        last: list[Told] = []
        async for page in self._pages(read):
            for _, told in groupby(page, key=attrgetter("stream_id")):
                events = list(told)
                if last and last[0].stream_id == events[0].stream_id:
                    last += events
                    continue
                if last:
                    yield last
                last = events
        if last:
            yield last

    async def _pages(self, read: dict[int, _Read]) -> AsyncIterator[Sequence[Told]]:
        end_of = max(read)
        while self._rows or (rows := await self._cursor.fetch(_PAGE)):
            rows, self._rows = self._rows or rows, []
            end = bisect_right(rows, end_of, key=itemgetter("bucket"))
            for bucket, mine in groupby(rows[:end], key=itemgetter("bucket")):
                if bucket in read:  # and not between those to be filled
                    yield self._told(read[bucket], list(mine))
            if end < len(rows):
                self._rows = rows[end:]
                return

    def _told(self, read: _Read, rows: "Sequence[feed.Row]") -> Sequence[Told]:
        read.add(rows)
        if self._skipped:
            rows = [row for row in rows if (row["bucket"], row["position"]) not in self._skipped]
        return list(map(feed.told, rows))
