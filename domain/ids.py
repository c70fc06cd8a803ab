"""Names of streams, and the fixed bucket each stream lives in."""

from hashlib import sha256
from typing import Literal

BUCKETS = 1024
"""How many buckets there are, for ever: a stream never changes its bucket."""

Kind = Literal["engagement", "freelancer"]


def engagement_stream(engagement_id: str) -> str:
    """The stream of one Upwork contract, e.g. ``engagement:9001``."""
    return f"engagement:{engagement_id}"


def freelancer_stream(freelancer_id: str) -> str:
    """The stream of one Upwork freelancer, e.g. ``freelancer:fl_12345``."""
    return f"freelancer:{freelancer_id}"


def subject(stream_id: str) -> str:
    """The vendor's id a stream is about: ``engagement:9001`` → ``9001``."""
    return stream_id.partition(":")[2]


def kind(stream_id: str) -> str:
    """What a stream is about: ``engagement`` or ``freelancer``."""
    return stream_id.partition(":")[0]


def bucket_of(key: str) -> int:
    """The bucket (0 … 1023) of a stream id or any other key.

    The same function lives in SQL as ``coverd.bucket_of(text)``; a test proves them equal.
    """
    digest = sha256(key.encode()).digest()
    return (digest[0] << 8 | digest[1]) & (BUCKETS - 1)
