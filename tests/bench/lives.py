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
ENDS = STARTS + 365 * DAY

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
    ends_at=ENDS,
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
    """Of a hundred engagements: most insured, some still on their way or over, a few given up on."""
    first = STARTS - 7 * DAY
    way: list[c.EngagementCommand] = [
        c.AcceptOffer(first, f"of_{NUMBER}", f"fl_{NUMBER}", "cl_7"),
        c.RecordTerms(first + 1, TERMS, KnownContractor()),
        c.ConfirmContractor(first + 2, f"cn_{NUMBER}", opted_in=False),
        c.ConfirmJob(first + 2, f"jb_{NUMBER}"),
        c.ConfirmQuote(first + 3, f"qt_{NUMBER}", STARTS, ENDS),
        c.ConfirmSession(first + 4, f"as_{NUMBER}", f"https://apply.1099policy.com/as_{NUMBER}"),
        c.NotePolicyActive(first + DAY, f"pl_{NUMBER}", f"qt_{NUMBER}", STARTS, ENDS),
        c.ConfirmOptInShared(first + DAY + 1),
        c.ActivateContract(STARTS, f"of_{NUMBER}", f"fl_{NUMBER}", "cl_7"),
    ]
    insured, waiting = _life(way), _life(way[:6])
    ended = _life([*way, c.EndContract(ENDS, ENDS)])
    parked = _life([*way[:4], c.ParkEffect(first + 9, "quote", "CreateQuote", "1099Policy refused it: 422")])
    return (*[insured] * 89, *[waiting] * 6, *[ended] * 4, parked)


def _life(commands: list[c.EngagementCommand]) -> Life:
    engagement, told = Engagement(NUMBER), []
    for command in commands:
        decision = decide(engagement, command, RULES)
        for event in decision.events:
            told.append(Told(type(event).__name__, _text(event_data(event)), command.at, _cause(command)))
        engagement = decision.after
    return Life(tuple(told), engagement.state, _text(status_data(engagement)))


def _cause(command: c.EngagementCommand) -> str:
    return f"effect:engagement:{NUMBER}:{type(command).__name__.lower()}:1"


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
