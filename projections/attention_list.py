"""The lists of what waits for a person: item by item, or one line a kind."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from projections.filters import Where
from projections.pages import cursor_after, page, place
from projections.statements import sql

if TYPE_CHECKING:
    from projections.statements import Reader


@dataclass(frozen=True, slots=True)
class AttentionRow:
    """One thing that waits; ``step`` names the call that was given up, where it is one.

    ``since`` is when it began as the facts tell; it was first and last raised at ``first_seen`` and
    ``last_seen``, ``count`` times in all.
    """

    engagement_id: str
    code: str
    step: str | None
    message: str
    clears: str
    since: datetime
    first_seen: datetime
    last_seen: datetime
    count: int


@dataclass(frozen=True, slots=True)
class AttentionGroup:
    """All that waits under one code: ``count`` items on ``engagements`` engagements."""

    code: str
    count: int
    engagements: int
    first_seen: datetime
    last_seen: datetime


async def list_attention(
    conn: "Reader", *, code: str | None = None, cursor: str | None = None, limit: int = 50
) -> tuple[list[AttentionRow], str | None]:
    """What has waited longest first, and the next page's cursor. Raises `BadCursor`."""
    where = Where(limit + 1)
    if code is not None:
        where.add("code = {}", code)
    if cursor is not None:
        since, key = place(cursor, parts=3)
        where.add("(since, engagement_id, code, step) > ({}::timestamptz, {}, {}, {})", since, *key)
    found = await conn.fetch(where.put_into(sql("attention")), *where.arguments)
    rows, last = page([AttentionRow(**row) for row in found], limit)
    if last is None:
        return rows, None
    return rows, cursor_after(last.since, last.engagement_id, last.code, last.step or "")


async def attention_by_code(conn: "Reader") -> list[AttentionGroup]:
    """One line a code, the most frequent first."""
    return [AttentionGroup(**row) for row in await conn.fetch(sql("attention_by_code"))]
