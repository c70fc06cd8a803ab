"""Was it covered at that instant: the answer, since when, until when, and what changes it next."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from story import (
    DAY,
    END,
    NOW,
    START,
    activated,
    assigned,
    awaiting_opt_in,
    certificate_uploaded,
    flagged,
    insured,
    policy_active,
    quoted,
    validated,
)
from story import given as story

from domain import commands as c
from domain.coverage import answer, gaps, spans
from domain.state import Assignment, Certificate, CertificateNews, Engagement, Parked, Policy, PolicyNews
from domain.values import Window

bounded = settings(max_examples=400, derandomize=True, database=None, deadline=None)


def test_cover_begins_with_the_first_second_of_the_policy_and_ends_before_its_last_edge() -> None:
    engagement = insured().engagement
    assert [answer(engagement, t).covered for t in (START - 1, START, END - 1, END)] == [
        False,
        True,
        True,
        False,
    ]


def test_an_insured_engagement_is_not_covered_before_the_effective_date_and_says_when_it_will_be() -> None:
    told = insured().becomes("insured").covered(NOW + 3 * DAY)
    assert (told.covered, told.since, told.next_change_at) == (False, None, START)
    assert told.reason == "Policy pl_1 is in place but its cover has not begun."


def test_a_covered_answer_names_its_policy_its_span_and_the_event_that_proves_it() -> None:
    told = insured().covered(START + DAY)
    assert (told.covered, told.basis, told.since, told.until) == (True, "policy", START, END)
    assert told.next_change_at == END
    assert told.evidence == (8,)
    assert told.reason == "Covered by policy pl_1."


def test_after_a_policy_ran_out_the_answer_says_since_when_and_why() -> None:
    told = insured().covered(END + DAY)
    assert (told.covered, told.since, told.next_change_at) == (False, END, None)
    assert told.reason == "Policy pl_1 ran out."


def test_a_cancellation_is_named_as_what_ended_the_cover() -> None:
    over = c.NotePolicyOver(START + DAY, "pl_1", START + DAY, canceled=True)
    told = insured().given(over).covered(START + 2 * DAY)
    assert (told.covered, told.since, told.reason) == (False, START + DAY, "Policy pl_1 was cancelled.")
    assert told.evidence == (8, 10)


def test_nothing_is_claimed_of_an_engagement_nobody_has_spoken_of() -> None:
    told = answer(Engagement("9404"), NOW)
    assert (told.covered, told.evidence) == (None, ())


def test_without_evidence_the_answer_is_a_plain_no() -> None:
    told = quoted().covered(START)
    assert (told.covered, told.since, told.next_change_at) == (False, None, None)
    assert told.reason == "No policy and no validated certificate covers it."


class TestWithoutDates:
    undated = policy_active(starts=None, ends=None)

    def test_an_active_policy_without_dates_makes_cover_unknown_never_true(self) -> None:
        told = awaiting_opt_in().given(self.undated).becomes("insured").covered(START + DAY)
        assert (told.covered, told.basis) == (None, None)
        assert "dates are not known yet" in told.reason
        assert told.evidence == (8,)

    def test_unknown_says_since_when(self) -> None:
        told = awaiting_opt_in().given(self.undated)
        assert told.covered(START).since == self.undated.at
        assert told.covered(self.undated.at - 1).since is None

    def test_unknown_begins_where_the_last_known_cover_ended(self) -> None:
        both = certificate_uploaded().given(validated(ends=START), self.undated)
        assert both.covered(START - 1).covered is True
        told = both.covered(START + 5)
        assert (told.covered, told.since) == (None, START)

    def test_a_certificate_in_force_outweighs_an_undated_policy(self) -> None:
        told = certificate_uploaded().given(validated(), self.undated).covered(START)
        assert (told.covered, told.basis) == (True, "certificate")

    def test_the_end_of_an_undated_policy_is_the_next_change(self) -> None:
        over = c.NotePolicyOver(START, "pl_1", START + 3 * DAY, canceled=True)
        told = awaiting_opt_in().given(self.undated, over)
        assert told.covered(START).next_change_at == START + 3 * DAY
        assert told.covered(START + 3 * DAY).covered is False

    def test_the_end_of_the_contract_ends_the_doubt_too(self) -> None:
        told = awaiting_opt_in().given(self.undated, c.EndContract(START, START + DAY))
        assert told.covered(START).next_change_at == START + DAY
        assert told.covered(START + DAY).covered is False

    def test_dates_read_back_settle_it(self) -> None:
        told = awaiting_opt_in().given(self.undated, policy_active(at=self.undated.at + 60))
        assert told.covered(START).covered is True
        assert told.covered(START - 1).covered is False


class TestAnEndThatCouldNotBeReadBack:
    endless = policy_active(ends=None)

    @staticmethod
    def given_up(step: str) -> c.ParkEffect:
        return c.ParkEffect(NOW + 3 * DAY, step, "ConfirmPolicy", "it shows no dates")

    def test_cover_holds_while_it_is_being_read_back_and_is_unknown_once_that_is_given_up(self) -> None:
        told = awaiting_opt_in().given(self.endless).wants("policy:pl_1:8", "share-opt-in")
        assert told.covered(START + DAY).covered is True
        after = told.given(self.given_up("policy:pl_1:8")).becomes("insured").covered(START + DAY)
        assert (after.covered, after.basis, after.since, after.evidence) == (None, None, START, (8,))
        assert after.reason == "Policy pl_1 is active but when it ends could not be read back."

    def test_before_its_start_it_is_known_not_to_cover(self) -> None:
        told = awaiting_opt_in().given(self.endless, self.given_up("policy:pl_1:8")).covered(START - 1)
        assert (told.covered, told.next_change_at) == (False, START)

    def test_the_end_of_an_assignment_under_it_is_known_all_the_same(self) -> None:
        endless = policy_active(policy="pl_old", quote="qt_first", starts=START - 90 * DAY, ends=None)
        told = assigned().given(endless, self.given_up("policy:pl_old"))
        assert [told.covered(at).covered for at in (START - 1, START, END - 1, END)] == [
            False,
            None,
            None,
            False,
        ]
        assert told.covered(START).next_change_at == END

    def test_what_was_given_up_for_another_policy_casts_no_doubt(self) -> None:
        told = awaiting_opt_in().given(self.endless, self.given_up("policy:pl_10:8"))
        assert told.covered(START).covered is True

    def test_other_cover_that_is_known_outweighs_it(self) -> None:
        both = certificate_uploaded().given(validated(), self.endless)
        parked = both.given(self.given_up(f"policy:pl_1:{both.engagement.policies['pl_1'].news[0].version}"))
        told = parked.covered(START)
        assert (told.covered, told.basis, told.until) == (True, "certificate", END)
        assert parked.covered(END).covered is None

    def test_news_of_its_end_settles_it(self) -> None:
        told = awaiting_opt_in().given(self.endless, self.given_up("policy:pl_1:8"))
        assert told.given(policy_active(at=NOW + 4 * DAY)).covered(START).covered is True


class TestJoining:
    """Cover runs on where another policy or certificate takes over."""

    bridge = certificate_uploaded().given(
        policy_active(ends=START + 10 * DAY), validated(starts=START + 5 * DAY, ends=START + 20 * DAY)
    )

    def test_overlapping_spans_make_one_stretch(self) -> None:
        for t in (START, START + 7 * DAY, START + 15 * DAY):
            told = self.bridge.covered(t)
            assert (told.since, told.until) == (START, START + 20 * DAY)

    def test_the_policy_is_the_basis_while_both_cover_and_both_are_evidence(self) -> None:
        assert self.bridge.covered(START + 7 * DAY).basis == "policy"
        assert len(self.bridge.covered(START + 7 * DAY).evidence) == 2
        assert self.bridge.covered(START + 15 * DAY).basis == "certificate"

    def test_spans_that_touch_leave_no_gap(self) -> None:
        touching = certificate_uploaded().given(
            policy_active(ends=START + DAY), validated(starts=START + DAY, ends=END)
        )
        assert touching.covered(START).until == END
        assert gaps(touching.engagement) == ()

    def test_a_second_apart_is_a_gap(self) -> None:
        apart = certificate_uploaded().given(
            policy_active(ends=START + DAY), validated(starts=START + DAY + 1, ends=END)
        )
        assert apart.covered(START).until == START + DAY
        assert apart.covered(START + DAY).next_change_at == START + DAY + 1
        assert gaps(apart.engagement) == (Window(START + DAY, START + DAY + 1),)

    def test_a_certificate_without_an_end_leaves_until_open(self) -> None:
        told = certificate_uploaded().given(validated(starts=START, ends=None)).covered(END + DAY)
        assert (told.covered, told.until, told.next_change_at) == (True, None, None)


class TestTheContractsEnd:
    ended = insured().given(c.EndContract(START + 5 * DAY, START + 5 * DAY))

    def test_cover_before_the_end_stands(self) -> None:
        told = self.ended.covered(START + 4 * DAY)
        assert (told.covered, told.until, told.next_change_at) == (True, START + 5 * DAY, START + 5 * DAY)

    def test_nothing_is_covered_from_the_end_on(self) -> None:
        told = self.ended.covered(START + 5 * DAY)
        assert (told.covered, told.since, told.reason) == (False, START + 5 * DAY, "The contract has ended.")

    def test_cover_that_would_begin_after_the_end_is_never_announced(self) -> None:
        told = insured().given(c.EndContract(START - DAY, START - DAY)).covered(START - 2 * DAY)
        assert (told.covered, told.next_change_at) == (False, None)

    def test_an_end_told_for_a_later_day_leaves_cover_until_then(self) -> None:
        told = insured().given(c.EndContract(START, START + DAY)).becomes("ended")
        assert told.covered(START).covered is True
        assert told.covered(START + DAY).covered is False


class TestUnderAnAssignment:
    """A policy shared by several contracts covers this one only inside the assignment's own window."""

    shared = assigned().given(
        policy_active(policy="pl_old", quote="qt_first", starts=START - 90 * DAY, ends=END + 90 * DAY)
    )

    def test_cover_is_clipped_to_the_assignment(self) -> None:
        told = self.shared.becomes("insured").covered(START)
        assert (told.since, told.until) == (START, END)
        assert self.shared.covered(START - 1).covered is False

    def test_the_assignment_is_part_of_the_evidence(self) -> None:
        made = next(x.version for x in self.shared.entries if type(x.event).__name__ == "AssignmentCreated")
        assert made in self.shared.covered(START).evidence

    def test_a_policy_bound_by_this_engagements_own_session_is_not_clipped(self) -> None:
        engagement = insured().engagement
        cut = Assignment("an_9", None, START + DAY, START + 2 * DAY, 9)
        assert answer(replace(engagement, assignment=cut), START).covered is True

    def test_a_policy_that_ends_before_the_assignment_ends_the_cover(self) -> None:
        over = c.NotePolicyOver(START + 3 * DAY, "pl_old", START + 3 * DAY, canceled=False)
        assert self.shared.given(over).covered(START + 4 * DAY).covered is False


class TestGaps:
    def test_a_fully_insured_window_has_none(self) -> None:
        assert gaps(insured().engagement) == ()

    def test_an_uninsured_window_is_one_gap(self) -> None:
        assert gaps(quoted().engagement) == (Window(START, END),)

    def test_nothing_is_said_while_the_window_is_not_known(self) -> None:
        assert gaps(story(activated()).engagement) == ()

    def test_the_time_between_a_cancellation_and_a_later_reinstatement_is_one(self) -> None:
        told = insured().given(
            c.NotePolicyOver(START + DAY, "pl_1", START + DAY, canceled=True),
            policy_active(at=START + 3 * DAY, starts=START + 3 * DAY),
        )
        assert gaps(told.engagement) == (Window(START + DAY, START + 3 * DAY),)

    def test_days_after_the_contracts_end_are_none(self) -> None:
        told = insured().given(
            c.NotePolicyOver(START + DAY, "pl_1", START + DAY, canceled=True),
            c.EndContract(START + 2 * DAY, START + 2 * DAY),
        )
        assert gaps(told.engagement) == (Window(START + DAY, START + 2 * DAY),)

    def test_time_of_a_policy_whose_dates_are_not_known_is_neither_covered_nor_one(self) -> None:
        undated = awaiting_opt_in().given(policy_active(starts=None, ends=None))
        assert undated.covered(START).covered is None
        assert gaps(undated.engagement) == ()
        over = undated.given(c.NotePolicyOver(START + DAY, "pl_1", START + DAY, canceled=True))
        assert gaps(over.engagement) == (Window(START + DAY, END),)

    def test_the_time_under_review_is_one(self) -> None:
        told = certificate_uploaded().given(
            validated(starts=NOW),
            flagged(at=START + DAY),
            validated(at=START + 2 * DAY, starts=START + 2 * DAY),
        )
        assert gaps(told.engagement) == (Window(START + DAY, START + 2 * DAY),)


# The same, for any evidence at all: every instant of a small world is scanned by hand.

WORLD = range(-1, 16)
ticks = st.integers(0, 14)
maybe = st.one_of(st.none(), ticks)
reads = st.sampled_from(["policy:pl_1", "policy:pl_2:3"])


@st.composite
def policies(draw: st.DrawFn, id: str) -> Policy:
    kinds = draw(st.lists(st.sampled_from(["active", "active", "expired", "canceled"]), max_size=4))
    news = tuple(
        PolicyNews(n, n, "active", draw(maybe), draw(maybe))
        if kind == "active"
        else PolicyNews(n, n, kind, ended_at=draw(ticks))  # type: ignore[arg-type]
        for n, kind in enumerate(kinds, 1)
    )
    return Policy(id, draw(st.sampled_from([None, "qt_1", "qt_0"])), news)


@st.composite
def certificates(draw: st.DrawFn) -> Certificate:
    verdicts = draw(st.lists(st.sampled_from(["validated", "validated", "flagged", "denied"]), max_size=4))
    return Certificate(
        "crt_1", tuple(CertificateNews(n, n, v, draw(maybe), draw(maybe)) for n, v in enumerate(verdicts, 1))
    )


@st.composite
def engagements(draw: st.DrawFn) -> Engagement:
    window = st.builds(Window, ticks, ticks)
    assignment = st.builds(Assignment, st.just("an_1"), st.just("pl_1"), ticks, ticks, st.just(9))
    return Engagement(
        "9001",
        version=9,
        state="insured",
        quote_id="qt_1",
        window=draw(st.one_of(st.none(), window)),
        assignment=draw(st.one_of(st.none(), assignment)),
        ended_at=draw(maybe),
        parked={step: Parked("ConfirmPolicy", "404", 1) for step in draw(st.sets(reads))},
        policies={id: draw(policies(id)) for id in ("pl_1", "pl_2")},
        certificates={"crt_1": draw(certificates())},
    )


def scan(engagement: Engagement, t: int) -> bool | None:
    """Covered at ``t``, by looking at every span on its own."""
    if engagement.ended_at is not None and t >= engagement.ended_at:
        return False
    found: set[bool | None] = set()
    for s in spans(engagement):
        before_its_end = s.end is None or t < s.end
        begun = s.start is None or s.start <= t
        found.add(None if not s.is_known and begun and before_its_end else begun and before_its_end)
    return True if True in found else None if None in found else False


@bounded
@given(engagements())
def test_every_answer_agrees_with_a_scan_of_every_instant(engagement: Engagement) -> None:
    truth = {t: scan(engagement, t) for t in WORLD}
    for t in WORLD:
        told = answer(engagement, t)
        assert told.covered is truth[t]
        changes = [u for u in WORLD if u > t and truth[u] is not truth[t]]
        assert told.next_change_at == next(iter(changes), None)
        if told.covered:
            run = [u for u in WORLD if u <= t and all(truth[v] for v in range(u, t + 1))]
            assert told.since == run[0]
            assert told.until == told.next_change_at
        elif told.covered is False and (engagement.ended_at is None or t < engagement.ended_at):
            run = [u for u in WORLD if u <= t and all(truth[v] is False for v in range(u, t + 1))]
            assert told.since == (None if run[0] == WORLD[0] else run[0])


@bounded
@given(engagements(), ticks)
def test_cover_is_never_claimed_without_a_span_that_holds_and_proves_it(
    engagement: Engagement, t: int
) -> None:
    told = answer(engagement, t)
    holding = [s for s in spans(engagement) if s.holds(t)]
    if told.covered:
        assert told.basis in {s.source for s in holding}
        assert set(told.evidence) == {v for s in holding for v in s.evidence}
        assert told.evidence
    else:
        assert told.basis is None


@bounded
@given(engagements())
def test_gaps_agree_with_a_scan_of_every_instant(engagement: Engagement) -> None:
    window = engagement.window
    if window is None:
        assert gaps(engagement) == ()
        return
    inside = [
        t
        for t in range(window.starts_at, window.ends_at)
        if engagement.ended_at is None or t < engagement.ended_at
    ]
    bare = [t for t in inside if scan(engagement, t) is False]
    found = [t for gap in gaps(engagement) for t in range(gap.starts_at, gap.ends_at)]
    assert found == bare
    assert all(gap.starts_at < gap.ends_at for gap in gaps(engagement))
