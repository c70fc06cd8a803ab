"""The lives a filled database holds: whole engagements decided by the domain, to be told of any number."""

from dataclasses import dataclass

import msgspec

from domain import commands as c
from domain.codec import event_data, status_data
from domain.decide import decide
from domain.rules import Rules
from domain.state import Engagement
from domain.values import KnownContractor, Pay, Person, Terms

NUMBER = "4004004004"
"""Stands in a template wherever a life's own number goes."""

DAY = 86_400
STARTS = 1_790_000_000
TERM = 90 * DAY
INSURED = 89
"""The first so many of each hundred are insured, under a policy that bears their number."""

FILE = "c0ffee" * 10 + "beef"

RULES = Rules(
    clients={"*": "en_abc123"},
    categories={"Web, Mobile & Software Dev": "SOFTWARE_ENGINEERING_CONTRACT"},
    proxy_email_domain="relay.yourdomain.com",
    job_name="Contract {id} — {title}",
)

TERMS = Terms(
    title="Frontend Developer",
    description="Build the dashboard's pages and integrate the GraphQL APIs behind them. " * 4,
    pay=Pay("hourly", "75.00"),
    category="Web, Mobile & Software Dev",
    starts_at=STARTS,
    ends_at=None,
    person=Person(display_name="Ava Nguyen", country="US", region="CA", city="San Francisco"),
)


@dataclass(frozen=True)
class Told:
    """One event of a life: ``data`` is its JSON text; ``at`` epoch seconds."""

    type: str
    data: str
    at: int
    cause: str


@dataclass(frozen=True)
class Life:
    """A whole engagement with `NUMBER` for its number; ``status`` is the fold as JSON text."""

    events: tuple[Told, ...]
    state: str
    status: str


def lives() -> tuple[Life, ...]:
    """Of a hundred engagements: `INSURED` for the first term or a later one, some still on their way or over,
    one given up on. They come to fifteen events each."""
    first = STARTS - 7 * DAY
    way: list[c.EngagementCommand] = [
        c.AcceptOffer(first, f"of_{NUMBER}", f"fl_{NUMBER}", "cl_7"),
        c.RecordTerms(first + 1, TERMS, KnownContractor()),
        c.ConfirmContractor(first + 2, f"cn_{NUMBER}", opted_in=False),
        c.ConfirmJob(first + 2, f"jb_{NUMBER}"),
        c.ConfirmQuote(first + 3, f"qt_{NUMBER}", STARTS, STARTS + TERM),
        c.ConfirmSession(first + 4, f"as_{NUMBER}", f"https://apply.1099policy.com/as_{NUMBER}"),
        c.NotePolicyActive(first + DAY, f"pl_{NUMBER}", f"qt_{NUMBER}", STARTS, STARTS + TERM),
        c.ConfirmOptInShared(first + DAY + 1),
        c.ActivateContract(STARTS, f"of_{NUMBER}", f"fl_{NUMBER}", "cl_7"),
    ]
    waiting, insured = _life(way[:6]), _life([*way, *_paid(1)])
    certified = _life([*way, *_certified(STARTS + DAY)])
    renewed = _life([*way, *_renewed(2)])
    long = _life([*way, *_paid(1), *_renewed(2), *_paid(2), *_renewed(3)])
    ended = _life([*way, *_paid(1), *_renewed(2), *_over(STARTS + 2 * TERM - DAY)])
    parked = _life([*way[:4], c.ParkEffect(first + 9, "quote", "CreateQuote", "1099Policy refused it: 422")])
    kept = (*[insured] * 45, *[certified] * 19, *[renewed] * 15, *[long] * 10)
    return (*kept, *[waiting] * 6, *[ended] * 4, parked)


def _renewed(term: int) -> list[c.EngagementCommand]:
    """The contract is read again two weeks before the last term ends, and the policy runs on for another."""
    begins = STARTS + (term - 1) * TERM
    due, ends, assignment = begins - 14 * DAY, begins + TERM, f"an_{NUMBER}_{term}"
    return [
        c.PassDeadline(due, f"deadline:renewal:{begins}"),
        c.RecordTerms(due + 1, TERMS, KnownContractor()),
        c.ConfirmQuote(due + 2, f"qt_{NUMBER}_{term}", begins, ends),
        c.ConfirmAssignment(due + 3, assignment, f"pl_{NUMBER}", begins, ends),
        c.NotePolicyActive(due + DAY, f"pl_{NUMBER}", f"qt_{NUMBER}", STARTS, ends),
    ]


def _certified(at: int) -> list[c.EngagementCommand]:
    """A person hands in a certificate, and the vendor approves of it."""
    return [
        c.SubmitCertificate(at, "acord-25.pdf", FILE),
        c.ConfirmCertificateUploaded(at + 1, f"ce_{NUMBER}", FILE),
        c.NoteCertificateValidated(at + DAY, f"ce_{NUMBER}", at, at + 365 * DAY),
    ]


def _paid(term: int) -> list[c.EngagementCommand]:
    begins = STARTS + (term - 1) * TERM
    at, key = begins + 30 * DAY, f"pay-{term}"
    return [
        c.RequestInvoice(at, key, 480_000, begins, at),
        c.ConfirmInvoice(at + 1, key, f"in_{NUMBER}_{term}"),
    ]


def _over(at: int) -> list[c.EngagementCommand]:
    return [c.EndContract(at, at), c.ConfirmCoverageEnded(at + 1, "assignment_shortened", at)]


def _life(commands: list[c.EngagementCommand]) -> Life:
    engagement, told = Engagement(NUMBER), []
    for number, command in enumerate(commands, start=1):
        decision = decide(engagement, command, RULES)
        cause = f"effect:engagement:{NUMBER}:{type(command).__name__.lower()}:{number}"
        for event in decision.events:
            told.append(Told(type(event).__name__, _text(event_data(event)), command.at, cause))
        engagement = decision.after
    return Life(tuple(told), engagement.state, _text(status_data(engagement)))


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
