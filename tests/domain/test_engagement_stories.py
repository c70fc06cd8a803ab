"""The guide's flows, told as given / when / then."""

from itertools import permutations

import pytest
from msgspec import structs
from replacing import replace
from story import (
    ASSIGNMENT,
    COI,
    CONTRACTOR,
    DAY,
    END,
    FRONTEND,
    JOB,
    NOW,
    QUOTE,
    RETURNING,
    RULES,
    SESSION,
    SHA,
    START,
    Story,
    activated,
    assigned,
    awaiting_opt_in,
    certificate_uploaded,
    contract_read,
    flagged,
    given,
    insured,
    offer,
    policy_active,
    policy_read,
    quoted,
    replayed,
    returning,
    validated,
)

from domain import commands as c
from domain import effects as x
from domain import events as e
from domain.attention import attention
from domain.coverage import spans
from domain.errors import NotKnown, Refused
from domain.values import Attachment, ContractorDraft, JobDraft, KnownContractor, Person, Window

LATER = START + 10 * DAY


class TestFirstTimeContractor:
    def test_an_accepted_offer_begins_the_engagement_and_reads_the_contract_back(self) -> None:
        given().when(offer()).then(e.OfferAccepted("of_77", "fl_12345", None)).starts("read").becomes(
            "offered"
        )

    def test_the_contract_read_plans_contractor_job_and_window_and_starts_both_creations(self) -> None:
        story = given(offer()).when(contract_read())
        assert [type(event) for event in story.told] == [e.TermsRead, e.CoveragePlanned]
        story.starts("contractor", "job").becomes("offered").needs()
        assert isinstance(story.effect("contractor").draft, ContractorDraft)
        assert isinstance(story.effect("job").draft, JobDraft)

    def test_contractor_and_job_may_come_in_either_order_before_the_quote(self) -> None:
        read = given(offer(), contract_read())
        read.given(JOB).when(CONTRACTOR).starts("quote").becomes("contractor_ready")
        read.given(CONTRACTOR).when(JOB).then(e.JobCreated("jb_Upw42Eng")).starts("quote")

    def test_the_quote_asks_for_the_contracts_exact_dates(self) -> None:
        asked = given(offer(), contract_read(), CONTRACTOR, JOB).effect("quote")
        assert asked == x.CreateQuote(
            "9001", "cn_FoA42zQ", "jb_Upw42Eng", ("general",), Window(1764628800, 1772448000)
        )

    def test_a_quote_leads_to_an_application_session(self) -> None:
        story = given(offer(), contract_read(), CONTRACTOR, JOB).when(QUOTE)
        story.then(e.QuoteCreated("qt_Zk39A2L", START, END)).starts("session").becomes("quoted")
        assert story.effect("session") == x.OpenSession("9001", "fl_12345", "qt_Zk39A2L", True)

    def test_an_open_session_waits_for_the_contractor(self) -> None:
        quoted().when(SESSION).becomes("awaiting_opt_in").starts().wants()

    def test_an_active_policy_insures_and_tells_the_freelancers_other_engagements(self) -> None:
        awaiting_opt_in().when(policy_active()).then(
            e.PolicyActivated("pl_1", NOW + 2 * DAY, "qt_Zk39A2L", START, END), e.EngagementInsured("pl_1")
        ).starts("share-opt-in", f"wake:{END}:1").becomes("insured").needs()

    def test_a_session_that_bound_a_policy_needs_no_assignment_on_top(self) -> None:
        insured().when(activated()).starts().becomes("insured")

    def test_shared_opt_in_leaves_nothing_to_do(self) -> None:
        insured().when(c.ConfirmOptInShared(NOW)).then(e.OptInShared()).wants()

    def test_each_step_is_confirmed_once(self) -> None:
        for outcome in (CONTRACTOR, JOB, QUOTE, SESSION):
            awaiting_opt_in().when(outcome).nothing_happens()

    def test_the_keys_are_the_guides_and_the_contracts(self) -> None:
        read = given(offer(), contract_read())
        assert read.want("contractor").key == "upwork-freelancer-fl_12345"
        assert read.want("job").key == "upwork-contract-9001-job"


class TestReturningContractor:
    def test_known_contractors_are_not_created_again(self) -> None:
        story = given(offer()).when(contract_read(known=RETURNING)).starts("job").becomes("contractor_ready")
        assert story.told[-1] == e.ContractorReady("cn_FoA42zQ", True)

    def test_an_active_contract_after_the_quote_starts_the_assignment(self) -> None:
        returning().becomes("quoted").wants()
        returning().when(activated()).starts("assignment").becomes("quoted")

    def test_an_active_contract_before_the_quote_starts_the_assignment_with_the_quote(self) -> None:
        early = given(offer(), activated(), contract_read(known=RETURNING), JOB)
        early.wants("quote").when(QUOTE).starts("assignment")

    def test_the_assignment_takes_the_quotes_window(self) -> None:
        moved = c.ConfirmQuote(NOW, "qt_2", START + DAY, END, moved_from=START)
        story = given(offer(), activated(), contract_read(known=RETURNING), JOB, moved)
        assert story.effect("assignment").window == Window(START + DAY, END)

    def test_an_assignment_has_its_policy_read_back(self) -> None:
        returning().given(activated()).when(ASSIGNMENT).then(
            e.AssignmentCreated("an_1", "pl_old", START, END)
        ).starts("policy:pl_old").becomes("assigned")
        assert assigned().effect("policy:pl_old") == x.ConfirmPolicy("cn_FoA42zQ", "pl_old")

    def test_an_assignment_without_a_policy_id_has_the_latest_policy_read(self) -> None:
        unnamed = replace(ASSIGNMENT, policy_id=None)
        story = returning().given(activated()).when(unnamed).starts("policy:latest")
        assert story.effect("policy:latest") == x.ConfirmPolicy("cn_FoA42zQ", None)

    def test_a_policy_is_read_back_though_some_of_its_news_came_first(self) -> None:
        """Of the news before the assignment this engagement was told nothing."""
        over = c.NotePolicyOver(START + 3 * DAY, "pl_old", START + 3 * DAY, canceled=True)
        resumed = policy_active(START + 5 * DAY, "pl_old", "qt_first", START + 6 * DAY)
        story = assigned().given(resumed).wants("policy:pl_old", "share-opt-in")
        first = policy_active(policy="pl_old", quote="qt_first")
        story = story.when(c.RecordPolicy(resumed.at, "pl_old", (first, over, resumed)))
        story.then(
            e.PolicyActivated("pl_old", first.at, "qt_first", START, END),
            e.PolicyCanceled("pl_old", over.at, over.ended_at),
            e.PolicyRead("pl_old"),
        ).wants("share-opt-in")
        assert [(s.start, s.end) for s in spans(story.engagement)] == [
            (START, START + 3 * DAY),
            (START + 6 * DAY, END),
        ]
        story.when(c.RecordPolicy(resumed.at, "pl_old", (first, over, resumed))).nothing_happens()

    def test_a_session_that_opens_after_the_assignment_moves_nothing(self) -> None:
        assigned().when(SESSION).then(e.SessionOpened("ias_1", "https://apply.example/ias_1")).becomes(
            "assigned"
        )

    def test_an_assignment_alone_covers_nothing(self) -> None:
        assert assigned().covered(START).covered is False

    def test_the_active_policy_of_the_assignment_insures(self) -> None:
        story = assigned().when(policy_active(policy="pl_old", quote="qt_first"))
        story.becomes("insured").starts("share-opt-in", f"wake:{END}:2")
        assert story.covered(START).covered is True

    def test_a_policy_that_turns_out_to_be_over_lapses(self) -> None:
        over = c.NotePolicyOver(NOW + 2 * DAY, "pl_old", NOW, canceled=False)
        assigned().when(over).becomes("lapsed").needs("coverage_lapsed")

    def test_a_contractor_who_opted_in_meanwhile_gets_an_assignment_and_no_session(self) -> None:
        story = quoted().given(activated()).when(c.NoteOptIn(NOW + DAY)).then(e.OptInNoted())
        story.starts("assignment").becomes("quoted").when(c.NoteOptIn(NOW + DAY)).nothing_happens()

    def test_a_refused_assignment_falls_back_to_a_session_that_ignores_the_opt_in(self) -> None:
        refused = c.NoteAssignmentRefused(NOW + DAY, "No matching policy found for assignment.")
        story = returning().given(activated()).when(refused)
        story.then(e.AssignmentRefused("No matching policy found for assignment."))
        story.starts("session:after-refusal").becomes("quoted")
        assert story.effect("session:after-refusal").may_have_opted_in is False
        story.when(SESSION).becomes("awaiting_opt_in").starts().needs()

    def test_a_session_given_up_for_the_opt_in_is_a_new_step_after_the_refusal(self) -> None:
        refused = c.NoteAssignmentRefused(NOW + DAY, "Different work state.")
        story = quoted().given(activated(), c.NoteOptIn(NOW + DAY)).when(refused)
        story.starts("session:after-refusal")

    def test_a_waived_quote_goes_straight_to_the_assignment(self) -> None:
        waived = c.WaiveQuote(NOW, "contractor_has_matching_policy")
        story = given(offer(), activated(), contract_read(), CONTRACTOR, JOB).when(waived)
        story.then(e.QuoteWaived("contractor_has_matching_policy")).becomes("quoted").starts("assignment")
        assert story.effect("assignment").window == Window(START, END)

    def test_a_waived_quote_whose_assignment_is_refused_waits_for_a_person(self) -> None:
        waived = c.WaiveQuote(NOW, "contractor_has_matching_policy")
        refused = c.NoteAssignmentRefused(NOW + DAY, "Card declined.")
        story = given(offer(), activated(), contract_read(), CONTRACTOR, JOB, waived).when(refused)
        story.starts().needs("assignment_refused").when(policy_active()).becomes("insured").needs()

    def test_the_refusal_is_told_since_it_was_given_whatever_happens_later(self) -> None:
        waived = c.WaiveQuote(NOW, "contractor_has_matching_policy")
        refused = c.NoteAssignmentRefused(NOW + DAY, "Card declined.")
        story = given(offer(), activated(), contract_read(), CONTRACTOR, JOB, waived, refused)
        later = story.given(offer(at=NOW + 5 * DAY)).needs("assignment_refused")
        assert [item.since for item in attention(later.engagement)] == [NOW + DAY]


class TestContractActiveWithoutAnOffer:
    def test_it_begins_the_engagement_the_same_way(self) -> None:
        given().when(activated()).starts("read").becomes("offered")

    def test_a_first_timer_still_goes_through_a_session(self) -> None:
        given(activated(), contract_read(), CONTRACTOR, JOB).when(QUOTE).starts("session")

    def test_a_late_offer_changes_nothing_but_is_kept(self) -> None:
        late = awaiting_opt_in().when(offer(at=NOW + DAY)).starts().becomes("awaiting_opt_in")
        assert len(late.told) == 1

    def test_other_news_before_it_is_refused_so_that_it_can_wait(self) -> None:
        for early in (policy_active(), validated(), flagged(), CONTRACTOR, contract_read(), c.Reassess(NOW)):
            given().when(early).refuses(NotKnown, "No engagement 9001 is known here")


class TestOwnCertificate:
    read = given(offer(), contract_read(replace(FRONTEND, attachments=(COI,))), CONTRACTOR)

    def test_a_pdf_of_the_contract_is_fetched_at_once(self) -> None:
        given(offer()).when(contract_read(replace(FRONTEND, attachments=(COI,)))).starts(
            "contractor", "job", "fetch:at_1"
        )

    @pytest.mark.parametrize(
        ("name", "content_type", "may_be"),
        [
            ("brief.docx", "application/msword", False),
            ("ACORD.PDF", None, True),
            ("scan", "application/pdf", True),
            ("cv.pdf.exe", "application/octet-stream", False),
        ],
    )
    def test_only_what_may_be_a_pdf_is_fetched(
        self, name: str, content_type: str | None, may_be: bool
    ) -> None:
        file = Attachment("at_2", name, "https://upwork.example/at_2", content_type)
        story = given(offer(), contract_read(replace(FRONTEND, attachments=(file,))))
        story.wants("contractor", "job", *(["fetch:at_2"] if may_be else []))

    def test_a_fetched_file_is_uploaded_for_the_contractor(self) -> None:
        story = self.read.when(c.ConfirmAttachmentFetched(NOW, "at_1", "acord-25.pdf", SHA))
        story.then(e.AttachmentFetched("at_1", "acord-25.pdf", SHA)).starts(f"certificate:{SHA[:16]}")
        upload = story.effect(f"certificate:{SHA[:16]}")
        assert upload == x.UploadCertificate("9001", "cn_FoA42zQ", SHA, "acord-25.pdf")

    def test_an_upload_waits_for_the_contractor(self) -> None:
        early = given(offer(), contract_read()).given(c.SubmitCertificate(NOW, "coi.pdf", SHA))
        early.wants("contractor", "job").when(CONTRACTOR).starts(f"certificate:{SHA[:16]}")

    def test_the_same_file_twice_is_uploaded_once(self) -> None:
        story = self.read.given(c.ConfirmAttachmentFetched(NOW, "at_1", "acord-25.pdf", SHA))
        story.when(c.SubmitCertificate(NOW, "again.pdf", SHA)).nothing_happens()

    def test_an_uploaded_certificate_waits_for_its_review(self) -> None:
        certificate_uploaded().becomes("awaiting_opt_in").wants().needs()

    def test_a_validated_certificate_covers_and_is_looked_at_again_when_it_ends(self) -> None:
        story = certificate_uploaded().when(validated())
        story.becomes("coi_validated").starts(f"wake:{END}:1").needs()
        assert story.told[-1] == e.CertificateAccepted("crt_1")
        assert story.covered(START).basis == "certificate"

    def test_a_flagged_certificate_waits_for_a_person(self) -> None:
        story = certificate_uploaded().when(flagged()).becomes("under_review").needs("certificate_flagged")
        assert story.told[-1] == e.ReviewOpened("crt_1")
        assert story.covered(START).covered is False

    @pytest.mark.parametrize("verdict", ["denied", "error"])
    def test_a_denied_certificate_says_so(self, verdict: str) -> None:
        certificate_uploaded().when(flagged(verdict=verdict)).becomes("under_review").needs(
            "certificate_denied"
        )

    def test_one_denied_certificate_does_not_hide_another_under_review(self) -> None:
        certificate_uploaded().given(flagged(), flagged(certificate="crt_2", verdict="denied")).needs(
            "certificate_flagged"
        )

    def test_an_old_flag_on_an_approved_certificate_is_not_an_issue(self) -> None:
        certificate_uploaded().given(
            flagged(),
            validated(at=NOW + 4 * DAY),
            flagged(at=NOW + 5 * DAY, certificate="crt_2", verdict="denied"),
        ).becomes("coi_validated").needs()

    def test_a_flagged_certificate_may_be_validated_after_its_review(self) -> None:
        certificate_uploaded().given(flagged()).when(validated(at=NOW + 4 * DAY)).becomes(
            "coi_validated"
        ).needs()

    def test_a_certificate_flagged_after_it_covered_stops_covering(self) -> None:
        story = (
            certificate_uploaded().given(validated()).when(flagged(at=START + DAY)).becomes("under_review")
        )
        assert [story.covered(t).covered for t in (START, START + DAY)] == [True, False]

    def test_a_validated_certificate_spares_a_returning_contractor_the_assignment(self) -> None:
        returning().given(validated()).when(activated(at=NOW + 4 * DAY)).starts().becomes("coi_validated")

    def test_a_certificate_that_falls_away_brings_the_assignment_back_under_its_own_key(self) -> None:
        story = returning().given(activated())
        assert story.want("assignment").key == "upwork-contract-9001-assignment"
        story = story.given(validated()).wants().when(flagged(at=START))
        story.starts("assignment:after-certificate-1")
        again = story.want("assignment:after-certificate-1")
        assert again.key == "upwork-contract-9001-assignment"
        story.when(replace(ASSIGNMENT, at=START)).wants("policy:pl_old")


class TestTheEndOfAPolicy:
    def test_an_expired_policy_lapses(self) -> None:
        over = c.NotePolicyOver(START + DAY, "pl_1", START + DAY, canceled=False)
        insured().when(over).then(
            e.PolicyExpired("pl_1", START + DAY, START + DAY),
            e.CoverageLapsed("The policy expired and nothing else covers."),
        ).becomes("lapsed").needs("coverage_lapsed").starts()

    def test_a_cancellation_for_a_past_day_lapses_from_that_day(self) -> None:
        over = c.NotePolicyOver(START + 5 * DAY, "pl_1", START + DAY, canceled=True)
        story = insured().when(over).becomes("lapsed")
        assert story.told[-1] == e.CoverageLapsed("The policy was cancelled and nothing else covers.")
        assert [story.covered(t).covered for t in (START + DAY - 1, START + DAY)] == [True, False]

    def test_a_cancellation_for_a_later_day_covers_until_then_and_sets_a_timer(self) -> None:
        over = c.NotePolicyOver(START, "pl_1", LATER, canceled=True)
        story = insured().when(over).becomes("insured").starts(f"wake:{LATER}:2")
        story.when(c.Reassess(LATER - 1)).nothing_happens()
        story.when(c.Reassess(LATER)).becomes("lapsed").needs("coverage_lapsed")

    def test_a_policy_that_runs_out_without_a_word_lapses_at_its_timer(self) -> None:
        woken = insured().want(f"wake:{END}:1")
        assert woken.due_at == END
        insured().when(c.Reassess(END)).then(
            e.CoverageLapsed("The policy has run out and nothing else covers.", judged_at=END)
        ).becomes("lapsed")

    def test_a_certificate_that_runs_out_lapses_at_its_timer(self) -> None:
        certificate_uploaded().given(validated()).when(c.Reassess(END)).then(
            e.CoverageLapsed("The certificate's validity has ended and nothing else covers.", judged_at=END)
        )

    def test_a_valid_certificate_catches_an_ended_policy(self) -> None:
        story = certificate_uploaded().given(policy_active(), validated()).becomes("insured")
        over = c.NotePolicyOver(START + DAY, "pl_1", START + DAY, canceled=True)
        story.when(over).becomes("coi_validated").starts(f"wake:{END}:3").needs()

    def test_an_active_policy_catches_a_flagged_certificate(self) -> None:
        story = certificate_uploaded().given(validated(), policy_active(at=NOW + 4 * DAY)).becomes("insured")
        story.when(flagged(at=START)).becomes("insured").needs()

    def test_a_policy_that_comes_while_a_certificate_covers_takes_over(self) -> None:
        certificate_uploaded().given(validated()).when(policy_active(at=NOW + 4 * DAY)).becomes("insured")

    def test_a_policy_ended_while_the_certificate_is_under_review_is_a_review(self) -> None:
        over = c.NotePolicyOver(START + DAY, "pl_1", START + DAY, canceled=True)
        certificate_uploaded().given(policy_active(), flagged()).when(over).becomes("under_review")

    def test_a_reinstatement_with_the_old_dates_leaves_no_gap(self) -> None:
        over = c.NotePolicyOver(START + DAY, "pl_1", START + DAY, canceled=True)
        story = insured().given(over).when(policy_active(at=START + 3 * DAY)).becomes("insured").needs()
        assert story.covered(START + 2 * DAY).covered is True

    def test_a_new_policy_that_starts_later_leaves_a_gap(self) -> None:
        over = c.NotePolicyOver(START + DAY, "pl_1", START + DAY, canceled=True)
        new = policy_active(at=START + 3 * DAY, policy="pl_2", quote=None, starts=START + 3 * DAY)
        story = insured().given(over).when(new).becomes("insured")
        assert story.covered(START + 2 * DAY).covered is False
        assert story.covered(START + 3 * DAY).covered is True

    def test_a_policy_without_dates_is_read_back_once(self) -> None:
        undated = policy_active(starts=None, ends=None)
        story = awaiting_opt_in().when(undated).starts("share-opt-in", "policy:pl_1:8")
        assert story.effect("policy:pl_1:8").said_at == undated.at
        story.when(replace(undated, at=NOW + 3 * DAY)).starts("policy:pl_1:10")
        story.when(policy_active(at=undated.at)).starts(f"wake:{END}:2").wants("share-opt-in")

    def test_a_policy_without_an_expiry_is_read_back_too(self) -> None:
        awaiting_opt_in().when(policy_active(ends=None)).starts("share-opt-in", "policy:pl_1:8")

    def test_a_policy_that_ended_is_still_asked_since_when_it_covered(self) -> None:
        over = c.NotePolicyOver(START + DAY, "pl_1", START + DAY, canceled=True)
        story = awaiting_opt_in().given(policy_active(starts=None, ends=None)).when(over).starts()
        story = story.wants("share-opt-in", "policy:pl_1:8")
        story = story.when(c.RecordPolicy(START, "pl_1", (policy_active(), over))).wants("share-opt-in")
        assert story.told == (e.PolicyActivated("pl_1", NOW + 2 * DAY, "qt_Zk39A2L", START, END),)
        assert story.covered(START).covered

    def test_a_reinstatement_without_dates_is_read_back_anew(self) -> None:
        over = c.NotePolicyOver(START + DAY, "pl_1", START + DAY, canceled=True)
        undated = policy_active(at=START + 2 * DAY, starts=None, ends=None)
        story = (
            awaiting_opt_in()
            .given(policy_active(starts=None, ends=None))
            .wants("share-opt-in", "policy:pl_1:8")
        )
        story = story.given(policy_active(at=NOW + 3 * DAY), over).wants("share-opt-in")
        story = story.when(undated).starts("policy:pl_1:13").becomes("insured")
        read_back = policy_active(at=story.effect("policy:pl_1:13").said_at)
        read = story.when(read_back).wants("share-opt-in")
        assert read.covered(START + 3 * DAY).covered is True


class TestTheEndOfTheContract:
    def test_it_ends_from_every_step_and_nothing_more_is_created(self) -> None:
        end = c.EndContract(START + DAY, START + DAY)
        for story in (given(offer()), quoted(), awaiting_opt_in(), returning(), certificate_uploaded()):
            story.when(end).becomes("ended").wants().needs()

    def test_an_end_that_arrives_first_is_an_engagement_of_its_own_and_calls_nobody(self) -> None:
        end_first = given().when(c.EndContract(START, START)).becomes("ended").starts()
        end_first.when(offer(), activated(), contract_read()).becomes("ended").starts().needs()

    def test_before_the_start_the_assignment_is_cancelled_by_its_job(self) -> None:
        story = assigned().when(c.EndContract(START - DAY, START - DAY)).starts("end-coverage")
        assert story.effect("end-coverage") == x.EndCoverage("jb_Upw42Eng", "an_1", START, START - DAY)
        done = c.ConfirmCoverageEnded(START - DAY, "canceled_by_job")
        story.when(done).then(e.CoverageEnded("canceled_by_job")).wants("policy:pl_old")

    def test_after_the_start_the_assignment_is_shortened(self) -> None:
        story = assigned().given(policy_read(), c.ConfirmOptInShared(NOW))
        story = story.when(c.EndContract(LATER, LATER)).starts("end-coverage")
        shortened = c.ConfirmCoverageEnded(LATER, "assignment_shortened", LATER)
        story = story.when(shortened).wants()
        assert [(s.start, s.end) for s in spans(story.engagement)] == [(START, LATER)]

    def test_a_contract_that_ends_after_its_assignment_draws_nothing_out(self) -> None:
        assigned().when(c.EndContract(END + DAY, END + DAY)).starts()
        assigned().when(c.EndContract(END, END)).starts()

    def test_a_sessions_policy_that_has_not_begun_is_cancelled_by_job(self) -> None:
        story = insured().when(c.EndContract(START - DAY, START - DAY)).starts("end-coverage")
        assert story.effect("end-coverage").assignment_id is None

    def test_a_sessions_policy_that_has_begun_is_left_to_its_own_end(self) -> None:
        insured().when(c.EndContract(START, START)).starts()

    def test_the_earlier_of_two_ends_counts(self) -> None:
        for ends in permutations((START + DAY, START + 3 * DAY)):
            story = insured().given(*(c.EndContract(START + 3 * DAY, at) for at in ends))
            assert story.engagement.ended_at == START + DAY

    def test_outcomes_of_calls_under_way_are_still_recorded(self) -> None:
        under_way = given(offer(), contract_read()).given(c.EndContract(NOW, NOW))
        story = under_way.when(CONTRACTOR, JOB).then(
            e.ContractorReady("cn_FoA42zQ", False), e.JobCreated("jb_Upw42Eng")
        )
        story.becomes("ended").wants()

    def test_an_assignment_confirmed_after_the_end_is_ended_at_once(self) -> None:
        ended = returning().given(activated(), c.EndContract(START + DAY, START + DAY))
        ended.when(replace(ASSIGNMENT, at=START + DAY)).starts("end-coverage", "policy:pl_old")

    def test_what_an_assignment_covered_is_read_back_even_after_the_end(self) -> None:
        ended = (
            assigned()
            .given(c.EndContract(START + 2 * DAY, START + 2 * DAY))
            .wants("end-coverage", "policy:pl_old")
        )
        ended = ended.when(policy_read()).becomes("ended")
        assert ended.covered(START + DAY).covered
        assert ended.covered(START + 2 * DAY).covered is False

    def test_a_policy_bound_after_an_end_before_the_start_is_cancelled(self) -> None:
        ended = awaiting_opt_in().given(c.EndContract(NOW + DAY, NOW + DAY)).wants()
        ended.when(policy_active()).starts("end-coverage", "share-opt-in").becomes("ended")

    def test_a_timer_after_the_end_moves_nothing(self) -> None:
        insured().given(c.EndContract(START + DAY, START + DAY)).when(c.Reassess(END)).nothing_happens()

    def test_no_certificate_is_taken_after_the_end(self) -> None:
        ended = quoted().given(c.EndContract(START, START))
        ended.when(c.SubmitCertificate(START, "coi.pdf", SHA)).refuses(Refused, "9001 has ended")


class TestInvoices:
    pay = c.RequestInvoice(LATER, "march", 1200, 1714419793, 1714419793)

    def test_final_pay_is_recorded_at_the_vendor_and_moves_nothing(self) -> None:
        story = insured().when(self.pay).starts("invoice:march").becomes("insured")
        assert story.effect("invoice:march") == x.RecordInvoice(
            "march", "cn_FoA42zQ", "jb_Upw42Eng", 1200, 1714419793, 1714419793
        )
        done = c.ConfirmInvoice(LATER, "march", "in_1")
        story.when(done).then(e.InvoiceRecorded("march", "in_1")).wants("share-opt-in")
        story.given(done).when(done).nothing_happens()

    def test_it_may_be_recorded_after_the_end(self) -> None:
        quoted().given(c.EndContract(END, END)).when(self.pay).starts("invoice:march").becomes("ended")

    def test_one_key_is_one_invoice(self) -> None:
        insured().given(self.pay).when(replace(self.pay, gross_pay=9900)).nothing_happens()

    def test_it_is_refused_while_there_is_nobody_to_pay(self) -> None:
        given(offer(), contract_read(), JOB).when(self.pay).refuses(Refused, "no contractor and job")

    def test_an_invoice_nobody_asked_for_is_not_confirmed(self) -> None:
        insured().when(c.ConfirmInvoice(LATER, "april", "in_2")).nothing_happens()


class TestHolds:
    """Each thing the mapping misses holds up only its own part."""

    @pytest.mark.parametrize(
        ("changed", "code", "still_starts"),
        [
            ({"person": Person(display_name="Jane S.")}, "name_unclear", ("job",)),
            ({"person": Person()}, "name_missing", ("job",)),
            ({"pay": None}, "pay_missing", ("contractor",)),
            ({"title": None}, "title_missing", ("contractor",)),
            ({"category": "Falconry"}, "category_unmapped", ("contractor",)),
            ({"starts_at": None}, "start_missing", ("contractor", "job")),
            ({"ends_at": START}, "window_empty", ("contractor", "job")),
        ],
    )
    def test_a_hole_in_the_contract(self, changed: dict, code: str, still_starts: tuple[str, ...]) -> None:
        story = given(offer()).when(contract_read(replace(FRONTEND, **changed)))
        story.starts(*still_starts).needs(code).becomes("offered")

    def test_a_hole_in_the_configuration(self) -> None:
        rules = replace(RULES, clients={}, proxy_email_domain=None)
        given(offer(), rules=rules).when(contract_read()).starts().needs("client_unmapped", "email_missing")

    def test_a_held_start_holds_the_quote_up(self) -> None:
        given(offer(), contract_read(replace(FRONTEND, starts_at=None)), CONTRACTOR, JOB).wants()

    def test_a_known_contractor_needs_no_name(self) -> None:
        nameless = replace(FRONTEND, person=Person())
        given(offer()).when(contract_read(nameless, RETURNING)).needs().starts("job")

    def test_a_created_job_needs_no_category_and_a_quote_no_dates(self) -> None:
        holey = replace(FRONTEND, category="Falconry", pay=None, starts_at=None)
        quoted().when(contract_read(holey)).needs().starts()

    def test_a_retry_reads_the_contract_again_and_maps_it_anew(self) -> None:
        held = given(offer(), contract_read(replace(FRONTEND, category="Falconry")))
        retried = held.when(c.RequestRetry(NOW + 60, "mapped falconry")).starts("read#2")
        retried.needs()  # it is tried again: nobody has anything to do
        retried.when(contract_read(at=NOW + 61)).starts("job").needs()

    def test_a_hold_still_there_after_a_retry_stays_as_old_as_it_was(self) -> None:
        falconry = replace(FRONTEND, category="Falconry")
        held = given(offer(), contract_read(falconry))
        again = held.given(c.RequestRetry(NOW + 60, "try")).when(contract_read(falconry, at=NOW + 61))
        again.needs("category_unmapped")
        assert again.engagement.holds == held.engagement.holds

    def test_a_hold_that_says_something_else_now_is_raised_anew(self) -> None:
        held = given(offer(), contract_read(replace(FRONTEND, category="Falconry")))
        fishing = replace(FRONTEND, category="Fishing")
        again = held.given(c.RequestRetry(NOW + 60, "try")).when(contract_read(fishing, at=NOW + 61))
        assert "Fishing" in again.engagement.holds["category_unmapped"].hold.message

    def test_a_persons_name_decision_clears_the_hold_at_the_next_reading(self) -> None:
        held = given(offer(), contract_read(replace(FRONTEND, person=Person(display_name="Jane S."))))
        decided = KnownContractor(first_name="Jane", last_name="Sparrow")
        again = held.given(c.RequestRetry(NOW + 60, "named her")).when(
            contract_read(replace(FRONTEND, person=Person(display_name="Jane S.")), decided, NOW + 61)
        )
        again.needs().starts("contractor")
        assert again.effect("contractor").draft.last_name == "Sparrow"

    def test_holds_are_nobodys_business_once_the_contract_has_ended(self) -> None:
        held = given(offer(), contract_read(replace(FRONTEND, category="Falconry")))
        held.given(c.EndContract(NOW, NOW)).needs()

    def test_news_that_names_no_freelancer_is_held_until_one_is_named(self) -> None:
        nobody = given().when(offer(freelancer=None)).starts().needs("freelancer_missing")
        nobody.when(activated()).starts("read").needs()
        nobody.when(offer(freelancer=None)).starts().needs("freelancer_missing")

    def test_where_the_contract_names_its_freelancer_it_is_read_without_one(self) -> None:
        rules = replace(RULES, contract_names_freelancer=True)
        nobody = given(rules=rules).when(offer(freelancer=None)).starts("read").needs()
        assert nobody.effect("read").freelancer_id is None
        named = nobody.when(contract_read(replace(FRONTEND, freelancer_id="fl_12345")))
        named.starts("contractor", "job").needs()
        assert named.engagement.freelancer_id == "fl_12345"
        assert named.want("contractor").key == "upwork-freelancer-fl_12345"

    def test_a_contract_that_named_nobody_is_read_again_once_someone_is_named(self) -> None:
        rules = replace(RULES, contract_names_freelancer=True)
        nobody = given(offer(freelancer=None), rules=rules).when(contract_read())
        nobody.starts().needs("freelancer_missing").wants()
        nobody.when(c.RequestRetry(NOW + 60, "look again")).starts("read#2")
        named = nobody.when(activated()).starts("read#2").needs()
        named.when(contract_read()).starts("contractor", "job").needs()

    def test_a_payroll_contract_asks_for_nothing_until_it_is_another_kind(self) -> None:
        employed = given(offer()).when(contract_read(replace(FRONTEND, kind="payroll")))
        employed.starts().needs("payroll_contract")
        again = employed.given(c.RequestRetry(NOW + 60, "hired anew")).when(contract_read())
        again.starts("contractor", "job").needs()

    def test_the_first_named_freelancer_stays(self) -> None:
        story = given(offer(), activated(freelancer="fl_other"))
        assert story.engagement.freelancer_id == "fl_12345"


class TestGivenUpCalls:
    @staticmethod
    def parked(step: str, at: int = NOW + 30) -> c.ParkEffect:
        return c.ParkEffect(at, step, "CreateJob", "category_code: unknown")

    def test_a_given_up_call_waits_for_a_person_with_the_vendors_words(self) -> None:
        story = given(offer(), contract_read()).when(self.parked("job")).needs("effect_parked").starts()
        story.then(e.EffectParked("job", "CreateJob", "category_code: unknown"))

    def test_a_retry_of_a_mapped_call_reads_and_maps_again_before_its_second_generation(self) -> None:
        story = given(offer(), contract_read(), self.parked("job"))
        story = story.when(c.RequestRetry(NOW + 60, "fixed the code")).starts("read#2")
        fixed = replace(RULES, categories={"*": "jc_right"})
        story = replace(story, rules=fixed).when(contract_read(at=NOW + 61)).starts("job#2").needs()
        assert story.effect("job#2").draft.category_code == "jc_right"
        assert story.want("job#2").key == "upwork-contract-9001-job-2"

    def test_a_retry_leaves_calls_under_way_alone(self) -> None:
        story = given(offer(), contract_read(), self.parked("job")).given(c.RequestRetry(NOW + 60, "go"))
        story.when(contract_read(at=NOW + 61)).starts("job#2").wants("contractor", "job#2")

    def test_a_retry_of_any_other_call_starts_it_at_once(self) -> None:
        story = quoted().given(self.parked("session")).when(c.RequestRetry(NOW + 60, "again"))
        story.starts("session#2").needs()
        assert story.want("session#2").key == "upwork-contract-9001-session-2"

    def test_a_third_generation_follows_the_second(self) -> None:
        story = quoted()
        for generation in (2, 3):
            story = story.given(self.parked("session")).when(c.RequestRetry(NOW + 60, "again"))
            story.starts(f"session#{generation}")

    def test_a_reading_given_up_during_a_retry_can_be_tried_again(self) -> None:
        story = given(offer(), contract_read(), self.parked("job")).given(c.RequestRetry(NOW + 60, "go"))
        story.given(self.parked("read")).when(c.RequestRetry(NOW + 90, "go")).starts("read#3")

    def test_the_contractors_second_key_is_the_freelancers(self) -> None:
        story = given(offer(), contract_read(), self.parked("contractor"), c.RequestRetry(NOW + 60, "go"))
        story = story.when(contract_read(at=NOW + 61)).starts("contractor#2")
        assert story.want("contractor#2").key == "upwork-freelancer-fl_12345-2"

    def test_an_outcome_that_comes_after_all_clears_it(self) -> None:
        given(offer(), contract_read(), self.parked("job")).when(JOB).needs().starts()

    def test_a_call_that_is_no_longer_needed_needs_nobody(self) -> None:
        quoted().given(self.parked("session"), policy_active()).becomes("insured").needs()
        quoted().given(self.parked("session"), c.EndContract(START, START)).needs()

    def test_the_end_of_coverage_given_up_still_needs_somebody(self) -> None:
        ended = assigned().given(c.EndContract(START - DAY, START - DAY), self.parked("end-coverage"))
        ended.needs("effect_parked").when(c.RequestRetry(START, "again")).starts("end-coverage#2").needs()

    def test_a_retry_with_nothing_to_retry_is_only_recorded(self) -> None:
        insured().when(c.RequestRetry(NOW + 3 * DAY, "why not")).then(e.RetryRequested("why not")).starts()

    def test_a_session_that_opens_after_a_refusal_clears_its_given_up_call(self) -> None:
        refused = c.NoteAssignmentRefused(NOW + DAY, "No matching policy.")
        story = returning().given(activated(), refused, self.parked("session:after-refusal", NOW + DAY))
        story.needs("effect_parked").when(SESSION).needs()
        assert story.when(SESSION).engagement.parked == {}


def told_apart(story: Story) -> tuple[object, ...]:
    """What must not depend on the order of arrival: state, spans and the answer at every interesting hour."""
    evidence = sorted((s.source, s.id, s.start, s.end, s.over_by) for s in spans(story.engagement))
    hours = [START + n * DAY // 2 for n in range(-4, 60)]
    return story.engagement.state, evidence, [story.covered(t).covered for t in hours]


class TestNewsInAnyOrder:
    """Older news never undoes newer news, however late it comes."""

    cancelled_then_reinstated = (
        policy_active(),
        c.NotePolicyOver(START + DAY, "pl_1", START + DAY, canceled=True),
        policy_active(at=START + 2 * DAY, starts=START + 2 * DAY),
        c.NotePolicyOver(START + 4 * DAY, "pl_1", START + 6 * DAY, canceled=True),
        c.NotePolicyOver(START + 5 * DAY, "pl_1", START + 5 * DAY, canceled=False),
    )
    both_kinds = (
        policy_active(ends=START + 8 * DAY),
        c.NotePolicyOver(START + DAY, "pl_1", START + 2 * DAY, canceled=True),
        validated(at=NOW + 4 * DAY, starts=NOW),
        flagged(at=START + 3 * DAY),
        validated(at=START + 5 * DAY, starts=START + 5 * DAY, ends=START + 20 * DAY),
    )
    lapsing = (
        policy_active(policy="pl_2", quote=None, ends=START + 3 * DAY),
        policy_active(at=NOW + 3 * DAY, ends=START + 9 * DAY),
        c.NotePolicyOver(START + 9 * DAY, "pl_1", START + 9 * DAY, canceled=False),
        flagged(at=START, verdict="denied"),
    )

    @pytest.mark.parametrize(
        "news", [cancelled_then_reinstated, both_kinds, lapsing], ids=lambda n: str(len(n))
    )
    @pytest.mark.parametrize("base", [awaiting_opt_in, certificate_uploaded, quoted, assigned])
    def test_every_order_of_policy_and_certificate_news_ends_the_same(self, base, news: tuple) -> None:
        expected = told_apart(base().given(*news))
        for order in permutations(news):
            story = base().given(*order)
            assert told_apart(story) == expected
            assert replayed(story) == story.engagement

    @pytest.mark.parametrize(
        "news", [cancelled_then_reinstated[:3], both_kinds[2:]], ids=["policy", "certificate"]
    )
    def test_news_told_twice_is_news_told_once(self, news: tuple) -> None:
        once = told_apart(awaiting_opt_in().given(*news))
        for order in permutations((*news, *news[:2])):
            assert told_apart(awaiting_opt_in().given(*order)) == once

    def test_the_end_of_the_contract_may_come_anywhere_among_them(self) -> None:
        news = (*self.cancelled_then_reinstated[:3], c.EndContract(START + 3 * DAY, START + 3 * DAY))
        expected = told_apart(awaiting_opt_in().given(*news))
        for order in permutations(news):
            assert told_apart(awaiting_opt_in().given(*order)) == expected

    def test_an_end_and_its_beginning_in_one_second_are_taken_in_their_only_order(self) -> None:
        active, over = policy_active(at=START), c.NotePolicyOver(START, "pl_1", START + 60, canceled=True)
        late = START + DAY
        for order in permutations((active, over)):
            awaiting_opt_in().given(*order).when(c.Reassess(late)).becomes("lapsed")

    def test_a_reinstatement_in_the_second_of_the_cancellation_stands(self) -> None:
        over = c.NotePolicyOver(START + DAY, "pl_1", START + DAY, canceled=True)
        insured().given(over, policy_active(at=START + DAY)).becomes("insured")

    def test_the_order_of_arrival_says_nothing_within_one_second(self) -> None:
        """Not where a term was active before, nor with several terms, ends or verdicts at once."""
        then = START + DAY
        told = (
            policy_active(then),
            policy_active(then, starts=START + 3 * DAY),
            policy_active(then, starts=None, ends=None),
            c.NotePolicyOver(then, "pl_1", then, canceled=True),
            c.NotePolicyOver(then, "pl_1", START + 2 * DAY, canceled=False),
        )
        judged = (validated(then), flagged(then), validated(then, ends=END - DAY))
        for before in (awaiting_opt_in(), insured(), certificate_uploaded().given(flagged())):
            for news in (told, judged, (*judged, flagged(then, "denied"))):
                expected = told_apart(before.given(*news))
                assert [o for o in permutations(news) if told_apart(before.given(*o)) != expected] == []

    def test_in_one_second_a_policy_is_active_then_cancelled_then_reinstated(self) -> None:
        active, over = policy_active(START), c.NotePolicyOver(START, "pl_1", START, canceled=True)
        again = replace(active, resumed=True)
        for order in permutations((active, over, active)):  # told twice is not reinstated
            awaiting_opt_in().given(*order).becomes("lapsed")
        for order in permutations((active, over, again, active)):
            awaiting_opt_in().given(*order).becomes("insured")
        found = replace(over, read_back=True)  # after whatever was said in that second
        for order in permutations((active, over, again, found)):
            awaiting_opt_in().given(*order).becomes("lapsed")
        for order in permutations((active, found)):
            insured().given(*order).becomes("lapsed")

    def test_in_one_second_a_review_goes_from_flagged_to_validated_or_denied(self) -> None:
        for order in permutations((flagged(), validated())):
            certificate_uploaded().given(*order).becomes("coi_validated")
        for order in permutations((flagged(), validated(), flagged(verdict="denied"))):
            certificate_uploaded().given(*order).becomes("under_review")

    def test_a_reading_that_shows_a_later_start_takes_no_cover_away(self) -> None:
        """It is stamped with the policy's creation, as its first news is."""
        for order in permutations((policy_active(), policy_active(starts=START + 3 * DAY))):
            assert awaiting_opt_in().given(*order).covered(START).covered

    def test_which_of_two_policies_is_named_first_does_not_depend_on_which_was_told_first(self) -> None:
        both = (policy_active(), policy_active(NOW + 3 * DAY, "pl_0", None, START + DAY))
        told = [awaiting_opt_in().given(*order) for order in permutations(both)]
        for at in (START - DAY, START, START + 2 * DAY):
            one, other = (structs.replace(story.covered(at), evidence=()) for story in told)
            assert one == other

    def test_a_late_older_cancellation_does_not_undo_a_newer_reinstatement(self) -> None:
        over = c.NotePolicyOver(START + DAY, "pl_1", START + DAY, canceled=True)
        insured().given(policy_active(at=START + 2 * DAY)).when(over).becomes("insured")

    def test_upworks_news_may_come_in_any_order(self) -> None:
        end = c.EndContract(START, START)
        for order in permutations((offer(), activated(), end)):
            story = given(*order).becomes("ended").wants()
            assert (story.engagement.freelancer_id, story.engagement.active) == ("fl_12345", True)
