"""The log as projections read it: which buckets moved, and their events in order without a hole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from domain.codec import event_from
from domain.recorded import Recorded
from projections.errors import FeedGap
from projections.statements import sql

if TYPE_CHECKING:
    from projections.statements import Connection, Reader


@dataclass(frozen=True, slots=True)
class Moved:
    """A bucket in which this revision may go on from its checkpoint to ``head``."""

    bucket: int
    revision: int
    head: int


@dataclass(frozen=True, slots=True)
class Stored:
    """An event as it lies in the log, its ``data`` still JSON text."""

    stream_id: str
    bucket: int
    version: int
    position: int
    type: str
    recorded_at: datetime
    effective_at: int
    cause: str
    correlation: str
    actor: str
    data: str
    hash: bytes

    def decoded(self) -> Recorded:
        """Raises KeyError for a type nobody knows and `msgspec.ValidationError` for data that doesn't fit."""
        return Recorded(
            self.stream_id,
            self.bucket,
            self.version,
            self.position,
            self.type,
            event_from(self.type, msgspec.json.decode(self.data)),
            self.recorded_at,
            self.effective_at,
            self.cause,
            self.correlation,
            self.actor,
            self.hash,
        )


async def moved(
    conn: "Reader", projection: str, revision: int | None = None, follows: Sequence[str] = ()
) -> list[Moved]:
    """The buckets this projection is behind in; stopped ones are left out.

    Without ``revision`` it is the one that serves now. ``follows`` names those it may not overtake.
    """
    rows = await conn.fetch(sql("moved"), projection, revision, list(follows))
    return [Moved(row["bucket"], row["revision"], row["head"]) for row in rows]


async def read(conn: "Connection", bucket: int, after: int, head: int, limit: int) -> Sequence[Stored]:
    """Up to ``limit`` events after a position, none beyond ``head``, to where the log is known to reach.

    Raises `FeedGap` where a position is missing: positions are numbered under the bucket's lock, which
    is held until commit, so what is missing now will never come.
    """
    count = min(limit, head - after)
    rows = await conn.fetch(sql("events"), bucket, after, count)
    events = [Stored(**row) for row in rows]
    for expected, event in enumerate(events, start=after + 1):
        if event.position != expected:
            raise FeedGap(bucket=bucket, position=expected)
    if len(events) < count:
        raise FeedGap(bucket=bucket, position=after + len(events) + 1)
    return events
