"""What the pages ask of the read models."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from domain.attention import Attention, attention
from domain.coverage import answer
from domain.state import Engagement
from service.clock import epoch

Covered = Literal["true", "false", "null"]
"""As the API's ``covered`` filter spells it; null is unknown."""


@dataclass(frozen=True, slots=True)
class Row:
    """One engagement in a list, as it stood at the time asked for. ``until`` is when the cover in force
    ends, ``begins`` when cover that is in place sets in; both in epoch seconds."""

    engagement_id: str
    state: str
    covered: bool | None
    title: str | None
    client_id: str | None
    freelancer_id: str | None
    until: int | None
    begins: int | None
    attention: tuple[Attention, ...]
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Counts:
    """How many engagements there are of each kind; ``ended`` ones are among ``not_covered``."""

    covered: int
    not_covered: int
    unknown: int
    attention: int
    ended: int

    @property
    def total(self) -> int:
        return self.covered + self.not_covered + self.unknown


class Lists(Protocol):
    async def engagements(
        self,
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
        silent_since: int | None = None,
    ) -> tuple[Sequence[Row], str | None]:
        """The newest first and the next page's cursor. ``ids`` leaves only these; None filters nothing.

        ``silent_since``: see `domain.coverage.answer`.
        """
        ...

    async def counts(self, now: datetime, silent_since: int | None = None) -> Counts: ...


def row_of(s: Engagement, now: datetime, updated_at: datetime, silent_since: int | None = None) -> Row:
    """The row of a folded engagement."""
    told = answer(s, epoch(now), silent_since)
    return Row(
        engagement_id=s.engagement_id,
        state=s.state,
        covered=told.covered,
        title=s.terms.title if s.terms else None,
        client_id=s.client_id,
        freelancer_id=s.freelancer_id,
        until=told.until,
        begins=told.next_change_at if told.covered is False else None,
        attention=attention(s),
        updated_at=updated_at,
    )
