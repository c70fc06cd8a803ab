"""An event with its envelope, as it stands in the log for ever."""

from datetime import datetime

from msgspec import Struct

from domain.events import Event


class Recorded(Struct, frozen=True):
    """``version`` counts from 1 in the stream; ``position`` from 1 in the bucket's log, both without gaps.

    ``recorded_at`` is UTC and never steps back within a bucket; ``effective_at`` is in epoch seconds.
    ``cause`` is the delivery, effect or request that led here; ``hash`` chains it to its predecessor.
    """

    stream_id: str
    bucket: int
    version: int
    position: int
    type: str
    event: Event
    recorded_at: datetime
    effective_at: int
    cause: str
    correlation: str
    actor: str
    hash: bytes
