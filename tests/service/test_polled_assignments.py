"""What 1099Policy shows of assignments becomes news exactly where an engagement shows something else."""

from collections.abc import Iterator
from typing import Any

import pytest
from contracts.given import NOON
from story import DAY, END, NOW, START, Story, activated, assigned, policy_read, returning

from domain import commands as c
from domain import events as e
from domain.values import Window
from service.ingest.translate import Acts, translate
from service.poll.assignments import assignment_facts, deleted_facts, standing_facts
from service.poll.facts import Fact

LATER = NOW + 3 * DAY


def about(row: dict[str, Any], story: Story, now: int = LATER) -> Iterator[Fact]:
    made = story.engagement.assignment
    assert made is not None
    return assignment_facts(row, story.engagement, made, now)


def told(story: Story, facts: list[Fact], now: int = LATER) -> Story:
    """The story after these facts were handled as deliveries."""
    for fact in facts:
        said = translate(fact.source, fact.delivery(NOON).body, now, {})
        assert isinstance(said, Acts)
        story = story.when(said.command)
    return story


def assignment(**more: Any) -> dict[str, Any]:
    """As the vendor shows the one that `assigned` knows."""
    return {"id": "an_1", "cancelled": False, "effective_date": START, "end_date": END, **more}


@pytest.mark.parametrize(
    ("change", "said_at", "state"),
    [
        ({"cancellation_date": LATER - 60}, LATER - 60, "lapsed"),
        ({"cancellation_date": START + DAY}, None, "insured"),
        ({}, None, "lapsed"),
    ],
)
def test_a_cancelled_assignment_is_news_once(change: dict[str, Any], said_at: int | None, state: str) -> None:
    story, row = assigned().given(policy_read()), assignment(cancelled=True, **change)
    (fact,) = about(row, story)
    assert (fact.type, fact.about, fact.said_at) == ("assignment.cancelled", "an_1", said_at)
    after = told(story, [fact])
    after.becomes(state)
    assert list(about(row, after, LATER + 60)) == []


@pytest.mark.parametrize(
    "change",
    [{"bind": False}, {"eligible": {"result": False, "message": "moved"}}, {"eligible": False}],
)
def test_one_that_was_unbound_or_made_ineligible_is_cancelled_as_of_now_once(change: dict[str, Any]) -> None:
    story, row = assigned().given(policy_read()), assignment(**change)
    (fact,) = about(row, story)
    assert (fact.type, fact.body["created"], fact.said_at) == ("assignment.cancelled", LATER, None)
    after = told(story, [fact])
    after.then(e.AssignmentCancelled("an_1", LATER, LATER), *after.told[1:]).becomes("lapsed")
    assert after.covered(LATER + DAY).covered is False
    assert list(about(row, after, LATER + 60)) == []


@pytest.mark.parametrize("eligible", [None, {}, {"result": "false"}, {"result": 0}, "no", {"result": True}])
def test_only_a_plain_no_makes_it_ineligible(eligible: Any) -> None:
    assert list(about(assignment(eligible=eligible, bind=True), assigned())) == []


def test_one_that_is_gone_is_cancelled_as_of_now_once() -> None:
    story = assigned().given(policy_read())
    made = story.engagement.assignments[0]
    (fact,) = deleted_facts(story.engagement, made, LATER)
    assert (fact.type, fact.about, fact.body["created"]) == ("assignment.cancelled", "an_1", LATER)
    after = told(story, [fact]).becomes("lapsed")
    assert list(deleted_facts(after.engagement, made, LATER + 60)) == []


def test_other_dates_of_an_assignment_are_news_each_time_they_change() -> None:
    story, keys = assigned().given(policy_read()), []
    for turn, end_date in enumerate((START + DAY, END, START + DAY)):
        at, row = LATER + turn, assignment(end_date=end_date)
        (fact,) = about(row, story, at)
        keys.append(fact.delivery(NOON).dedupe)
        story = told(story, [fact], at)
        assert story.covered(START + 2 * DAY).covered is (end_date == END)
        assert list(about(row, story, at + 60)) == []
    assert len(set(keys)) == 3


@pytest.mark.parametrize(
    "row", [assignment(), assignment(id="an_other", cancelled=True), assignment(end_date=None), {}]
)
def test_an_assignment_as_it_is_known_is_no_news(row: dict[str, Any]) -> None:
    assert list(about(row, assigned())) == []


def standing(**more: Any) -> dict[str, Any]:
    """An assignment for the job of `returning`, of which nobody here was told."""
    made = {"job": "jb_Upw42Eng", "contractor": "cn_FoA42zQ", "policy": "pl_old", "created": LATER}
    return assignment(**{**made, "eligible": {"result": True}, "bind": True, **more})


def test_one_that_stands_and_nobody_knows_is_news_and_is_ended_with_the_contract() -> None:
    ended = returning().given(activated(), c.EndContract(LATER, LATER)).wants()
    (fact,) = standing_facts(standing(), ended.engagement, LATER)
    assert (fact.type, fact.about, fact.said_at) == ("assignment.standing", "an_1", LATER)
    after = told(ended, [fact])
    after.then(e.AssignmentCreated("an_1", "pl_old", START, END)).wants("end-coverage", "policy:pl_old")
    assert list(standing_facts(standing(), after.engagement, LATER)) == []


def test_one_that_was_cancelled_by_now_is_told_so_too() -> None:
    row = standing(cancelled=True, cancellation_date=LATER)
    facts = list(standing_facts(row, returning().engagement, LATER))
    assert [fact.type for fact in facts] == ["assignment.standing", "assignment.cancelled"]
    told(returning(), facts).becomes("lapsed")


@pytest.mark.parametrize(
    "change",
    [
        {"created": LATER + 1},
        {"eligible": {"result": False}},
        {"bind": False},
        {"contractor": "cn_other"},
        {"end_date": None},
        {"id": None},
    ],
)
def test_one_that_may_be_answered_yet_or_covers_nothing_is_no_news(change: dict[str, Any]) -> None:
    assert list(standing_facts(standing(**change), returning().engagement, LATER)) == []


def test_one_more_beside_the_one_we_know_is_no_news() -> None:
    assert list(standing_facts(standing(id="an_2"), assigned().engagement, LATER)) == []


def test_it_goes_to_the_term_that_it_was_made_for() -> None:
    """The answer to the first term's call was lost, and the contract has been renewed since."""
    renewed = returning().given(activated(), e.CoverageRenewed(Window(END, END + 90 * DAY)))
    (fact,) = standing_facts(standing(), renewed.engagement, LATER)
    s = told(renewed, [fact]).engagement
    assert s.assignment is None
    assert [made.assignment_id for made in s.assignments] == ["an_1"]
    (second,) = standing_facts(standing(id="an_2", effective_date=END, end_date=END + DAY), s, LATER)
    assert second.about == "an_2"
    assert list(standing_facts(standing(id="an_3"), s, LATER)) == []
