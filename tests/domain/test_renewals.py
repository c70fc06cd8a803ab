"""A contract that runs on is asked for again before the quote ends; every term has a quote of its own."""

from replacing import replace
from story import (
    ASSIGNMENT,
    CONTRACTOR,
    DAY,
    END,
    FRONTEND,
    JOB,
    NOW,
    RETURNING,
    SESSION,
    START,
    Story,
    activated,
    contract_read,
    given,
    offer,
    policy_active,
    policy_read,
    replayed,
)

from domain import commands as c
from domain import effects as x
from domain import events as e
from domain.coverage import gaps
from domain.mapping import YEAR, next_day
from domain.react import wanted
from domain.values import KnownContractor, Terms, Window

OPEN = replace(FRONTEND, ends_at=None)
FIRST, SECOND = START + 90 * DAY, START + 180 * DAY
"""Where the first term of ninety days ends, and the second."""

QUOTE_1 = c.ConfirmQuote(NOW, "qt_1", START, FIRST)
QUOTE_2 = c.ConfirmQuote(FIRST - 14 * DAY, "qt_2", FIRST, SECOND)
RENEWAL = f"deadline:renewal:{FIRST}"
DUE = FIRST - 14 * DAY


def first_timer() -> Story:
    """Insured for the first term by the session's policy; the contract is active and has no end."""
    return given(
        *(offer(), contract_read(OPEN), CONTRACTOR, JOB, QUOTE_1, SESSION, activated()),
        policy_active(quote="qt_1", ends=FIRST),
    )


def returning() -> Story:
    """Insured for the first term by an assignment under a policy that reaches far."""
    made = replace(ASSIGNMENT, end_date=FIRST)
    read = policy_active(policy="pl_old", quote="qt_first", ends=START + YEAR)
    start = given(offer(), contract_read(OPEN, RETURNING), JOB, QUOTE_1, activated(), made)
    return start.given(policy_read(read))


def due(story: Story) -> Story:
    return story.when(c.PassDeadline(DUE, RENEWAL))


def renewed(story: Story) -> Story:
    return due(story).when(contract_read(OPEN, at=DUE))


class TestWhenItIsDue:
    def test_a_timer_watches_the_end_of_the_quote(self) -> None:
        [timer] = [w for w in wanted(first_timer().engagement) if w.step == RENEWAL]
        assert timer.due_at == DUE
        assert timer.effect == x.WatchDeadline(RENEWAL, DUE, by_vendor=True)

    def test_then_the_contract_is_read_again(self) -> None:
        due(first_timer()).then(e.DeadlinePassed(RENEWAL, "renewal_due", DUE)).starts("read#2").needs()

    def bounded(self) -> Story:
        """A contract with an end, insured for all of it, when it is time to look whether it was extended."""
        story = given(offer(), contract_read(), CONTRACTOR, JOB, c.ConfirmQuote(NOW, "qt_1", START, END))
        story = story.given(SESSION, activated(), policy_active(quote="qt_1"))
        at = END - 14 * DAY
        return story.given(c.PassDeadline(at, f"deadline:renewal:{END}"))

    def test_a_contract_that_ends_with_its_quote_is_read_again_and_not_renewed(self) -> None:
        story = self.bounded().wants("read#2", "share-opt-in")
        story.when(contract_read(at=END - 14 * DAY)).then(e.TermsRead(FRONTEND)).wants("share-opt-in")

    def test_one_that_was_extended_meanwhile_is_renewed_to_its_new_end(self) -> None:
        longer = replace(FRONTEND, ends_at=END + 30 * DAY)
        story = self.bounded().when(contract_read(longer, at=END - 14 * DAY))
        assert story.told[-1] == e.CoverageRenewed(Window(END, END + 30 * DAY))

    def test_nor_one_that_was_never_active(self) -> None:
        idle = given(offer(), contract_read(OPEN), CONTRACTOR, JOB, QUOTE_1, SESSION)
        assert not [w for w in wanted(idle.engagement) if w.step.startswith("deadline:renewal")]

    def test_nor_one_that_was_given_an_end_meanwhile(self) -> None:
        bounded = replace(OPEN, ends_at=FIRST)
        story = due(first_timer()).when(contract_read(bounded, at=DUE))
        story.then(e.TermsRead(bounded)).wants("share-opt-in")

    def test_nor_one_that_has_ended(self) -> None:
        story = first_timer().given(c.EndContract(DUE - DAY, DUE - DAY))
        due(story).nothing_happens()

    def test_a_term_shorter_than_the_notice_is_not_renewed_before_it_begins(self) -> None:
        story = given(offer(), contract_read(OPEN), CONTRACTOR, JOB)
        story = story.given(c.ConfirmQuote(NOW, "qt_1", START, START + 5 * DAY), activated())
        [timer] = [w for w in wanted(story.engagement) if w.step.startswith("deadline:renewal")]
        assert timer.due_at == START


class TestTheNextTerm:
    def test_follows_the_first_without_a_gap_and_gets_a_quote_under_a_key_of_its_own(self) -> None:
        story = renewed(first_timer())
        assert story.told == (e.TermsRead(OPEN), e.CoverageRenewed(Window(FIRST, SECOND)))
        story.becomes("insured").wants("quote:term-2", "share-opt-in")
        asked = story.want("quote:term-2")
        assert asked.key == "upwork-contract-9001-quote-term-2"
        assert asked.effect.window == Window(FIRST, SECOND)
        assert story.engagement.whole_window == Window(START, SECOND)

    def test_goes_to_an_assignment_because_the_contractor_has_opted_in_by_now(self) -> None:
        story = renewed(first_timer()).when(QUOTE_2).starts("assignment:term-2")
        made = c.ConfirmAssignment(DUE, "an_2", "pl_far", FIRST, SECOND)
        story.when(made).becomes("insured").wants("policy:pl_far:term-2", "share-opt-in")

    def test_an_assignment_under_a_policy_that_reaches_carries_it_on(self) -> None:
        story = renewed(returning()).given(QUOTE_2)
        story = story.given(c.ConfirmAssignment(DUE, "an_2", "pl_old", FIRST, SECOND))
        far = policy_active(policy="pl_old", quote="qt_first", ends=START + YEAR)
        story = story.when(policy_read(far)).becomes("insured")
        assert [story.covered(t).covered for t in (START, FIRST - 1, FIRST, SECOND - 1, SECOND)] == [
            *(True, True, True, True, False)
        ]
        assert story.covered(START).until == SECOND
        assert gaps(story.engagement) == ()

    def test_an_assignment_under_a_policy_that_ends_before_it_leads_to_a_session(self) -> None:
        story = renewed(first_timer()).given(QUOTE_2)
        story = story.given(c.ConfirmAssignment(DUE, "an_2", "pl_1", FIRST, SECOND))
        ends = policy_active(policy="pl_1", quote="qt_1", ends=FIRST)
        story = story.when(policy_read(ends, policy="pl_1")).starts("session:term-2:after-refusal")
        story = story.given(c.ConfirmSession(DUE, "ias_2", None))
        story = story.when(policy_active(DUE + DAY, "pl_2", "qt_2", FIRST, SECOND)).becomes("insured")
        assert story.covered(START).until == SECOND
        assert gaps(story.engagement) == ()

    def test_a_refused_assignment_leads_to_a_session_whose_opt_in_is_watched(self) -> None:
        story = renewed(first_timer()).given(QUOTE_2)
        story = story.when(c.NoteAssignmentRefused(DUE, "No matching policy found for assignment."))
        story = story.starts("session:term-2:after-refusal").given(c.ConfirmSession(DUE, "ias_2", None))
        assert "deadline:opt-in:ias_2" in {w.step for w in wanted(story.engagement)}
        story.when(c.PassDeadline(DUE + 3 * DAY, "deadline:opt-in:ias_2")).needs("opt_in_overdue")

    def test_without_anything_new_the_cover_lapses_where_the_first_term_ends(self) -> None:
        renewed(first_timer()).given(QUOTE_2).when(c.Reassess(FIRST)).becomes("lapsed")

    def test_comes_again_before_the_end_of_the_second(self) -> None:
        story = renewed(returning()).given(QUOTE_2)
        again = f"deadline:renewal:{SECOND}"
        assert again in {w.step for w in wanted(story.engagement)}
        story = story.given(c.PassDeadline(SECOND - 14 * DAY, again))
        story = story.when(contract_read(OPEN, at=SECOND - 14 * DAY))
        story.wants("quote:term-3", "share-opt-in")

    def test_replay_leads_to_the_same(self) -> None:
        story = renewed(returning()).given(QUOTE_2)
        assert replayed(story) == story.engagement


class TestMoreThanAYear:
    TWO_YEARS = replace(FRONTEND, ends_at=START + 2 * YEAR)

    def story(self) -> Story:
        quote = c.ConfirmQuote(NOW, "qt_1", START, START + YEAR)
        story = given(offer(), contract_read(self.TWO_YEARS), CONTRACTOR, JOB, quote, SESSION, activated())
        return story.given(policy_active(quote="qt_1", ends=START + YEAR))

    def test_is_flagged_until_the_rest_is_asked_for(self) -> None:
        story = self.story().needs("term_over_a_year")
        at = START + YEAR - 14 * DAY
        story = story.given(c.PassDeadline(at, f"deadline:renewal:{START + YEAR}"))
        story = story.when(contract_read(self.TWO_YEARS, at=at)).needs()
        assert story.engagement.window == Window(START + YEAR, START + 2 * YEAR)
        assert e.HoldCleared("term_over_a_year") in story.told


class TestTheEndAfterARenewal:
    def both_assigned(self) -> Story:
        story = renewed(returning()).given(QUOTE_2)
        return story.given(c.ConfirmAssignment(DUE, "an_2", "pl_old", FIRST, SECOND))

    def test_before_the_next_term_cancels_the_coming_and_shortens_the_running_assignment(self) -> None:
        at = DUE + DAY
        story = self.both_assigned().when(c.EndContract(at, at))
        story.starts("end-coverage:term-2", "end-coverage:an_1")
        assert story.effect("end-coverage:term-2") == x.EndCoverage("jb_Upw42Eng", "an_2", FIRST, at)
        running = story.effect("end-coverage:an_1")
        assert running == x.EndCoverage("jb_Upw42Eng", "an_1", START, at, earlier=True)
        for order in (("canceled", "shortened"), ("shortened", "canceled")):
            told = story
            for which in order:
                told = told.when(self.answer(which, at))
            told.wants("policy:pl_old:term-2", "share-opt-in")
            assert told.engagement.coverage_ended == "canceled_by_job"

    def answer(self, which: str, at: int) -> c.ConfirmCoverageEnded:
        if which == "canceled":
            return c.ConfirmCoverageEnded(at, "canceled_by_job")
        return c.ConfirmCoverageEnded(at, "assignment_shortened", at, "an_1")

    def test_in_the_next_term_shortens_only_its_own(self) -> None:
        at = FIRST + DAY
        self.both_assigned().when(c.EndContract(at, at)).starts("end-coverage:term-2")

    def test_with_a_session_policy_of_the_first_term_leaves_it_to_its_end(self) -> None:
        story = renewed(first_timer()).given(QUOTE_2).when(c.EndContract(DUE + DAY, DUE + DAY))
        assert story.told[-1] == e.CoverageEnded("left_to_its_end")
        story.wants("share-opt-in")


class TestWhatIsPast:
    """1099Policy quotes nothing that is over, by its own clock."""

    LATE = START + 200 * DAY + 3600

    def read(self, terms: Terms, there: int) -> Story:
        return given(offer()).when(c.RecordTerms(NOW, terms, KnownContractor(), there))

    def test_an_open_ended_contract_older_than_a_term_is_quoted_from_the_next_day(self) -> None:
        story = self.read(OPEN, self.LATE)
        assert story.engagement.window == Window(next_day(self.LATE), next_day(self.LATE) + 90 * DAY)
        assert any("next day" in note for note in story.told[1].notes)  # type: ignore[attr-defined]

    def test_one_that_has_run_for_more_than_a_year_goes_on_to_its_end(self) -> None:
        long = replace(FRONTEND, ends_at=START + 500 * DAY)
        story = self.read(long, START + 400 * DAY)
        assert story.engagement.window == Window(next_day(START + 400 * DAY), START + 500 * DAY)
        story.needs()

    def test_one_whose_term_still_runs_keeps_its_start(self) -> None:
        assert self.read(OPEN, START + 30 * DAY).engagement.window == Window(START, FIRST)

    def test_one_that_is_over_by_its_dates_is_asked_for_as_it_stands_and_the_vendor_says_no(self) -> None:
        assert self.read(FRONTEND, END + DAY).engagement.window == Window(START, END)

    def test_a_late_renewal_begins_on_the_next_day(self) -> None:
        late = c.RecordTerms(NOW, OPEN, KnownContractor(), FIRST + 5 * DAY + 60)
        story = due(first_timer()).when(late)
        starts = next_day(FIRST + 5 * DAY + 60)
        assert story.told[-1] == e.CoverageRenewed(Window(starts, starts + 90 * DAY))

    def test_a_retry_of_a_renewals_quote_plans_its_dates_anew(self) -> None:
        story = renewed(first_timer()).given(c.ParkEffect(DUE, "quote:term-2", "CreateQuote", "400"))
        story = story.given(c.RequestRetry(DUE, "again")).wants("read#3", "quote:term-2", "share-opt-in")
        starts = next_day(SECOND + 5 * DAY + 60)
        story = story.when(c.RecordTerms(NOW, OPEN, KnownContractor(), SECOND + 5 * DAY + 60))
        assert story.engagement.window == Window(starts, starts + 90 * DAY)
        story.wants("quote:term-2#2", "share-opt-in")


class TestAPolicyOfAnEarlierTerm:
    def test_that_comes_late_does_not_answer_the_new_quote(self) -> None:
        """Nobody opted in for the first term; its session is completed after the renewal."""
        waiting = given(offer(), contract_read(OPEN), CONTRACTOR, JOB, QUOTE_1, SESSION, activated())
        story = renewed(waiting).given(QUOTE_2, c.ConfirmSession(DUE, "ias_2", None))
        story = story.when(policy_active(DUE + DAY, "pl_1", "qt_1", START, FIRST)).becomes("insured")
        story.wants("assignment:term-2", "share-opt-in")
