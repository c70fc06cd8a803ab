"""The list of engagements: filters and counts, and pages that hold still while rows change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from domain.ids import bucket_of, engagement_stream
from domain.lifecycle import LIVE
from projections.filters import Where
from projections.pages import cursor_after, page, place
from projections.statements import sql

if TYPE_CHECKING:
    from projections.statements import Reader

Covered = Literal["true", "false", "null"]


@dataclass(frozen=True, slots=True)
class EngagementRow:
    """One engagement in a list; ``covered`` at the instant the list was asked for, None where unknown."""

    engagement_id: str
    state: str
    covered: bool | None
    client_id: str | None
    freelancer_id: str | None
    contractor_id: str | None
    title: str | None
    attention_count: int
    attention_codes: tuple[str, ...]
    version: int
    created_at: datetime
    updated_at: datetime


_COVERED = {
    "true": "e.periods @> $1::timestamptz",
    "null": "e.unknown_until > $1 AND NOT e.periods @> $1::timestamptz",
    "false": "NOT e.periods @> $1::timestamptz AND (e.unknown_until <= $1) IS NOT FALSE",
}
_OVER = "(e.state = 'ended' AND to_timestamp(coalesce((e.status ->> 'ended_at')::bigint, 0)) <= $1)"
_COVERED_IN_SILENCE = {"true": "false", "null": f"NOT {_OVER}", "false": _OVER}
_ATTENTION = {True: "e.attention_count > 0", False: "e.attention_count = 0"}


async def list_engagements(
    conn: "Reader",
    *,
    now: datetime,
    state: str | None = None,
    covered: Covered | None = None,
    client: str | None = None,
    freelancer: str | None = None,
    ids: Sequence[str] | None = None,
    attention: bool | None = None,
    cursor: str | None = None,
    limit: int = 50,
    silent: bool = False,
) -> tuple[list[EngagementRow], str | None]:
    """The newest engagements first, by when their first event was recorded, and the next page's cursor.

    ``covered`` is judged at ``now``; ``ids`` leaves only these engagements. ``silent``: nothing is known at
    ``now`` but which contracts are over. Raises `BadCursor`.
    """
    where = Where(now, limit + 1, silent)
    for column, value in (("state", state), ("client_id", client), ("freelancer_id", freelancer)):
        if value is not None:
            where.add(f"e.{column} = {{}}", value)
    if covered is not None:
        where.add((_COVERED_IN_SILENCE if silent else _COVERED)[covered])
    if attention is not None:
        where.add(_ATTENTION[attention])
    if ids is not None:
        buckets = sorted({str(bucket_of(engagement_stream(id_))) for id_ in ids})
        where.add("e.bucket = ANY ({}::text[]::int[]) AND e.engagement_id = ANY ({}::text[])", buckets, ids)
    if cursor is not None:
        created_at, key = place(cursor, parts=1)
        where.add("(e.created_at, e.engagement_id) < ({}::timestamptz, {}::text)", created_at, *key)
    found = [_row(**row) for row in await conn.fetch(where.put_into(sql("engagements")), *where.arguments)]
    rows, last = page(found, limit)
    return rows, cursor_after(last.created_at, last.engagement_id) if last else None


async def count_engagements(conn: "Reader", now: datetime, silent: bool = False) -> dict[str, int]:
    """How many engagements are ``covered``, ``not_covered`` and ``unknown`` at ``now``, which are all there
    are; how many of those not covered have ``ended``; and how many need ``attention``. See `list_engagements`
    for ``silent``."""
    row = await conn.fetchrow(sql("count_engagements"), now, silent)
    assert row is not None, "an aggregate always gives a row"
    return dict(row)


async def count_states(conn: "Reader") -> dict[str, int]:
    """How many engagements are in each state that has any."""
    return {row["state"]: row["count"] for row in await conn.fetch(sql("count_states"))}


async def count_uncovered(conn: "Reader", now: datetime, silent: bool = False) -> dict[str, int]:
    """Of the active contracts, how many are ``uncovered`` at ``now`` and of how many that is ``unknown``. See
    `list_engagements` for ``silent``."""
    row = await conn.fetchrow(sql("count_uncovered"), list(LIVE), now, silent)
    assert row is not None, "an aggregate always gives a row"
    return dict(row)


async def live_engagements(
    conn: "Reader", after: tuple[datetime, str] | None, limit: int
) -> list[tuple[datetime, str]]:
    """The next engagements whose contract has not ended, oldest first, behind ``after``: when the first event
    of each was recorded, and its id."""
    created_at, engagement_id = after or (_EVER, "")
    rows = await conn.fetch(sql("live_engagements"), list(LIVE), created_at, engagement_id, limit)
    return [(row["created_at"], row["engagement_id"]) for row in rows]


_EVER = datetime(1970, 1, 1, tzinfo=UTC)


def _row(attention_codes: list[str], **rest: object) -> EngagementRow:
    return EngagementRow(attention_codes=tuple(attention_codes), **rest)  # type: ignore[arg-type]
