"""What the contract's tests begin with: a clock that stands still, and appends with character."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from domain import events as e
from domain.effects import CreateJob, ReadContract, WakeUp, Wanted
from domain.events import Event
from domain.ids import bucket_of
from domain.values import JobDraft
from service.ports import Append, Delivery, Lookup

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
ADA = "engagement:9001"
OFFER = e.OfferAccepted("of_1", "fl_12345", "cl_7")
READ = Wanted("read", 1, ReadContract("9001", "fl_12345"), "upwork-contract-9001-read")
JOB = Wanted(
    "job",
    1,
    CreateJob("9001", JobDraft("Contract 9001", "Build it", "en_1", "SOFTWARE", 150000, "flatfee")),
    "upwork-contract-9001-job",
)

_causes = count(1)


class Clock:
    """Stands at noon until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


def append(
    *events: Event,
    stream: str = ADA,
    expected: int = 0,
    cause: str | None = None,
    lookups: tuple[Lookup, ...] = (),
    effects: tuple[Wanted, ...] = (),
    **more: Any,
) -> Append:
    """An append whose cause is its own unless it is given."""
    return Append(
        stream_id=stream,
        expected=expected,
        cause=cause or f"cause-{next(_causes)}",
        correlation=more.pop("correlation", "delivery-1"),
        actor=more.pop("actor", "webhook:upwork"),
        effective_at=more.pop("effective_at", 1_777_000_000),
        events=events,
        state=more.pop("state", "offered"),
        status=more.pop("status", {"engagement_id": "9001", "version": expected + len(events)}),
        effects=effects,
        lookups=lookups,
        **more,
    )


def timer(due_at: datetime, step: str = "wake:1") -> Wanted:
    return Wanted(step, 1, WakeUp(0), step, int(due_at.timestamp()))


def delivery(dedupe: str = "header:msg_1", **more: Any) -> Delivery:
    return Delivery(
        source=more.pop("source", "upwork"),
        dedupe=dedupe,
        body=more.pop("body", b'{"id": "msg_1", "type": "offer.accepted"}'),
        headers={"content-type": "application/json"},
        verdict=more.pop("verdict", "token: it is one of ours"),
        received_at=more.pop("received_at", NOON),
        **more,
    )


def neighbours(how_many: int, of: str = ADA) -> list[str]:
    """That many other streams that live in the same bucket."""
    bucket, found = bucket_of(of), []
    for number in count():
        if bucket_of(f"engagement:n{number}") == bucket:
            found.append(f"engagement:n{number}")
        if len(found) == how_many:
            return found
    raise AssertionError("count never ends")
