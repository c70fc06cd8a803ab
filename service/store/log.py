"""Reading the log of many buckets once and in order, for whoever checks it."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Protocol

from service.store.chain import Fault
from service.store.statements import sql

if TYPE_CHECKING:
    import asyncpg

    from service.store.lines import Connection

PAGE = 2000
PATIENCE = 1800.0
"""Seconds for one page; the first waits until the range is sorted."""

_LEAST = 125_000
_PARTS = 8


class Check(Protocol):
    """What is looked for in one bucket."""

    def add(self, rows: "Iterable[asyncpg.Record]") -> None:
        """The next events of the bucket, in the statement's order; the bucket stands first in each."""
        ...

    async def end(self, conn: "Connection") -> Sequence[Fault]:
        """What was found, once all its events were added; in the snapshot in which they were read."""
        ...


def ranges(heads: Mapping[int, int]) -> list[tuple[int, int]]:
    """The first and last buckets of ranges to read in one piece, from how far each bucket reaches.

    A range that holds a good part of the log is read as the table lies and then sorted. That takes a third of
    the time that a look into the index for each event takes.
    """
    most = max(_LEAST, sum(heads.values()) // _PARTS)
    found: list[tuple[int, int]] = []
    size = most + 1
    for bucket in sorted(heads):
        if size + heads[bucket] > most:
            found.append((bucket, bucket))
            size = 0
        found[-1] = found[-1][0], bucket
        size += heads[bucket]
    return found


async def look_through(
    conn: "Connection", statement: str, buckets: tuple[int, int], begin: Callable[[int], Check]
) -> list[Fault]:
    """What the checks find in these buckets, as they were when it began: an append meanwhile is no fault."""
    found: list[Fault] = []
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        await conn.execute("SET LOCAL work_mem = '64MB'")
        await conn.execute("SET LOCAL statement_timeout = 0")
        heads = await conn.fetch(sql("heads_of_buckets"))
        unseen = {row["bucket"] for row in heads if buckets[0] <= row["bucket"] <= buckets[1]}
        bucket, check = -1, None
        cursor: Any = await conn.cursor(sql(statement), *buckets)
        while page := await cursor.fetch(PAGE, timeout=PATIENCE):
            for here, rows in _by_bucket(page):
                if check is None or here != bucket:
                    found += await check.end(conn) if check else ()
                    bucket, check = here, begin(here)
                    unseen.discard(here)
                check.add(rows)
        found += await check.end(conn) if check else ()
        for empty in sorted(unseen):
            found += await begin(empty).end(conn)
    return found


def _by_bucket(page: "Sequence[asyncpg.Record]") -> "Iterator[tuple[int, Sequence[asyncpg.Record]]]":
    begin = 0
    while begin < len(page):
        bucket = page[begin][0]
        end = bisect_right(page, bucket, begin, key=itemgetter(0))
        yield bucket, page[begin:end]
        begin = end
