"""How far a projection has come in a bucket: locking it, moving it, stopping it and letting it go on."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from projections.errors import NotStopped
from projections.statements import sql

if TYPE_CHECKING:
    from projections.statements import Connection, Reader


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One bucket's place in one revision of a projection."""

    projection: str
    revision: int
    bucket: int


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the serving revision is behind: events, buckets that hold them, and buckets stopped."""

    projection: str
    events: int
    buckets: int
    stopped: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """A bucket stopped before the event at ``position``, which could not be applied."""

    projection: str
    revision: int
    bucket: int
    position: int
    error: str
    stopped_at: datetime


async def lock(conn: "Connection", at: Checkpoint, *, wait: bool) -> int | None:
    """The position reached, locked for the transaction; None when the bucket is stopped or gone.

    None also while another runner holds it, unless ``wait``.
    """
    statement = sql("wait_for_checkpoint" if wait else "lock_checkpoint")
    position: int | None = await conn.fetchval(statement, at.bucket, at.projection, at.revision)
    return position


async def advance(conn: "Connection", at: Checkpoint, position: int, now: datetime) -> None:
    await conn.execute(sql("advance"), at.bucket, at.projection, at.revision, position, now)


async def stop(conn: "Connection", at: Checkpoint, position: int, error: str, now: datetime) -> None:
    """Stop after ``position``, unless the checkpoint has moved on since."""
    await conn.execute(sql("stop"), at.bucket, at.projection, at.revision, position, error, now)


async def stopped(conn: "Reader", projection: str, revision: int | None = None) -> list[Stopped]:
    """The buckets that wait for a person; without ``revision`` those of the one that serves."""
    return [Stopped(**row) for row in await conn.fetch(sql("stopped"), projection, revision)]


async def resume(conn: "Reader", bucket: Stopped) -> None:
    """Try again from the event that could not be applied."""
    await conn.execute(sql("resume"), bucket.bucket, bucket.projection, bucket.revision)


async def skip(conn: "Connection", bucket: Stopped, reason: str, actor: str, now: datetime) -> None:
    """Leave out the event a bucket is stopped at: in this revision and in every rebuild to come.

    Raises `NotStopped` when the bucket went on in the meantime.
    """
    async with conn.transaction():
        found = await conn.fetchval(
            sql("resume_at"), bucket.bucket, bucket.projection, bucket.revision, bucket.position
        )
        if found is None:
            raise NotStopped(projection=bucket.projection, bucket=bucket.bucket, position=bucket.position)
        await conn.execute(
            sql("skip"), bucket.bucket, bucket.projection, bucket.position, reason, actor, now, bucket.error
        )


async def skipped(conn: "Connection", at: Checkpoint, after: int) -> set[int]:
    """The positions an operator took out of this bucket, beyond ``after``."""
    rows = await conn.fetch(sql("skipped"), at.bucket, at.projection, after)
    return {row["position"] for row in rows}


async def lag(conn: "Reader", projection: str) -> Lag:
    row = await conn.fetchrow(sql("lag"), projection)
    assert row is not None, "an aggregate always gives a row"
    return Lag(projection, row["events"], row["buckets"], row["stopped"])


async def lag_since(conn: "Reader") -> datetime | None:
    """When the oldest event was recorded that a serving read model has not applied yet."""
    since: datetime | None = await conn.fetchval(sql("lag_since"))
    return since


async def begun(conn: "Reader", projection: str, revision: int) -> list[int]:
    """The buckets in which this revision has applied anything."""
    return [row["bucket"] for row in await conn.fetch(sql("begun"), projection, revision)]
