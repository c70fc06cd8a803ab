"""Deadlines: each is watched by a stored timer, told once, and shown for as long as it concerns anybody."""

import pytest
from replacing import replace
from story import (
    CONTRACTOR,
    DAY,
    END,
    FRONTEND,
    JOB,
    NOW,
    QUOTE,
    RULES,
    SESSION,
    SHA,
    START,
    Story,
    assigned,
    awaiting_opt_in,
    certificate_uploaded,
    contract_read,
    flagged,
    given,
    insured,
    offer,
    policy_active,
    replayed,
    validated,
)

from domain import commands as c
from domain import events as e
from domain.deadlines import HOUR
from domain.react import still_wanted, wanted
from domain.values import Patience

OPT_IN = "deadline:opt-in:ias_1"


def watched(story: Story) -> dict[str, int | None]:
    return {w.step: w.due_at for w in wanted(story.engagement) if w.step.startswith("deadline:")}


def passed(story: Story, step: str) -> Story:
    due_at = watched(story)[step]
    assert due_at is not None
    return story.when(c.PassDeadline(due_at, step))


class TestOptIn:
    def test_a_session_nobody_completes_is_told_of_after_three_days(self) -> None:
        story = awaiting_opt_in()
        assert watched(story) == {OPT_IN: NOW + 3 * DAY}
        passed(story, OPT_IN).then(e.DeadlinePassed(OPT_IN, "opt_in_overdue", NOW + 3 * DAY)).needs(
            "opt_in_overdue"
        ).becomes("awaiting_opt_in")

    def test_it_is_told_once(self) -> None:
        story = passed(awaiting_opt_in(), OPT_IN)
        assert watched(story) == {}
        story.when(c.PassDeadline(NOW + 9 * DAY, OPT_IN)).nothing_happens()

    def test_the_policy_settles_it(self) -> None:
        passed(awaiting_opt_in(), OPT_IN).when(policy_active(NOW + 4 * DAY)).becomes("insured").needs()

    def test_a_timer_whose_cause_is_gone_is_withdrawn(self) -> None:
        assert still_wanted(awaiting_opt_in().engagement, OPT_IN, 1)
        assert not still_wanted(insured().engagement, OPT_IN, 1)
        insured().when(c.PassDeadline(NOW + 3 * DAY, OPT_IN)).nothing_happens()

    def test_the_end_of_the_contract_settles_it(self) -> None:
        passed(awaiting_opt_in(), OPT_IN).when(c.EndContract(NOW + 4 * DAY, NOW + 4 * DAY)).needs()

    def test_the_days_are_those_configured_when_the_cover_was_planned(self) -> None:
        hasty = replace(RULES, patience=Patience(opt_in_days=1))
        story = given(offer(), contract_read(), CONTRACTOR, JOB, QUOTE, rules=hasty)
        assert watched(replace(story, rules=RULES).given(SESSION)) == {OPT_IN: NOW + DAY}


class TestReview:
    def test_a_certificate_under_review_for_two_days_is_told_of(self) -> None:
        story = certificate_uploaded()
        step = f"deadline:review:crt_1:{NOW}"
        assert watched(story)[step] == NOW + 48 * HOUR
        passed(story, step).needs("review_overdue").when(validated()).needs()

    def test_a_flag_is_given_its_own_time(self) -> None:
        story = passed(certificate_uploaded(), f"deadline:review:crt_1:{NOW}")
        at = NOW + 3 * DAY
        story = story.when(flagged(at)).needs("certificate_flagged")
        again = f"deadline:review:crt_1:{at}"
        assert watched(story)[again] == at + 48 * HOUR
        passed(story, again).needs("certificate_flagged", "review_overdue")

    def test_a_refusal_settles_it(self) -> None:
        story = passed(certificate_uploaded(), f"deadline:review:crt_1:{NOW}")
        story.when(flagged(verdict="denied")).needs("certificate_denied")


class TestExpiry:
    def days_left(self, story: Story) -> Story:
        for days in (30, 7, 1):
            step = f"deadline:expiry:{END}:{days}"
            assert watched(story)[step] == END - days * DAY
            assert sum(s.startswith("deadline:expiry") for s in watched(story)) == 1, "one timer at a time"
            story = passed(story, step).then(e.DeadlinePassed(step, "expiry_coming", END - days * DAY))
        assert watched(story) == {}
        return story

    def test_the_end_of_cover_is_told_at_each_of_the_configured_days(self) -> None:
        self.days_left(insured())

    def test_an_end_that_is_the_contracts_own_needs_nobody(self) -> None:
        self.days_left(insured()).needs()

    def test_an_end_before_the_contracts_needs_a_person_until_something_reaches_further(self) -> None:
        early = replace(FRONTEND, ends_at=END + 5 * DAY)
        story = given(offer(), contract_read(early), CONTRACTOR, JOB, QUOTE, SESSION, policy_active())
        story = self.days_left(story).needs("expiry_coming")
        story.when(policy_active(END - DAY, "pl_2", None, END - DAY, END + 5 * DAY)).needs()

    def test_days_before_the_cover_begins_do_not_count(self) -> None:
        short = awaiting_opt_in().given(policy_active(starts=START, ends=START + 7 * DAY))
        assert watched(short) == {f"deadline:expiry:{START + 7 * DAY}:1": START + 6 * DAY}

    def test_a_certificates_end_counts_as_well_and_the_later_of_two_that_meet(self) -> None:
        story = certificate_uploaded().given(validated(ends=END))
        assert f"deadline:expiry:{END}:30" in watched(story)
        later = story.given(policy_active(starts=END - DAY, ends=END + 60 * DAY))
        assert f"deadline:expiry:{END + 60 * DAY}:30" in watched(later)

    @pytest.mark.parametrize("days", [(), (60,)])
    def test_the_days_can_be_others_or_none(self, days: tuple[int, ...]) -> None:
        rules = replace(RULES, patience=Patience(expiry_days=days))
        told = given(offer(), contract_read(), CONTRACTOR, JOB, QUOTE, SESSION, policy_active(), rules=rules)
        expected = {f"deadline:expiry:{END}:{n}": END - n * DAY for n in days}
        assert watched(told) == expected

    def test_a_cancelled_policy_has_nothing_left_to_expire(self) -> None:
        story = passed(insured(), f"deadline:expiry:{END}:30")
        over = c.NotePolicyOver(END - 20 * DAY, "pl_1", END - 20 * DAY, canceled=True)
        assert watched(story.when(over).becomes("lapsed")) == {}


class TestWhatTimePassedStays:
    """A verdict by time alone is never taken back by news that has nothing to do with it."""

    def test_a_retry_after_the_policy_ran_out_does_not_insure_again(self) -> None:
        lapsed = insured().given(c.Reassess(END)).becomes("lapsed")
        lapsed.when(c.RequestRetry(END + DAY, "again")).becomes("lapsed")
        lapsed.when(c.SubmitCertificate(END + DAY, "coi.pdf", SHA)).becomes("lapsed")

    def test_a_certificate_that_took_over_keeps_doing_so(self) -> None:
        story = certificate_uploaded().given(validated(ends=END + 9 * DAY), policy_active())
        fallen = story.given(c.Reassess(END)).becomes("coi_validated")
        fallen.when(c.RequestRetry(END + DAY, "again")).becomes("coi_validated")

    def test_late_news_of_a_longer_term_insures_again(self) -> None:
        lapsed = insured().given(c.Reassess(END))
        lapsed.when(policy_active(NOW + 3 * DAY, ends=END + 30 * DAY)).becomes("insured")


def test_replay_knows_what_passed() -> None:
    story = passed(awaiting_opt_in(), OPT_IN)
    assert replayed(story) == story.engagement
    assert story.engagement.passed == {OPT_IN: NOW + 3 * DAY}


def test_an_assignments_cover_is_watched_like_any_other() -> None:
    story = assigned().given(policy_active(policy="pl_old", quote="qt_first", ends=END + 90 * DAY))
    assert f"deadline:expiry:{END}:30" in watched(story)
