"""One step of a projection in one bucket: one transaction that applies events and moves the checkpoint."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import asyncpg
import structlog

from projections import checkpoint, feed
from projections.checkpoint import Checkpoint
from projections.errors import FeedGap
from projections.projection import Projection

if TYPE_CHECKING:
    from projections.statements import Connection

log = structlog.get_logger()

_PASSING = ("08", "0A", "25", "40", "53", "55", "57", "58", "XX")
_WORDS = 500


@dataclass(frozen=True, slots=True)
class Job:
    """What to work on: a bucket of one revision of a projection, known to reach to ``head``."""

    projection: Projection
    at: Checkpoint
    head: int
    wait: bool
    now: Callable[[], datetime]


class _Unapplied(Exception):
    """Nothing of the ``count`` events after ``position`` was kept: one of them cannot be applied."""

    def __init__(self, position: int, count: int, words: str) -> None:
        super().__init__(words)
        self.position = position
        self.count = count
        self.words = words


async def drain(conn: "Connection", job: Job, batch: int) -> bool:
    """Step until ``head``, at most ``batch`` events at a time; False when there was nothing to do here."""
    reached = await step(conn, job, batch)
    worked = reached is not None
    while reached is not None and reached < job.head:
        reached = await step(conn, job, batch)
    return worked


async def step(conn: "Connection", job: Job, limit: int) -> int | None:
    """Apply up to ``limit`` events in one transaction with their checkpoint; the position reached.

    None when there is nothing to do here: another runner holds the bucket, or it is stopped or gone.
    An event that cannot be applied is closed in on by halves; all before it is kept, and it stops the bucket.
    """
    try:
        return await _advance(conn, job, limit)
    except _Unapplied as failure:
        if failure.count > 1:
            return await step(conn, job, failure.count // 2)
        await _stop(conn, job, failure)
        return None


async def _advance(conn: "Connection", job: Job, limit: int) -> int | None:
    async with conn.transaction():
        position = await checkpoint.lock(conn, job.at, wait=job.wait)
        if position is None or position >= job.head:
            return position
        reached = await _apply(conn, job, position, limit)
        await checkpoint.advance(conn, job.at, reached, job.now())
        return reached


async def _apply(conn: "Connection", job: Job, position: int, limit: int) -> int:
    try:
        rows = await feed.read(conn, job.at.bucket, position, job.head, limit)
    except FeedGap as gap:
        raise _Unapplied(position, gap.position - position, str(gap)) from gap
    skipped = await checkpoint.skipped(conn, job.at, position)
    try:
        told = [feed.told(row) for row in rows if row["position"] not in skipped]
        await job.projection.apply(conn, job.at.revision, told)
    except Exception as problem:
        if passing(problem):
            raise
        raise _Unapplied(position, len(rows), _words(rows[0], problem)) from problem
    return int(rows[-1]["position"])


async def _stop(conn: "Connection", job: Job, failure: _Unapplied) -> None:
    at = job.at
    await checkpoint.stop(conn, at, failure.position, failure.words, job.now())
    log.error(
        "projection_stopped",
        projection=at.projection,
        revision=at.revision,
        bucket=at.bucket,
        position=failure.position + 1,
        error=type(failure.__cause__).__name__,
    )


def _words(first: "feed.Row", problem: Exception) -> str:
    """The first event by name, and the problem's first line: details below it may quote personal data."""
    line = next(iter(str(problem).splitlines()), "")
    kind = type(problem).__name__
    return f"{first['type']}, version {first['version']} of {first['stream_id']}: {kind}: {line}"[:_WORDS]


def passing(problem: BaseException) -> bool:
    """Whether the trouble lies with the database or the way to it, and the same again may well succeed."""
    if isinstance(problem, asyncpg.PostgresError):
        return (problem.sqlstate or "XX")[:2] in _PASSING
    if isinstance(problem, asyncpg.InterfaceError):
        return not isinstance(problem, ValueError)  # a value that cannot be sent stays one
    return isinstance(problem, OSError | TimeoutError | asyncpg.InternalClientError)
