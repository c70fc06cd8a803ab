"""The life of an engagement as one declared table, run by `transitions`.

Triggers are recorded events, never commands. A row moves; a *stay* (``dest`` None) is news that is
welcome and moves nothing. There are no conditions and no callbacks: `decide` chooses between events
beforehand, so that a replay years later walks the very same way.
"""

from dataclasses import dataclass
from functools import cache
from typing import get_args

from transitions import Machine, MachineError

from domain.errors import ImpossibleTransition
from domain.events import EngagementEvent

UNSEEN = "unseen"
OFFERED = "offered"
CONTRACTOR_READY = "contractor_ready"
QUOTED = "quoted"
AWAITING_OPT_IN = "awaiting_opt_in"
ASSIGNED = "assigned"
INSURED = "insured"
COI_VALIDATED = "coi_validated"
UNDER_REVIEW = "under_review"
LAPSED = "lapsed"
ENDED = "ended"

STATES = (
    UNSEEN,
    OFFERED,
    CONTRACTOR_READY,
    QUOTED,
    AWAITING_OPT_IN,
    ASSIGNED,
    INSURED,
    COI_VALIDATED,
    UNDER_REVIEW,
    LAPSED,
    ENDED,
)
LIVE = STATES[1:-1]
"""Every state between the first news and the end."""


@dataclass(frozen=True, slots=True)
class Row:
    """In ``source``, ``event`` leads to ``dest``; None is a stay."""

    event: str
    source: str
    dest: str | None


_MOVES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("OfferAccepted", (UNSEEN,), OFFERED),
    ("ContractActivated", (UNSEEN,), OFFERED),
    ("ContractEnded", (UNSEEN, *LIVE), ENDED),
    ("ContractorReady", (OFFERED,), CONTRACTOR_READY),
    ("QuoteCreated", (CONTRACTOR_READY,), QUOTED),
    ("QuoteWaived", (CONTRACTOR_READY,), QUOTED),
    ("SessionOpened", (QUOTED,), AWAITING_OPT_IN),
    ("AssignmentCreated", (QUOTED, AWAITING_OPT_IN), ASSIGNED),
    ("EngagementInsured", LIVE, INSURED),
    ("CertificateAccepted", LIVE, COI_VALIDATED),
    ("ReviewOpened", LIVE, UNDER_REVIEW),
    ("CoverageLapsed", LIVE, LAPSED),
)

EVENTS = tuple(event.__name__ for event in get_args(EngagementEvent))
"""Every event an engagement's stream may hold."""

BIRTHS = ("OfferAccepted", "ContractActivated", "ContractEnded")
"""The only events a stream may begin with."""


def _table() -> tuple[Row, ...]:
    moves = {(event, source): dest for event, sources, dest in _MOVES for source in sources}
    rows = [Row(event, source, dest) for (event, source), dest in moves.items()]
    for event in EVENTS:
        rows += [Row(event, s, None) for s in (*LIVE, ENDED) if (event, s) not in moves]
    return tuple(rows)


TABLE = _table()


class _Cursor:
    """A throwaway model: the machine moves it and it is forgotten."""

    __slots__ = ("state",)

    def __init__(self, state: str) -> None:
        self.state = state


def machine() -> Machine:
    """The table as one `transitions` machine without a model of its own."""
    built = Machine(model=None, states=list(STATES), initial=UNSEEN, auto_transitions=False)
    for row in TABLE:
        built.add_transition(row.event, row.source, row.dest)
    return built


_MACHINE = machine()


@cache  # the table never changes, and `transitions` takes 10 µs to look into it
def move(state: str, event: str) -> str:
    """The state after ``event`` in ``state``.

    Raises `ImpossibleTransition` when the table has no row for the pair.
    """
    cursor = _Cursor(state)
    trigger = _MACHINE.events.get(event)
    if trigger is None:
        raise ImpossibleTransition(state=state, event=event)
    try:
        trigger.trigger(cursor)
    except MachineError:
        raise ImpossibleTransition(state=state, event=event) from None
    return cursor.state
