"""An assignment that others cancel or date anew at 1099Policy: cover follows, and nothing is called."""

import pytest
from replacing import replace
from story import (
    ASSIGNMENT,
    DAY,
    END,
    NOW,
    SHA,
    START,
    Story,
    activated,
    assigned,
    flagged,
    insured,
    policy_read,
    returning,
    validated,
)

from domain import commands as c
from domain import effects as x
from domain import events as e
from domain.attention import attention
from domain.lifecycle import LIVE

LATER = START + 5 * DAY


def cancelled(canceled_at: int = LATER, at: int | None = None, id: str = "an_1") -> c.NoteAssignmentCancelled:
    return c.NoteAssignmentCancelled(canceled_at if at is None else at, id, canceled_at)


def dated(starts: int, ends: int, at: int = NOW + 3 * DAY) -> c.NoteAssignmentChanged:
    return c.NoteAssignmentChanged(at, "an_1", starts, ends)


def covered() -> Story:
    """Assigned and read back: covered by a policy of another engagement from START to END."""
    return assigned().given(policy_read()).becomes("insured")


def test_cover_ends_with_the_cancellation_and_a_person_is_told_why() -> None:
    story = covered().when(cancelled())
    story.then(
        e.AssignmentCancelled("an_1", LATER, LATER),
        e.CoverageLapsed("The assignment was cancelled at 1099Policy and nothing else covers."),
    )
    story.starts().becomes("lapsed")
    assert [story.covered(t).covered for t in (LATER - 1, LATER)] == [True, False]
    assert story.covered(LATER).reason == "Policy pl_old covers no more: the assignment was cancelled."
    (item,) = attention(story.engagement)
    assert (item.code, item.since) == ("coverage_lapsed", LATER)
    assert "assignment was cancelled" in item.message


def test_cancelled_before_its_start_it_never_covered() -> None:
    story = covered().given(cancelled(START - DAY)).becomes("lapsed")
    assert story.covered(START).covered is False
    assert story.covered(START).reason == "The assignment was cancelled, and nothing else covers it."
    assert attention(story.engagement)[0].since == START - DAY


def test_a_cancellation_that_lies_ahead_ends_cover_on_its_day() -> None:
    story = covered().when(cancelled(LATER, at=START)).becomes("insured")
    assert {type(w.effect) for w in story.started} == {x.WakeUp, x.WatchDeadline}, "timers alone"
    story.when(c.Reassess(LATER)).becomes("lapsed")


def test_it_falls_back_to_a_certificate() -> None:
    own = (c.SubmitCertificate(NOW, "coi.pdf", SHA), c.ConfirmCertificateUploaded(NOW, "crt_1", SHA))
    story = covered().given(*own, validated()).when(cancelled())
    story.becomes("coi_validated").needs()
    story.given(flagged(at=LATER + DAY, verdict="denied")).becomes("lapsed")


def test_a_policy_of_the_engagements_own_session_is_not_touched() -> None:
    story = insured().given(replace(ASSIGNMENT, policy_id="pl_1")).when(cancelled())
    story.becomes("insured")
    assert story.covered(LATER).covered is True


@pytest.mark.parametrize("place", range(3))
def test_whenever_it_is_heard_it_ends_the_same(place: int) -> None:
    """It leads here by its job before we know of the assignment."""
    order: list[c.EngagementCommand] = [ASSIGNMENT, policy_read()]
    order.insert(place, cancelled())
    story = returning().given(activated(), *order)
    story.becomes("lapsed").needs("coverage_lapsed").wants("share-opt-in")
    assert [story.covered(t).covered for t in (START, LATER - 1, LATER)] == [True, True, False]


def test_of_an_assignment_that_is_not_ours_it_means_nothing() -> None:
    covered().when(cancelled(id="an_other")).becomes("insured").needs()


def test_it_is_recorded_once_and_the_earliest_date_counts() -> None:
    story = covered().given(cancelled())
    story.when(cancelled(), cancelled(LATER + DAY)).nothing_happens()
    story = story.given(cancelled(LATER - DAY, at=LATER + DAY))
    assert story.covered(LATER - DAY).covered is False


def test_our_own_cancellation_at_the_contracts_end_changes_nothing() -> None:
    ended = covered().given(c.EndContract(START - DAY, START - DAY))
    ended.wants("end-coverage", "share-opt-in")
    done = ended.given(c.ConfirmCoverageEnded(START - DAY, "canceled_by_job"))
    done.when(cancelled(START - DAY)).nothing_happens()
    told_first = ended.when(cancelled(START - DAY + 1))
    told_first.becomes("ended").needs().wants("share-opt-in")
    assert [told_first.covered(t) for t in (NOW, START, LATER)] == [
        done.covered(t) for t in (NOW, START, LATER)
    ]


def test_what_is_cancelled_already_is_not_ended_again() -> None:
    story = covered().given(cancelled()).when(c.EndContract(LATER + DAY, LATER + DAY))
    story.starts().becomes("ended").needs()


def test_cover_follows_the_dates_the_vendor_shows() -> None:
    story = covered().when(dated(START + DAY, LATER))
    story.then(e.AssignmentChanged("an_1", NOW + 3 * DAY, START + DAY, LATER)).becomes("insured")
    assert [story.covered(t).covered for t in (START, START + DAY, LATER - 1, LATER)] == [
        *(False, True, True, False)
    ]
    story.when(dated(START + DAY, LATER)).nothing_happens()
    story.when(c.Reassess(LATER)).becomes("lapsed").given(dated(START, END, LATER)).becomes("insured")


def test_a_later_date_never_revives_what_was_cancelled() -> None:
    story = covered().given(cancelled(), dated(START, END + DAY, LATER + DAY))
    assert story.covered(LATER).covered is False


def test_the_end_of_the_contract_ends_what_was_drawn_out_and_leaves_what_is_over() -> None:
    longer = covered().given(dated(START, END + 9 * DAY))
    longer.given(c.EndContract(END + DAY, END + DAY)).wants("end-coverage", "share-opt-in")
    shorter = covered().given(dated(START, LATER))
    shorter.given(c.EndContract(LATER, LATER)).wants("share-opt-in")


def test_it_lapses_in_every_live_state_that_nothing_else_carries() -> None:
    """An assignment alone, its policy not read yet, is cancelled: it will never cover."""
    story = assigned().when(cancelled(NOW + 2 * DAY))
    story.becomes("lapsed").needs("coverage_lapsed").wants("policy:pl_old")
    assert story.engagement.state in LIVE
