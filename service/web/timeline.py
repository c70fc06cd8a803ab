"""The history as a reader follows it: each event with who brought it, its cause and the move it made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain import events as e
from domain.lifecycle import UNSEEN, move
from domain.recorded import Recorded
from service.clock import epoch
from service.web import labels, words


@dataclass(frozen=True, slots=True)
class Entry:
    """``speaks_of`` is the effective time where it differs. ``cause`` is the call or request that led here,
    None where it was the delivery itself; ``delivery`` is the one it all began with. ``actor`` is the person
    who asked for it, None where nobody did."""

    version: int
    source: str
    text: str
    recorded_at: datetime
    speaks_of: int | None
    actor: str | None
    cause: str | None
    delivery: str | None
    hash: str
    before: str
    after: str

    @property
    def moved(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Move:
    """A step on the way: the state reached, by which event, and when that was recorded."""

    state: str
    version: int
    at: datetime


def entries(history: Sequence[Recorded]) -> tuple[Entry, ...]:
    """One entry an event, oldest first."""
    deliveries = {r.cause for r in history if _by_news(r)}
    told, state = [], UNSEEN
    for recorded in history:
        before, state = state, move(state, recorded.type)
        began_with = recorded.correlation if recorded.correlation in deliveries else None
        told.append(_entry(recorded, before, state, began_with))
    return tuple(told)


def path(told: Sequence[Entry]) -> tuple[Move, ...]:
    """The states walked through, in order, each entered by a move."""
    return tuple(Move(x.after, x.version, x.recorded_at) for x in told if x.moved)


def _by_news(recorded: Recorded) -> bool:
    return recorded.actor.startswith(("webhook:", "poll:"))


def _entry(recorded: Recorded, before: str, after: str, began_with: str | None) -> Entry:
    event = recorded.event
    if isinstance(event, e.FreelancerEvent):
        raise TypeError(f"{recorded.type} belongs to a freelancer's stream")
    differs = recorded.effective_at != epoch(recorded.recorded_at)
    by_news = _by_news(recorded)
    return Entry(
        version=recorded.version,
        source=_source(recorded),
        text=words.said(event),
        recorded_at=recorded.recorded_at,
        speaks_of=recorded.effective_at if differs else None,
        actor=recorded.actor if _by_person(recorded) else None,
        cause=None if by_news else _cause(recorded),
        delivery=recorded.cause if by_news else began_with,
        hash=recorded.hash.hex()[:12],
        before=before,
        after=after,
    )


_DECIDED = (
    e.CoveragePlanned
    | e.HoldRaised
    | e.HoldCleared
    | e.EngagementInsured
    | e.CertificateAccepted
    | e.ReviewOpened
    | e.CoverageLapsed
    | e.EffectParked
    | e.CoverageRenewed
    | e.DeadlinePassed
)


def _source(recorded: Recorded) -> str:
    """Who brought it: a vendor's news, a vendor's answer to a call, our own decision, or a person."""
    if isinstance(recorded.event, _DECIDED):
        return "Decided here"
    if _by_news(recorded):
        vendor = recorded.actor.partition(":")[2]
        return f"News from {labels.VENDORS.get(vendor, vendor)}"
    called = _step(recorded)
    if called is None:
        return "Asked by a person" if _by_person(recorded) else "Found by looking"
    family = called.partition(":")[0]
    if family in ("share-opt-in", "wake", "deadline") or (family == "read" and recorded.type != "TermsRead"):
        return "Decided here"
    return f"Answer from {'Upwork' if family in ('read', 'fetch') else '1099Policy'}"


def _by_person(recorded: Recorded) -> bool:
    return recorded.actor == "local" or recorded.actor.startswith("token:")


def _step(recorded: Recorded) -> str | None:
    """The step whose call led here, from a cause such as ``effect:engagement:9001:job:1``."""
    rest = recorded.cause.removeprefix(f"effect:{recorded.stream_id}:")
    if rest == recorded.cause:
        return None
    step, _, generation = rest.removesuffix(":parked").rpartition(":")
    return step if step and generation.isdigit() else rest


def _cause(recorded: Recorded) -> str:
    called = _step(recorded)
    return recorded.cause if called is None else f"the call to {labels.step(called)}"
