"""given / when / then: an engagement's life told in commands and events, and asserted in events and steps.

    given(offer(), contract_read()).when(ConfirmContractor(...)).then(ContractorReady(...)).starts("quote")

Every link of the chain is a value: a story can be kept and told on in two ways.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from domain import commands as c
from domain import events as e
from domain.attention import attention
from domain.coverage import Answer, answer
from domain.decide import decide
from domain.effects import Effect, Wanted
from domain.errors import CoverdError
from domain.evolve import Entry, evolve
from domain.react import react, wanted
from domain.rules import Rules
from domain.state import Engagement
from domain.values import Attachment, KnownContractor, Pay, Person, Terms

DAY = 86_400
START, END = 1_764_628_800, 1_772_448_000
"""The guide's contract: 1 December 2025 to 2 March 2026."""
NOW = START - 7 * DAY
"""A week before it begins."""

RULES = Rules(
    clients={"*": "en_abc123"},
    categories={"Web, Mobile & Software Dev": "SOFTWARE_ENGINEERING_CONTRACT"},
    proxy_email_domain="relay.yourdomain.com",
    job_name="Contract {id} — {title}",
)

WHOLE = replace(
    RULES,
    categories={"*": "jc_1"},
    success_url="https://your.app/{engagement_id}",
    cancel_url="https://your.app/{engagement_id}",
)
"""Rules that leave nothing open."""

AVA = Person(display_name="Ava Nguyen", country="US", region="CA", city="San Francisco")
FRONTEND = Terms(
    title="Frontend Developer",
    description="Build dashboard UI and integrate GraphQL APIs",
    pay=Pay("hourly", "75.00"),
    category="Web, Mobile & Software Dev",
    starts_at=START,
    ends_at=END,
    person=AVA,
)
COI = Attachment("at_1", "acord-25.pdf", "https://upwork.example/at_1", "application/pdf")
SHA = "c0ffee" * 10 + "beef"

Step = c.EngagementCommand | e.EngagementEvent


@dataclass(frozen=True)
class Story:
    """An engagement so far: its entries, what the last `when` recorded, and every step ever started."""

    engagement: Engagement
    rules: Rules = RULES
    entries: tuple[Entry, ...] = ()
    told: tuple[e.EngagementEvent, ...] = ()
    started: tuple[Wanted, ...] = ()
    """By the last `when`."""
    ever: tuple[Wanted, ...] = ()
    refused: CoverdError | None = field(default=None, compare=False)

    def given(self, *history: Step) -> "Story":
        """Go on with what happened next: commands are decided, events are taken as recorded."""
        story = self
        for step in history:
            story = (
                story._recorded(step) if isinstance(step, get_args(e.EngagementEvent)) else story._do(step)
            )
        return replace(story, told=(), started=())

    def when(self, *commands: c.EngagementCommand) -> "Story":
        """What is under test: the events and started steps of all these commands together."""
        story = replace(self, told=(), started=(), refused=None)
        for command in commands:
            story = story._do(command)
        return story

    def then(self, *events: e.EngagementEvent) -> "Story":
        """Exactly these events, in order."""
        assert self.told == events
        return self

    def nothing_happens(self) -> "Story":
        return self.then().starts()

    def starts(self, *steps: str) -> "Story":
        """Exactly these steps were started, deadlines aside, in any order; ``step#2`` is its second
        generation."""
        assert sorted(s for s in map(label, self.started) if not s.startswith("deadline:")) == sorted(steps)
        return self

    def wants(self, *steps: str) -> "Story":
        """Exactly these steps are asked for now, timers aside."""
        asked = [s for s in map(label, wanted(self.engagement)) if not s.startswith(("wake:", "deadline:"))]
        assert sorted(asked) == sorted(steps)
        return self

    def becomes(self, state: str) -> "Story":
        assert self.engagement.state == state
        return self

    def needs(self, *codes: str) -> "Story":
        """Exactly these codes are under attention."""
        assert sorted(item.code for item in attention(self.engagement)) == sorted(codes)
        return self

    def refuses(self, error: type[CoverdError], saying: str) -> "Story":
        assert isinstance(self.refused, error)
        assert re.search(saying, str(self.refused))
        return self.nothing_happens()

    def covered(self, at: int) -> Answer:
        return answer(self.engagement, at)

    def effect(self, step: str) -> Any:
        """The effect a step is asked for with now."""
        return self.want(step).effect

    def want(self, step: str) -> Wanted:
        return next(w for w in wanted(self.engagement) if label(w) == step)

    def _do(self, command: c.EngagementCommand) -> "Story":
        try:
            decision = decide(self.engagement, command, self.rules)
        except CoverdError as error:
            return replace(self, refused=error)
        first = self.engagement.version + 1
        entries = [Entry(v, command.at, event) for v, event in enumerate(decision.events, first)]
        started = react(self.engagement, decision.after)
        return replace(
            self,
            engagement=decision.after,
            entries=(*self.entries, *entries),
            told=(*self.told, *decision.events),
            started=(*self.started, *started),
            ever=(*self.ever, *started),
        )

    def _recorded(self, event: e.EngagementEvent) -> "Story":
        entry = Entry(self.engagement.version + 1, max(self.engagement.latest_at, NOW), event)
        after = evolve(self.engagement, entry)
        started = react(self.engagement, after)
        return replace(self, engagement=after, entries=(*self.entries, entry), ever=(*self.ever, *started))


def given(*history: Step, id: str = "9001", rules: Rules = RULES) -> Story:
    """A story that begins with ``history``; empty, nothing is known of the engagement yet."""
    return Story(Engagement(id), rules).given(*history)


def label(w: Wanted) -> str:
    return w.step if w.generation == 1 else f"{w.step}#{w.generation}"


def kinds(steps: tuple[Wanted, ...]) -> list[type[Effect]]:
    return [type(w.effect) for w in steps]


# The guide's engagement, step by step.


def offer(at: int = NOW, freelancer: str | None = "fl_12345") -> c.AcceptOffer:
    return c.AcceptOffer(at, "of_77", freelancer, None)


def activated(at: int = NOW + DAY, freelancer: str | None = "fl_12345") -> c.ActivateContract:
    return c.ActivateContract(at, "of_77", freelancer, None)


def contract_read(
    terms: Terms = FRONTEND, known: KnownContractor | None = None, at: int = NOW
) -> c.RecordTerms:
    return c.RecordTerms(at, terms, known or KnownContractor())


RETURNING = KnownContractor("cn_FoA42zQ", opted_in=True)

CONTRACTOR = c.ConfirmContractor(NOW, "cn_FoA42zQ", opted_in=False)
JOB = c.ConfirmJob(NOW, "jb_Upw42Eng")
QUOTE = c.ConfirmQuote(NOW, "qt_Zk39A2L", START, END)
SESSION = c.ConfirmSession(NOW, "ias_1", "https://apply.example/ias_1")
ASSIGNMENT = c.ConfirmAssignment(NOW + DAY, "an_1", "pl_old", START, END)


def quoted() -> Story:
    """A first-time contractor with a quote; the session is not open yet."""
    return given(offer(), contract_read(), CONTRACTOR, JOB, QUOTE)


def awaiting_opt_in() -> Story:
    return quoted().given(SESSION)


def policy_active(
    at: int = NOW + 2 * DAY,
    policy: str = "pl_1",
    quote: str | None = "qt_Zk39A2L",
    starts: int | None = START,
    ends: int | None = END,
) -> c.NotePolicyActive:
    return c.NotePolicyActive(at, policy, quote, starts, ends)


def policy_read(*news: c.NotePolicyActive | c.NotePolicyOver, policy: str = "pl_old") -> c.RecordPolicy:
    """The policy of the assignment, with this news; without any it is active for the contract's window."""
    told = news or (policy_active(policy=policy, quote="qt_first"),)
    return c.RecordPolicy(max(n.at for n in told), policy, told)


def insured() -> Story:
    return awaiting_opt_in().given(policy_active())


def returning(known: KnownContractor = RETURNING) -> Story:
    """A contractor who has opted in before, quoted; the contract is not active yet."""
    return given(offer(), contract_read(known=known), JOB, QUOTE)


def assigned() -> Story:
    return returning().given(activated(), ASSIGNMENT)


def certificate_uploaded() -> Story:
    """A first-time contractor, session open, whose own certificate is under review."""
    return awaiting_opt_in().given(
        c.SubmitCertificate(NOW, "acord-25.pdf", SHA), c.ConfirmCertificateUploaded(NOW, "crt_1", SHA)
    )


def validated(
    at: int = NOW + 3 * DAY, starts: int | None = NOW, ends: int | None = END, certificate: str = "crt_1"
) -> c.NoteCertificateValidated:
    return c.NoteCertificateValidated(at, certificate, starts, ends)


def flagged(
    at: int = NOW + 3 * DAY, verdict: str = "flagged", certificate: str = "crt_1"
) -> c.NoteCertificateFlagged:
    return c.NoteCertificateFlagged(at, certificate, verdict)


def replayed(story: Story) -> Engagement:
    """The recorded entries folded again from nothing."""
    engagement = Engagement(story.engagement.engagement_id)
    for entry in story.entries:
        engagement = evolve(engagement, entry)
    return engagement
