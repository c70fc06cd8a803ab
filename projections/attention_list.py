"""The lists of what waits for a person: item by item, or one line a kind."""

from collections.abc import Sequence
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


@dataclass(frozen=True, slots=True)
class AttentionCause:
    """All that waits for one reason: ``cause`` is the message, with the ids in a vendor's words left out.

    ``step`` is what the steps of the calls that were given up begin with; ``longest`` names the engagement
    that has waited longest.
    """

    code: str
    step: str | None
    cause: str
    clears: str
    count: int
    engagements: int
    first_seen: datetime
    last_seen: datetime
    longest: str


@dataclass(frozen=True, slots=True)
class Retryable:
    """Which of the things that wait are to be tried again: by code, by what their step begins with, by since
    when they wait. ``unmoved`` are the codes of those that no retry moves."""

    unmoved: Sequence[str]
    code: str | None = None
    step: str | None = None
    since: datetime | None = None

    def where(self, *arguments: object) -> Where:
        """The filters, behind ``arguments`` of the statement's own."""
        found = Where(*arguments, list(self.unmoved))
        if self.code is not None:
            found.add("code = {}", self.code)
        if self.step is not None:
            found.add("split_part(step, ':', 1) = {}", self.step)
        if self.since is not None:
            found.add("since >= {}::timestamptz", self.since)
        return found


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
    return rows, cursor_behind(last)


def cursor_behind(row: AttentionRow) -> str:
    """The cursor of the page that begins behind this row."""
    return cursor_after(row.since, row.engagement_id, row.code, row.step or "")


async def attention_by_code(conn: "Reader") -> list[AttentionGroup]:
    """One line a code, the most frequent first."""
    return [AttentionGroup(**row) for row in await conn.fetch(sql("attention_by_code"))]


async def attention_by_cause(
    conn: "Reader", code: str | None = None, limit: int = 200
) -> list[AttentionCause]:
    """One line a cause, the most frequent first."""
    return [AttentionCause(**row) for row in await conn.fetch(sql("attention_by_cause"), code, limit)]


async def count_retryable(conn: "Reader", asked: Retryable) -> tuple[int, int]:
    """How many things can be tried again, and on how many engagements."""
    where = asked.where()
    row = await conn.fetchrow(where.put_into(sql("count_retryable")), *where.arguments)
    assert row is not None, "an aggregate always gives a row"
    return row["items"], row["engagements"]


async def list_retryable(conn: "Reader", asked: Retryable, limit: int) -> list[tuple[str, tuple[str, ...]]]:
    """The engagements that have waited longest, each with the steps to begin afresh."""
    where = asked.where(limit)
    rows = await conn.fetch(where.put_into(sql("attention_retryable")), *where.arguments)
    return [(row["engagement_id"], tuple(step or "read" for step in row["steps"])) for row in rows]
