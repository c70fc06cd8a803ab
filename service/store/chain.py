"""The hash chain of a stream: each event's hash covers its predecessor's, so that no change goes unseen."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from json.encoder import encode_basestring as _quoted

from msgspec import Struct

START = bytes(32)
"""What stands before a stream's first event."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Link(Struct, frozen=True):
    """An event as it is stored; ``data`` is its JSON text to the letter, for that is what is hashed."""

    stream_id: str
    version: int
    position: int
    type: str
    schema: int
    effective_at: int
    recorded_at: datetime
    cause: str
    correlation: str
    actor: str
    data: str
    hash: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """A stream that is not what was written: at ``version``, in words."""

    stream_id: str
    version: int
    why: str


def event_hash(previous: bytes, event: Link) -> bytes:
    """The hash an event must have behind ``previous``; ``event.hash`` is not looked at.

    The same function lives in SQL as ``coverd.event_hash``; a test proves them equal.
    """
    micros = (event.recorded_at - _EPOCH) // _MICROSECOND
    header = (  # spaced and escaped exactly as Postgres does it
        f"[{_quoted(event.stream_id)}, {event.version}, {event.position}, {_quoted(event.type)},"
        f" {event.schema}, {event.effective_at}, {micros}, {_quoted(event.cause)},"
        f" {_quoted(event.correlation)}, {_quoted(event.actor)}]"
    )
    return sha256(previous + header.encode() + event.data.encode()).digest()


class Chain:
    """Walks one stream's events, oldest first."""

    def __init__(self, stream_id: str) -> None:
        self.stream_id = stream_id
        self.version = 0
        self.hash = START

    def next(self, event: Link) -> Fault | None:
        """The fault of this event, if any; its stored hash is what the next one must build on."""
        expected, previous = self.version + 1, self.hash
        self.version, self.hash = event.version, event.hash
        if event.version != expected:
            return self._fault(expected, f"event {expected} is missing: {event.version} follows")
        if event_hash(previous, event) != event.hash:
            return self._fault(expected, f"event {expected} or its place is not what was written")
        return None

    def end(self, version: int, head_hash: bytes) -> Fault | None:
        """Whether the events end where the stream's head says; a cut tail is found only here."""
        if (self.version, self.hash) == (version, head_hash):
            return None
        return self._fault(version, f"the head says version {version}, the events end at {self.version}")

    def _fault(self, version: int, why: str) -> Fault:
        return Fault(self.stream_id, version, why)


def verify_chain(events: Iterable[Link]) -> Fault | None:
    """The first fault in one stream's whole history, oldest first; None when it is as it was written."""
    chain: Chain | None = None
    for event in events:
        chain = chain or Chain(event.stream_id)
        if fault := chain.next(event):
            return fault
    return None
