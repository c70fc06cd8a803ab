"""Many buckets in one transaction: what news costs most is the commit, and buckets share it.

It only saves time. Where one event cannot be applied nothing of the transaction is kept, and `step` finds the
culprit bucket by bucket.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from projections import feed
from projections.errors import FeedGap
from projections.feed import Moved, Told
from projections.projection import Projection
from projections.statements import sql
from projections.step import passing

if TYPE_CHECKING:
    from projections.statements import Connection

BUCKETS = 128
"""So many share a transaction, and wait for each other when one of them cannot go on."""

Places = dict[int, int]


class Unapplied(Exception):
    """Nothing was kept: an event cannot be applied, or is missing."""


def parts(behind: Sequence[Moved]) -> Iterator[Sequence[Moved]]:
    for first in range(0, len(behind), BUCKETS):
        yield behind[first : first + BUCKETS]


async def advance(
    conn: "Connection",
    projection: Projection,
    behind: Sequence[Moved],
    batch: int,
    now: Callable[[], datetime],
) -> bool:
    """Apply up to ``batch`` events to these buckets of a revision, but to none that another runner works on.

    Whether there were any. Raises `Unapplied`.
    """
    revision = behind[0].revision
    heads = {bucket.bucket: bucket.head for bucket in behind}
    try:
        async with conn.transaction():
            after = await _lock(conn, projection, revision, heads)
            last = _shared(after, heads, batch)
            if not last:
                return False
            told = await _read(conn, projection, {bucket: after[bucket] for bucket in last}, last)
            await projection.apply(conn, revision, told)
            await conn.execute(sql("advance_all"), projection.name, revision, *_columns(last), now())
            return True
    except Exception as problem:
        if passing(problem):
            raise
        raise Unapplied from problem


async def _lock(conn: "Connection", projection: Projection, revision: int, heads: Places) -> Places:
    """Where those stand that are behind and free."""
    buckets = list(map(str, heads))
    rows = await conn.fetch(sql("lock_checkpoints"), projection.name, revision, buckets)
    return {row["bucket"]: row["position"] for row in rows if row["position"] < heads[row["bucket"]]}


def _shared(after: Places, heads: Places, batch: int) -> Places:
    """Up to where each may go on, so that all together are ``batch`` events at most."""
    last: Places = {}
    for bucket, position in after.items():
        if batch <= 0:
            break
        last[bucket] = min(heads[bucket], position + batch)
        batch -= last[bucket] - position
    return last


async def _read(conn: "Connection", projection: Projection, after: Places, last: Places) -> Sequence[Told]:
    rows = await conn.fetch(sql("events_of"), *_columns(after), list(map(str, last.values())))
    reached = dict(after)
    for row in rows:
        bucket, position = row["bucket"], row["position"]
        if position != reached[bucket] + 1:
            raise FeedGap(bucket=bucket, position=reached[bucket] + 1)
        reached[bucket] = position
    for bucket, position in reached.items():
        if position != last[bucket]:
            raise FeedGap(bucket=bucket, position=position + 1)
    skipped = {(r["bucket"], r["position"]) for r in await conn.fetch(sql("all_skipped"), projection.name)}
    return [feed.told(row) for row in rows if (row["bucket"], row["position"]) not in skipped]


def _columns(places: Places) -> tuple[list[str], list[str]]:
    """Buckets and positions, as columns of text."""
    return list(map(str, places)), list(map(str, places.values()))
