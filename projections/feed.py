"""The log as projections read it: which buckets moved, and their events in order without a hole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from domain.codec import event_of
from domain.evolve import Entry
from projections.errors import FeedGap
from projections.statements import sql

if TYPE_CHECKING:
    import asyncpg

    from projections.statements import Connection, Reader

    Row = asyncpg.Record


@dataclass(frozen=True, slots=True)
class Moved:
    """A bucket in which this revision may go on from its checkpoint to ``head``."""

    bucket: int
    revision: int
    head: int


class Told(Entry, frozen=True):
    """An event as read models are told of it: what they may build on, and no more."""

    stream_id: str
    bucket: int
    position: int
    type: str
    recorded_at: datetime


def told(row: "Row") -> Told:
    """A row of events.sql.

    Raises KeyError for a type nobody knows and `msgspec.ValidationError` for data that doesn't fit.
    """
    stream_id, version, position, type_, recorded_at, effective_at, data, bucket = row
    event = event_of(type_, data)
    return Told(version, effective_at, event, stream_id, bucket, position, type_, recorded_at)


async def moved(
    conn: "Reader", projection: str, revision: int | None = None, follows: Sequence[str] = ()
) -> list[Moved]:
    """The buckets this projection is behind in; stopped ones are left out.

    Without ``revision`` it is the one that serves now. ``follows`` names those it may not overtake.
    """
    rows = await conn.fetch(sql("moved"), projection, revision, list(follows))
    return [Moved(row["bucket"], row["revision"], row["head"]) for row in rows]


async def read(conn: "Connection", bucket: int, after: int, head: int, limit: int) -> "Sequence[Row]":
    """Up to ``limit`` events after a position, none beyond ``head``, to where the log is known to reach.

    Raises `FeedGap` where a position is missing: positions are numbered under the bucket's lock, which
    is held until commit, so what is missing now will never come.
    """
    count = min(limit, head - after)
    rows = await conn.fetch(sql("events"), bucket, after, count)
    refuse_gap(bucket, after, rows)
    if len(rows) < count:
        raise FeedGap(bucket=bucket, position=after + len(rows) + 1)
    return rows


def refuse_gap(bucket: int, after: int, rows: "Sequence[Row]") -> None:
    """Raises `FeedGap` where one is missing between ``after`` and the last of these."""
    if rows and rows[-1]["position"] != after + len(rows):  # none comes twice, so one is missing
        places = enumerate((row["position"] for row in rows), start=after + 1)
        raise FeedGap(bucket=bucket, position=next(due for due, found in places if found != due))
