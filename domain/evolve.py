"""evolve: an engagement and one recorded event make the engagement after it. Total, pure, and quick."""

from msgspec.structs import replace

from domain import events as e
from domain import lifecycle
from domain.folds import FOLDS
from domain.state import Engagement, Freelancer
from domain.values import Value


class Entry(Value, frozen=True):
    """An event with its place: ``version`` in its stream, ``at`` the instant it speaks of (epoch seconds)."""

    version: int
    at: int
    event: e.Event


def evolve(engagement: Engagement, entry: Entry) -> Engagement:
    """The engagement after ``entry``. Raises `ImpossibleTransition` for an event its state cannot take."""
    kind, at = type(entry.event), entry.at
    fold = FOLDS.get(kind)
    if fold is None:
        raise TypeError(f"{kind.__name__} belongs to a freelancer's stream")
    moved = replace(
        engagement,
        version=entry.version,
        state=lifecycle.move(engagement.state, kind.__name__),
        latest_at=at if at > engagement.latest_at else engagement.latest_at,
    )
    return fold(moved, entry.event, at)


def evolve_freelancer(freelancer: Freelancer, entry: Entry) -> Freelancer:
    """The freelancer after ``entry``."""
    event = entry.event
    s = replace(freelancer, version=entry.version)
    match event:
        case e.ContractorLinked(contractor_id, email):
            return replace(s, contractor_id=contractor_id, email=email)
        case e.FreelancerOptedIn(_, opted_in_at):
            return replace(s, opted_in_at=opted_in_at)
        case e.NameDecided(first_name, last_name):
            return replace(s, first_name=first_name, last_name=last_name)
        case _:
            raise TypeError(f"{type(event).__name__} belongs to an engagement's stream")
