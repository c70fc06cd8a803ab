"""Writes the log, or the public feed, as lines of JSON: from a place, to where it reached at the start.

It reads page by page and keeps nothing, so its memory does not grow with the log.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING

from domain.errors import CoverdError
from service.api.feed import cursor_of, seq_of
from service.audit.lines import Header, event_line, header_line
from service.clock import Clock, rfc3339
from service.store.statements import sql

if TYPE_CHECKING:
    import asyncpg

    Connection = asyncpg.Connection[asyncpg.Record]

PAGE = 500


class NotExportable(CoverdError):
    """{why}"""


async def log_header(
    conn: "Connection", clock: Clock, begin: Mapping[int, int], buckets: Sequence[int] | None = None
) -> Header:
    """Of all buckets or of these, behind the positions of ``begin``. Raises `NotExportable`."""
    heads = {row["bucket"]: row["position"] for row in await conn.fetch(sql("heads_of_buckets"))}
    chosen = sorted(heads) if buckets is None else sorted(set(buckets) & heads.keys())
    for bucket in chosen:
        if begin.get(bucket, 0) > heads[bucket]:
            raise NotExportable(why=f"Bucket {bucket} has reached only position {heads[bucket]}.")
    end = {str(b): heads[b] for b in chosen if heads[b] > begin.get(b, 0)}
    kept = {b: begin[int(b)] for b in end if begin.get(int(b))}
    return Header(1, "log", rfc3339(clock()) or "", kept, end)


async def feed_header(conn: "Connection", clock: Clock, cursor: str | None) -> Header:
    """Behind ``cursor``, as the feed's events name them. Raises `NotExportable`."""
    reached = await conn.fetchval("SELECT seq FROM coverd.feed_head")
    after = 0 if cursor is None else seq_of(cursor)
    if after is None or after > reached:
        raise NotExportable(why="This cursor is not one of the feed's.")
    return Header(1, "feed", rfc3339(clock()) or "", cursor_of(after), cursor_of(reached))


async def pages(conn: "Connection", header: Header, reached: "Place | None" = None) -> AsyncIterator[bytes]:
    """The lines of an export, some at a time: the first one, or what follows behind ``reached``."""
    if reached is None:
        yield header_line(header)
    if header.of == "log":
        async for page in _log(conn, header, reached):
            yield page
    else:
        async for page in _feed(conn, header, reached):
            yield page


Place = tuple[int, int] | str
"""Where an export was broken off: a bucket and a position in it, or the cursor of the feed."""


async def _log(conn: "Connection", header: Header, reached: Place | None) -> AsyncIterator[bytes]:
    done_bucket, done_position = reached if isinstance(reached, tuple) else (-1, 0)
    for bucket, (begin, end) in sorted(header.buckets.items()):
        if bucket < done_bucket:
            continue
        after = done_position if bucket == done_bucket else begin
        while after < end:
            rows = await conn.fetch(sql("export_log"), bucket, after, end, PAGE)
            if not rows or rows[-1]["position"] != after + len(rows):
                raise NotExportable(why=f"Bucket {bucket} has a hole after position {after}: coverd verify.")
            after += len(rows)
            yield b"".join([event_line(row) for row in rows])


async def _feed(conn: "Connection", header: Header, reached: Place | None) -> AsyncIterator[bytes]:
    assert isinstance(header.begin, str)
    assert isinstance(header.end, str)
    after = seq_of(reached if isinstance(reached, str) else header.begin) or 0
    end = seq_of(header.end) or 0
    while after < end:
        rows = await conn.fetch(sql("export_feed"), after, end, PAGE)
        if not rows or rows[-1]["seq"] != after + len(rows):
            raise NotExportable(why=f"The feed has a hole after {after}: coverd verify.")
        after += len(rows)
        yield b"".join([event_line(row, cursor_of(row["seq"])) for row in rows])
