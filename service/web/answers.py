"""The answer in words, big: is it covered, since or until when, and by what evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from domain.coverage import Answer, Span, answer, spans
from domain.events import ContractEnded
from domain.lifecycle import LAPSED, UNDER_REVIEW
from domain.recorded import Recorded
from domain.state import Engagement
from service.web.formats import spoken

Tone = Literal["yes", "soon", "no", "unknown", "over"]
"""``soon``: not covered, but the contract has not begun either and nothing has gone wrong."""


@dataclass(frozen=True, slots=True)
class Told:
    """``headline`` in a word or three; ``sentence`` says why and when; ``evidence`` are event versions."""

    covered: bool | None
    tone: Tone
    headline: str
    sentence: str
    evidence: tuple[int, ...]


def told(s: Engagement, now: int, history: Sequence[Recorded], silent_since: int | None = None) -> Told:
    """The answer at ``now`` (epoch seconds); ``history`` dates an unknown answer and proves an end."""
    found = answer(s, now, silent_since)
    if found.covered is True:
        until = "Its end is not known." if found.until is None else f"Cover runs until {spoken(found.until)}."
        return Told(True, "yes", "Covered", f"{found.reason} {until}", found.evidence)
    if found.covered is None:
        dated = next((r.effective_at for r in history if r.version in found.evidence), None)
        silent = silent_since is not None and found.since == silent_since
        since = silent_since if silent else dated
        headline = "Unknown" if since is None else f"Unknown since {spoken(since)}"
        return Told(None, "unknown", headline, found.reason, found.evidence)
    if s.ended_at is not None and s.ended_at <= now:
        ended = tuple(r.version for r in history if isinstance(r.event, ContractEnded))
        return Told(
            False, "over", "Ended", f"Not covered: the contract ended on {spoken(s.ended_at)}.", ended
        )
    return _not_covered(s, now, found)


def _not_covered(s: Engagement, now: int, found: Answer) -> Told:
    window = s.whole_window
    begun = window is not None and window.starts_at <= now
    troubled = found.since is not None or s.state in (LAPSED, UNDER_REVIEW)
    tone: Tone = "no" if begun or troubled else "soon"
    headline = "Not covered" if troubled else "Not covered yet"
    if found.since is not None:
        headline = f"{headline} since {spoken(found.since)}"
    sentence, evidence = found.reason, found.evidence
    coming = _coming(s, found)
    if coming is not None and coming.start is not None:
        what = f"{coming.source.capitalize()} {coming.id}"
        sentence = f"{what} is in place; its cover begins on {spoken(coming.start)}."
        evidence = (*evidence, *coming.evidence)
    if begun and not troubled and window is not None:
        sentence = f"{sentence} The contract began on {spoken(window.starts_at)}."
    return Told(False, tone, headline, sentence, evidence)


def _coming(s: Engagement, found: Answer) -> Span | None:
    if found.next_change_at is None:
        return None
    return next((span for span in spans(s) if span.start == found.next_change_at), None)
