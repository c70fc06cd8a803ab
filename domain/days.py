"""Was it covered on that day? A day is a half-open span of instants in somebody's time zone."""

from dataclasses import dataclass
from typing import Literal

from domain.coverage import Answer, answer
from domain.state import Engagement
from domain.values import Window

Extent = Literal["all", "part", "none", "unknown"]


@dataclass(frozen=True, slots=True)
class Day:
    """How much of a day is covered. ``covered`` is True for all of it, None where a part is unknown.

    ``parts`` are the covered spans within the day, in epoch seconds; ``evidence`` holds event versions.
    """

    extent: Extent
    covered: bool | None
    parts: tuple[Window, ...]
    evidence: tuple[int, ...]
    answers: tuple[tuple[int, Answer], ...]
    """The answer at the day's start and at each instant within it at which the answer changes."""


def over_day(engagement: Engagement, start: int, end: int, silent_since: int | None = None) -> Day:
    """The answers over [start, end), walked from one change to the next; see `answer` for the rest."""
    answers: list[tuple[int, Answer]] = []
    at: int | None = start
    while at is not None and at < end:
        told = answer(engagement, at, silent_since)
        answers.append((at, told))
        ended = engagement.ended_at
        changes = (told.next_change_at, ended if ended is not None and ended > at else None)
        at = min((t for t in changes if t is not None), default=None)
    edges = [at for at, _ in answers] + [end]
    parts: list[Window] = []
    for (begins, told), until in zip(answers, edges[1:], strict=True):
        if told.covered and parts and parts[-1].ends_at == begins:
            parts[-1] = Window(parts[-1].starts_at, until)
        elif told.covered:
            parts.append(Window(begins, until))
    seen = {answered.covered for _, answered in answers}
    evidence = tuple(sorted({version for _, answered in answers for version in answered.evidence}))
    if None in seen:
        return Day("unknown", None, tuple(parts), evidence, tuple(answers))
    extent: Extent = "part" if len(seen) == 2 else "all" if seen == {True} else "none"
    return Day(extent, seen == {True}, tuple(parts), evidence, tuple(answers))
