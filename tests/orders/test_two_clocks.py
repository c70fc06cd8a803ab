"""Was it covered on that day, as known on that day? Against an oracle that scans days by days of knowledge.

The news is said on one day and recorded on another, in another order. The oracle knows nothing of spans: it
keeps sets of days, and for each day of knowledge it begins again from the raw news.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import assume, settings
from hypothesis import given as forall
from hypothesis import strategies as st
from msgspec import structs
from story import DAY, START, Story, given, offer

from domain import commands as c
from domain.coverage import Answer, answer, policy_spans
from domain.evolve import evolve
from domain.state import Engagement

HORIZON = 14
FOR_EVER = HORIZON + 1
"""A day beyond all that is looked at."""
NEVER = 999
"""The end of what has none."""


class Told(NamedTuple):
    """A piece of news said on day ``said``: ``what`` from ``a`` until ``b``, or at ``a``, in days."""

    said: int
    of: str
    what: str
    a: int | None = None
    b: int | None = None


def instant(day: int) -> int:
    return START + day * DAY


def command(told: Told) -> c.EngagementCommand:
    at = instant(told.said)
    a, b = (None if day is None else instant(day) for day in (told.a, told.b))
    match told.what:
        case "active":
            return c.NotePolicyActive(at, told.of, None, a, b)
        case "expired" | "canceled":
            assert a is not None
            return c.NotePolicyOver(at, told.of, a, told.what == "canceled", expires_at=b)
        case "validated":
            return c.NoteCertificateValidated(at, told.of, a, b)
        case "flagged" | "denied":
            return c.NoteCertificateFlagged(at, told.of, told.what)
        case _:
            assert a is not None
            return c.EndContract(at, a)


# The oracle.


@dataclass
class Term:
    """A policy's term as it is understood on some day: first day (None: not known) and the day it is over."""

    first: int | None
    over: int

    def days(self) -> set[int]:
        return set() if self.first is None else set(range(self.first, min(self.over, FOR_EVER)))

    def unknown(self) -> set[int]:
        return set(range(min(self.over, FOR_EVER))) if self.first is None else set()


@dataclass
class Policy:
    """What is understood of a policy after some of its news, in the vendor's order."""

    terms: list[Term] = field(default_factory=list)
    live: bool = False
    bound: int = NEVER

    def hear(self, told: Told) -> None:
        if told.what == "active":
            self._active(told.a, told.b)
        elif self.live:
            self.bound, self.live = self.terms[-1].over, False
            self._cut(told, self.bound)
        elif self.terms:
            self._cut(told, self.bound if told.what == "canceled" else self.terms[-1].over)

    def _cut(self, told: Told, most: int) -> None:
        assert told.a is not None
        moved = told.b if told.b is not None and told.b < most < NEVER else None
        self.terms[-1].over = min(told.a if moved is None else moved, most)

    def _active(self, first: int | None, over: int | None) -> None:
        if self.live and first is not None and self.terms[-1].over <= first:
            self.live = False
        last = self.terms[-1] if self.terms else Term(None, -1)
        if self.live:
            last.first = last.first if first is None else first
            last.over = last.over if over is None else over
        elif self.terms and first is not None and first <= last.over:
            last.first = first if last.first is None else min(first, last.first)
            last.over = NEVER if over is None else over
        else:
            self.terms.append(Term(first, NEVER if over is None else over))
        self.live = True


def certified(news: list[Told]) -> set[int]:
    """The days on which a certificate is validated."""
    days: set[int] = set()
    first, until, valid = 0, 0, False
    for told in news:
        if told.what == "validated":
            begins = told.said if told.a is None else told.a
            if valid and until > begins:
                days -= set(range(first, until))
                first = first if begins == told.said else begins
                until = until if told.b is None else told.b
            else:
                first, until = begins, FOR_EVER if told.b is None else told.b
            days |= set(range(first, until))
            valid = True
        elif valid:
            days -= set(range(max(first, told.said), FOR_EVER + 1)) if told.said < until else set()
            valid = False
    return days


def by_pencil(known: list[Told], day: int) -> bool | None:
    """The answer for one day from the news known, begun from nothing."""
    in_order = sorted(known, key=lambda told: told.said)
    if any(told.what == "ended" and told.a is not None and told.a <= day for told in in_order):
        return False
    unknown = False
    for of in {told.of for told in in_order}:
        news = [told for told in in_order if told.of == of]
        if of.startswith("crt_"):
            if day in certified(news):
                return True
        elif of.startswith("pl_"):
            policy = Policy()
            for told in news:
                policy.hear(told)
            if any(day in term.days() for term in policy.terms):
                return True
            unknown |= any(day in term.unknown() for term in policy.terms)
    return None if unknown else False


# Against the real thing.

days = st.integers(0, HORIZON - 1)
maybe = st.one_of(st.none(), days)


@st.composite
def histories(draw: st.DrawFn) -> list[Told]:
    """News of two policies, two certificates and the end, each said in a second of its own, as recorded."""
    said = draw(st.lists(days, unique=True, min_size=2, max_size=8))
    news = [draw(one_told(day)) for day in said]
    assume(all(told.what != "active" or None in told[3:] or told.a < told.b for told in news))
    return news


def one_told(said: int) -> st.SearchStrategy[Told]:
    at, policies = st.just(said), st.sampled_from(["pl_1", "pl_1", "pl_2"])
    certificates = st.sampled_from(["crt_1", "crt_1", "crt_2"])
    active = st.builds(
        lambda at, of, a, long: Told(at, of, "active", a, None if a is None or long is None else a + long),
        *(at, policies, maybe, st.one_of(st.none(), st.integers(1, HORIZON))),
    )
    over = st.builds(Told, at, policies, st.sampled_from(["expired", "canceled"]), days)
    undated = st.builds(
        lambda at, of, long: Told(at, of, "canceled", at, at + long), at, policies, st.integers(1, HORIZON)
    )
    validated = st.builds(
        lambda at, of, a, long: Told(at, of, "validated", a, long and (at if a is None else a) + long),
        *(at, certificates, maybe, st.one_of(st.none(), st.integers(1, HORIZON))),
    )
    flagged = st.builds(Told, at, certificates, st.sampled_from(["flagged", "denied"]))
    ended = st.builds(Told, at, st.just("contract"), st.just("ended"), st.integers(6, HORIZON - 1))
    return st.one_of(active, active, over, over, undated, validated, flagged, ended)


def as_known(story: Story) -> Iterator[Engagement]:
    """The engagement as known after each piece of news that was recorded."""
    engagement = Engagement(story.engagement.engagement_id)
    for entry in story.entries:
        engagement = evolve(engagement, entry)
        yield engagement


def recorded(news: list[Told]) -> list[tuple[list[Told], Engagement]]:
    """For every day of knowledge: the news known by then, and the engagement folded from what is recorded."""
    story = given(offer())
    known: list[tuple[list[Told], int]] = [([], len(story.entries))]
    for n, told in enumerate(news, 1):
        story = story.when(command(told))
        known.append((news[:n], len(story.entries)))
    folded = list(as_known(story))
    return [(told, folded[length - 1]) for told, length in known]


@settings(max_examples=250)
@forall(histories())
def test_every_day_as_known_on_every_day_is_answered_as_by_pencil(news: list[Told]) -> None:
    for known, engagement in recorded(news):
        expected = [by_pencil(known, day) for day in range(HORIZON + 1)]
        said = [answer(engagement, instant(day)) for day in range(HORIZON + 1)]
        assert [told.covered for told in said] == expected
        for day, told in enumerate(said):
            assert not_before_it_changes(told, day, expected)


def not_before_it_changes(told: Answer, day: int, expected: list[bool | None]) -> bool:
    """``next_change_at`` is the first later day with another answer, and ``since`` no later than the day."""
    changes = [later for later in range(day + 1, HORIZON + 1) if expected[later] is not expected[day]]
    said = told.next_change_at
    on_time = said == instant(changes[0]) if changes else said is None or said > instant(HORIZON)
    return on_time and (told.since is None or told.since <= instant(day))


@settings(max_examples=150)
@forall(st.data())
def test_what_is_known_in_the_end_does_not_depend_on_the_order_it_was_recorded_in(
    data: st.DataObject,
) -> None:
    news = data.draw(histories())
    _, one = recorded(news)[-1]
    _, other = recorded(data.draw(st.permutations(news)))[-1]
    for day in range(HORIZON + 1):
        told, again = (structs.replace(answer(s, instant(day)), evidence=()) for s in (one, other))
        assert told == again


def test_the_histories_hold_back_dated_ends_gaps_and_the_unknown() -> None:
    """The comparison says something only if its histories go everywhere."""
    seen: set[str] = set()

    @settings(max_examples=250)
    @forall(histories())
    def wander(news: list[Told]) -> None:
        for known, engagement in recorded(news):
            covered = {answer(engagement, instant(day)).covered for day in range(HORIZON)}
            seen.update(str(one) for one in covered)
            for policy in engagement.policies.values():
                ends = [n for n in policy.news if n.kind != "active"]
                seen.update("back-dated" for n in ends if n.ended_at is not None and n.ended_at < n.said_at)
                seen.update("gap" for _ in policy_spans(policy)[1:])
            seen.update("late" for one, two in pairwise(known) if one.said > two.said)

    wander()
    assert seen == {"True", "False", "None", "back-dated", "gap", "late"}


@pytest.mark.parametrize(
    ("news", "day", "expected"),
    [
        ([Told(0, "pl_1", "active", 1, 10), Told(8, "pl_1", "canceled", 3)], 5, [False, True, False]),
        ([Told(8, "pl_1", "canceled", 3), Told(0, "pl_1", "active", 1, 10)], 5, [False, False, False]),
        ([Told(0, "pl_1", "active", 1, 10), Told(2, "pl_1", "canceled", 2, 6)], 5, [False, True, True]),
        ([Told(0, "pl_1", "active", 1, 10), Told(2, "pl_1", "canceled", 2, 10)], 5, [False, True, False]),
        ([Told(0, "pl_1", "active"), Told(1, "pl_1", "active", 1, 10)], 5, [False, None, True]),
        ([Told(0, "crt_1", "validated", 0, 9), Told(4, "contract", "ended", 3)], 5, [False, True, False]),
    ],
)
def test_the_pencil_itself_is_right(news: list[Told], day: int, expected: list[bool | None]) -> None:
    assert [by_pencil(news[:known], day) for known in range(len(news) + 1)] == expected
