"""The list of engagements: filters and counts, and pages that hold still while rows change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from domain.ids import bucket_of, engagement_stream
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
) -> tuple[list[EngagementRow], str | None]:
    """The newest engagements first, by when their first event was recorded, and the next page's cursor.

    ``covered`` is judged at ``now``; ``ids`` leaves only these engagements. Raises `BadCursor`.
    """
    where = Where(now, limit + 1)
    for column, value in (("state", state), ("client_id", client), ("freelancer_id", freelancer)):
        if value is not None:
            where.add(f"e.{column} = {{}}", value)
    if covered is not None:
        where.add(_COVERED[covered])
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


async def count_engagements(conn: "Reader", now: datetime) -> dict[str, int]:
    """How many engagements are ``covered``, ``not_covered`` and ``unknown`` at ``now``, which are all there
    are; how many of those not covered have ``ended``; and how many need ``attention``."""
    row = await conn.fetchrow(sql("count_engagements"), now)
    assert row is not None, "an aggregate always gives a row"
    return dict(row)


def _row(attention_codes: list[str], **rest: object) -> EngagementRow:
    return EngagementRow(attention_codes=tuple(attention_codes), **rest)  # type: ignore[arg-type]
