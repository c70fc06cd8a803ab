"""What holds for every history: random news, people and outcomes, in any order, late and twice."""

import json
from collections import Counter
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as forall
from hypothesis import strategies as st
from replacing import replace
from story import (
    COI,
    DAY,
    END,
    FRONTEND,
    NOW,
    RETURNING,
    SHA,
    START,
    Story,
    assigned,
    certificate_uploaded,
    given,
    insured,
    replayed,
)

from domain import codec
from domain import commands as c
from domain import effects as x
from domain import events as e
from domain.attention import UNMOVED_BY_RETRY, attention
from domain.coverage import answer, gaps, spans
from domain.decide import decide, decide_freelancer
from domain.evolve import Entry, evolve, evolve_freelancer
from domain.folds import FOLDS
from domain.lifecycle import COI_VALIDATED, ENDED, INSURED, LAPSED, STATES, UNDER_REVIEW
from domain.react import react, still_wanted, wanted
from domain.state import Engagement, Freelancer
from domain.values import Attachment, KnownContractor, Person

bounded = settings(
    max_examples=80,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

# A small world, so that things meet: a few hours, two policies, two certificates.

hours = st.sampled_from([NOW + DAY, NOW + 2 * DAY, START, START + DAY, START + 5 * DAY, END, END + DAY])
starts = st.sampled_from([None, NOW, START, START + DAY])
ends = st.sampled_from([None, START + 2 * DAY, END])
policy_ids = st.sampled_from(["pl_1", "pl_2"])
certificate_ids = st.sampled_from(["crt_1", "crt_2"])
quote_ids = st.sampled_from([None, "qt_1", "qt_other"])
freelancers = st.sampled_from(["fl_12345", "fl_12345", None])
births = st.sampled_from([c.AcceptOffer, c.ActivateContract])
none = st.none()

falconry = replace(FRONTEND, category="Falconry", pay=None)
contracts = st.sampled_from(
    [
        FRONTEND,
        replace(FRONTEND, attachments=(COI, Attachment("at_2", "w9.PDF", "https://upwork.example/at_2"))),
        falconry,
        replace(FRONTEND, person=Person(display_name="Jane S."), ends_at=None),
        replace(FRONTEND, ends_at=None),
        replace(FRONTEND, starts_at=None, freelancer_id="fl_12345", client_id="org_7"),
    ]
)
knowns = st.sampled_from(
    [KnownContractor(), RETURNING, KnownContractor("cn_1"), KnownContractor(None, False, "Jane", "Sparrow")]
)

news = st.one_of(
    st.builds(c.AcceptOffer, hours, none, freelancers, none),
    st.builds(c.ActivateContract, hours, none, freelancers, none),
    st.builds(c.EndContract, hours, hours),
    st.builds(c.NotePolicyActive, hours, policy_ids, quote_ids, starts, ends, st.booleans()),
    st.builds(c.NotePolicyOver, hours, policy_ids, hours, st.booleans()),
    st.builds(c.NotePolicyOver, hours, policy_ids, hours, st.just(True), st.just(False), ends),
    st.builds(c.NoteAssignmentCancelled, hours, st.sampled_from(["an_1", "an_1", "an_other"]), hours),
    st.builds(c.NoteAssignmentChanged, hours, st.just("an_1"), hours, hours),
    st.builds(c.NoteCertificateValidated, hours, certificate_ids, starts, ends),
    st.builds(c.NoteCertificateFlagged, hours, certificate_ids, st.sampled_from(["flagged", "denied"])),
)
people = st.one_of(
    st.builds(c.SubmitCertificate, hours, st.just("coi.pdf"), st.sampled_from([SHA, SHA[::-1]])),
    st.builds(c.RequestInvoice, hours, st.sampled_from(["march", "april"]), *[st.integers(100, 9999)] * 3),
    st.builds(
        c.RequestRetry, hours, st.just("again"), st.sampled_from([(), (), ("read",), ("quote", "job")])
    ),
    st.builds(c.SkipEffect, hours, st.sampled_from(["job", "quote", "session"]), st.just("by hand")),
    st.builds(c.SkipHold, hours, st.just("category_unmapped"), st.just("leave it")),
    st.builds(c.Reassess, hours),
)
moved = st.sampled_from([None, START])


def readings(policy_id: str) -> st.SearchStrategy[c.RecordPolicy]:
    """All that may come back when a policy is read: news of it, old and new."""
    id = st.just(policy_id)
    active = st.builds(c.NotePolicyActive, hours, id, quote_ids, starts, ends, st.booleans())
    over = st.builds(c.NotePolicyOver, hours, id, hours, st.booleans())
    news = st.lists(st.one_of(active, over), min_size=1, max_size=3).map(tuple)
    return news.map(lambda told: c.RecordPolicy(max(n.at for n in told), policy_id, told))


answers = {
    x.ReadContract: [st.builds(c.RecordTerms, hours, contracts, knowns)],
    x.EnsureContractor: [st.builds(c.ConfirmContractor, hours, st.just("cn_1"), st.booleans())],
    x.CreateJob: [st.builds(c.ConfirmJob, hours, st.just("jb_1"))],
    x.CreateQuote: [
        st.builds(c.ConfirmQuote, hours, st.just("qt_1"), st.just(START), st.just(END), moved),
        st.builds(c.WaiveQuote, hours, st.just("contractor_has_matching_policy")),
    ],
    x.OpenSession: [
        st.builds(c.ConfirmSession, hours, st.just("ias_1"), st.just("https://apply.example/ias_1")),
        st.builds(c.NoteOptIn, hours),
    ],
    x.CreateAssignment: [
        st.builds(
            c.ConfirmAssignment, hours, st.just("an_1"), policy_ids, st.just(START), st.just(END), moved
        ),
        st.builds(c.ConfirmAssignment, hours, st.just("an_1"), none, st.just(START), st.just(END), none),
        st.builds(c.NoteAssignmentRefused, hours, st.just("No matching policy found for assignment.")),
    ],
    x.ConfirmPolicy: [readings("pl_1"), readings("pl_2")],
    x.FetchAttachment: [
        st.builds(
            c.ConfirmAttachmentFetched,
            hours,
            st.sampled_from(["at_1", "at_2"]),
            st.just("a.pdf"),
            st.just(SHA),
        )
    ],
    x.UploadCertificate: [st.builds(c.ConfirmCertificateUploaded, hours, certificate_ids, st.just(SHA))],
    x.RecordInvoice: [
        st.builds(c.ConfirmInvoice, hours, st.sampled_from(["march", "april"]), st.just("in_1"))
    ],
    x.EndCoverage: [
        st.builds(c.ConfirmCoverageEnded, hours, st.just("canceled_by_job"), none),
        st.builds(c.ConfirmCoverageEnded, hours, st.just("assignment_shortened"), st.just(START + DAY)),
    ],
    x.ShareOptIn: [st.builds(c.ConfirmOptInShared, hours)],
    x.WakeUp: [st.builds(c.Reassess, hours)],
}
"""What each call may come back with: an answer needs a call that was made, but comes as late as it likes."""


TURNS = ["news", "news", "people", "open", "open", "late", "deadline", "give-up", "skip"]


@st.composite
def stories(draw: st.DrawFn) -> list[Story]:
    """The story after each move. Most are driven a good way towards cover before anything goes astray."""
    begun = st.builds(lambda first, who: given(first(NOW, "of_77", who, None)), births, freelancers)
    story = draw(st.one_of(begun, begun, st.sampled_from([assigned(), insured(), certificate_uploaded()])))
    told = [story]
    for _ in range(draw(st.integers(0, 6))):
        told.append(story := answered(draw, story, open_calls(story)[:1]))
    for turn in draw(st.lists(st.sampled_from(TURNS), max_size=14)):
        match turn:
            case "news":
                story = story.when(draw(news))
            case "end":
                story = story.when(draw(st.builds(c.EndContract, hours, hours)))
            case "people":
                story = story.when(draw(people))
            case "open":
                story = answered(draw, story, open_calls(story))
            case "late":
                story = answered(draw, story, [w.effect for w in story.ever])
            case "deadline":
                story = answered(draw, story, watched(story))
            case "give-up":
                story = given_up(draw, story)
            case "skip":
                story = skipped(draw, story)
        told.append(story)
    return told


def open_calls(story: Story) -> list[x.Effect]:
    return [w.effect for w in wanted(story.engagement) if w.due_at is None]


def watched(story: Story) -> list[x.Effect]:
    return [w.effect for w in wanted(story.engagement) if isinstance(w.effect, x.WatchDeadline)]


def answered(draw: st.DrawFn, story: Story, calls: list[x.Effect]) -> Story:
    if not calls:
        return story
    call = draw(st.sampled_from(calls))
    if isinstance(call, x.WatchDeadline):
        return story.when(c.PassDeadline(draw(hours), call.step))
    return story.when(draw(st.one_of(*answers[type(call)])))


def given_up(draw: st.DrawFn, story: Story) -> Story:
    asked = wanted(story.engagement)
    if not asked:
        return story
    w = draw(st.sampled_from(asked))
    return story.when(c.ParkEffect(START, w.step, type(w.effect).__name__, "refused"))


def skipped(draw: st.DrawFn, story: Story) -> Story:
    steps, holds = sorted(story.engagement.parked), sorted(story.engagement.holds)
    waiting: list[c.EngagementCommand] = [c.SkipEffect(START, step, "by hand") for step in steps]
    waiting += [c.SkipHold(START, code, "leave it") for code in holds]
    return story.when(draw(st.sampled_from(waiting))) if waiting else story


@bounded
@forall(stories())
def test_replaying_the_recorded_events_gives_the_very_same_engagement(told: list[Story]) -> None:
    assert replayed(told[-1]) == told[-1].engagement
    assert [x.version for x in told[-1].entries] == list(range(1, len(told[-1].entries) + 1))


@bounded
@forall(stories())
def test_every_event_effect_and_status_survives_the_way_to_json_and_back(told: list[Story]) -> None:
    for entry in told[-1].entries:
        data = json.loads(json.dumps(codec.event_data(entry.event)))
        assert codec.event_from(type(entry.event).__name__, data) == entry.event
    for w in told[-1].ever:
        payload = json.loads(json.dumps(codec.effect_data(w.effect)))
        assert codec.effect_from(type(w.effect).__name__, payload) == w.effect
    for story in told:
        status = json.loads(json.dumps(codec.status_data(story.engagement)))
        assert codec.engagement_from(status) == story.engagement


@bounded
@forall(stories())
def test_no_step_is_asked_for_twice_at_once_and_none_is_started_twice_in_a_life(told: list[Story]) -> None:
    for story in told:
        steps = [w.step for w in wanted(story.engagement)]
        assert len(steps) == len(set(steps))
    calls = [w for w in told[-1].ever if not isinstance(w.effect, x.WatchDeadline)]  # set again at will
    started = Counter((w.step, w.generation) for w in calls)
    assert [call for call, times in started.items() if times > 1] == []


@bounded
@forall(stories())
def test_the_step_of_every_effect_begins_with_its_own_word(told: list[Story]) -> None:
    assert len(set(x.STEPS.values())) == len(x.STEPS) == len(x.CHANNELS)
    for w in told[-1].ever:
        assert w.step.partition(":")[0] == x.STEPS[type(w.effect)]


@bounded
@forall(stories())
def test_a_retry_settles_nothing_that_is_said_not_to_be_moved_by_one(told: list[Story]) -> None:
    """And all else that waits is a hold, or a call that was given up."""
    for story in told:
        s = story.engagement
        moved = {item.code for item in attention(s)} - UNMOVED_BY_RETRY
        assert moved <= {*s.holds, *(["effect_parked"] if s.parked else [])}


@bounded
@forall(stories())
def test_every_generation_after_the_first_was_asked_for_by_a_person_or_a_renewal(told: list[Story]) -> None:
    for story in told:
        asked = (e.RetryRequested, e.DeadlinePassed)
        retries = sum(isinstance(entry.event, asked) for entry in story.entries)
        for w in story.ever:
            assert w.generation <= 1 + retries
            assert w.key.endswith(f"-{w.generation}") or w.generation == 1


@bounded
@forall(stories())
def test_two_calls_share_a_key_only_when_they_are_the_same_deed(told: list[Story]) -> None:
    by_key: dict[str, set[type]] = {}
    for w in told[-1].ever:
        by_key.setdefault(w.key, set()).add(type(w.effect))
    assert [key for key, kinds in by_key.items() if len(kinds) > 1] == []


CREATING = (
    *(x.EnsureContractor, x.CreateJob, x.CreateQuote, x.OpenSession, x.CreateAssignment),
    *(x.UploadCertificate, x.FetchAttachment, x.ReadContract),
)


@bounded
@forall(stories())
def test_an_ended_engagement_never_asks_for_anything_new(told: list[Story]) -> None:
    for story in told:
        if story.engagement.state == ENDED:
            assert [w for w in wanted(story.engagement) if isinstance(w.effect, CREATING)] == []


@bounded
@forall(stories())
def test_the_end_is_final(told: list[Story]) -> None:
    states = [story.engagement.state for story in told]
    if ENDED in states:
        assert set(states[states.index(ENDED) :]) == {ENDED}
    assert set(states) <= set(STATES)


@bounded
@forall(stories())
def test_a_verdict_is_never_at_odds_with_the_evidence_it_was_given_on(told: list[Story]) -> None:
    """Insured and validated engagements have a span that holds or is still to come; the others have none."""
    for story in told:
        s = story.engagement
        news = [n.said_at for x in (*s.policies.values(), *s.certificates.values()) for n in x.news]
        news += [n.said_at for told in s.assignment_news.values() for n in told]
        as_told = {span.source for span in spans(s) if not span.over(max(news, default=0))}
        by_now = {span.source for span in spans(s) if not span.over(s.latest_at)}
        if s.state == INSURED:
            assert "policy" in as_told
        elif s.state == COI_VALIDATED:
            assert "certificate" in as_told
        elif s.state in (LAPSED, UNDER_REVIEW):
            assert by_now == set()


@bounded
@forall(stories(), hours)
def test_covered_is_true_only_with_evidence_that_holds_then(told: list[Story], at: int) -> None:
    s = told[-1].engagement
    said = answer(s, at)
    holding = [span for span in spans(s) if span.holds(at)]
    assert (said.covered is True) == bool(holding and (s.ended_at is None or at < s.ended_at))
    proofs = {type(entry.event) for entry in told[-1].entries if entry.version in said.evidence}
    if said.covered:
        assert proofs & {e.PolicyActivated, e.CertificateValidated}
    for gap in gaps(s):
        assert not any(span.holds(gap.starts_at) for span in spans(s))


@bounded
@forall(stories())
def test_who_covers_for_a_time_is_looked_at_again_when_that_time_is_over(told: list[Story]) -> None:
    """Woken at every timer, an engagement is never left insured by something that is over."""
    story = told[-1]
    for _ in range(4):
        timers = [w for w in wanted(story.engagement) if isinstance(w.effect, x.WakeUp)]
        if not timers:
            break
        [timer] = timers
        assert timer.due_at is not None
        story = story.when(c.Reassess(timer.due_at))
        assert not still_wanted(story.engagement, timer.step, timer.generation)
    s = story.engagement
    if s.state in (INSURED, COI_VALIDATED):
        assert any(span.end is None for span in spans(s))


@bounded
@forall(stories())
def test_deciding_is_a_function_of_its_arguments_and_news_already_known_starts_nothing(
    told: list[Story],
) -> None:
    for before, after in pairwise(told):
        assert react(before.engagement, before.engagement) == ()
        again = Story(before.engagement, before.rules)
        for entry in after.entries[len(before.entries) :]:
            again = replace(again, engagement=evolve(again.engagement, entry))
        assert again.engagement == after.engagement


@bounded
@forall(stories())
def test_whatever_needs_a_person_says_what_since_when_and_what_will_clear_it(told: list[Story]) -> None:
    for story in told:
        for item in attention(story.engagement):
            assert item.message
            assert item.clears
            assert item.since > 0


@bounded
@forall(stories())
def test_a_retry_leaves_no_call_given_up(told: list[Story]) -> None:
    story = told[-1].when(c.RequestRetry(END + DAY, "go"))
    steps = {w.step for w in wanted(story.engagement)}
    s = story.engagement
    waiting_for_the_reading = {"contractor", "job", "quote"} if s.rereading and not s.over else set()
    assert set(s.parked) & steps <= waiting_for_the_reading
    if waiting_for_the_reading:
        assert "read" in steps


def test_the_stories_reach_every_state_and_every_event() -> None:
    """The properties above say something only if their histories go everywhere."""
    states: set[str] = set()
    recorded: set[str] = set()
    called: set[type] = set()

    @settings(bounded, max_examples=1200)
    @forall(stories())
    def wander(told: list[Story]) -> None:
        states.update(story.engagement.state for story in told)
        recorded.update(type(entry.event).__name__ for entry in told[-1].entries)
        called.update(type(w.effect) for w in told[-1].ever)

    wander()
    assert states == set(STATES) - {"unseen"}
    assert set(codec.EVENT_TYPES) - recorded == {"ContractorLinked", "FreelancerOptedIn", "NameDecided"}
    assert set(codec.EFFECT_TYPES.values()) == called


class TestFreelancer:
    """The stream all of a person's engagements share."""

    orders = (
        c.LinkContractor(NOW, "cn_1", "ava@relay.yourdomain.com"),
        c.RecordOptIn(NOW + 1, "pl_1"),
        c.DecideName(NOW + 2, "Jane", "Sparrow"),
    )

    def test_each_fact_is_recorded_once_and_survives_the_codec(self) -> None:
        freelancer = Freelancer("fl_12345")
        for command in (*self.orders, *self.orders):
            for event in decide_freelancer(freelancer, command):
                data = json.loads(json.dumps(codec.event_data(event)))
                assert codec.event_from(type(event).__name__, data) == event
                freelancer = evolve_freelancer(freelancer, Entry(freelancer.version + 1, command.at, event))
        assert freelancer == Freelancer(
            "fl_12345", 3, "cn_1", "ava@relay.yourdomain.com", NOW + 1, "Jane", "Sparrow"
        )
        assert codec.freelancer_from(json.loads(json.dumps(codec.status_data(freelancer)))) == freelancer

    def test_a_name_may_be_decided_anew(self) -> None:
        named = Freelancer("fl_12345", 1, first_name="Jane", last_name="Sparrow")
        assert decide_freelancer(named, c.DecideName(NOW, "Jane", "Swallow")) == (
            e.NameDecided("Jane", "Swallow"),
        )

    def test_no_event_is_taken_by_the_wrong_stream(self) -> None:
        with pytest.raises(TypeError, match="freelancer's stream"):
            evolve(Engagement("9001"), Entry(1, NOW, e.NameDecided("Jane", "Sparrow")))
        with pytest.raises(TypeError, match="engagement's stream"):
            evolve_freelancer(Freelancer("fl_12345"), Entry(1, NOW, e.OfferAccepted(None, None, None)))


def test_every_event_of_an_engagement_has_a_fold() -> None:
    assert set(FOLDS) == set(get_args(e.EngagementEvent))


def test_zero_and_no_items_are_stored_but_nothing_else_that_is_unset() -> None:
    assert codec.status_text(Engagement("9001", 1, ended_at=0, client_id="")) == (
        '{"engagement_id":"9001","version":1,"state":"unseen","latest_at":0,"judged_at":0,"client_id":"",'
        '"ended_at":0,"coverage_types":[],"earlier":[],"attachments_settled":[]}'
    )
    assert codec.status_text(Freelancer("fl_1")) == '{"freelancer_id":"fl_1","version":0}'


def test_an_end_at_the_epoch_is_still_an_end() -> None:
    ended = decide(Engagement("9001"), c.EndContract(0, 0), given().rules).after
    assert codec.engagement_from(codec.status_data(ended)) == ended
    assert ended.over
