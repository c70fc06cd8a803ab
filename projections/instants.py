"""Epoch seconds and datetimes as Postgres reads them in text."""

from datetime import UTC, datetime

_FIRST, _LAST = -62135596800, 253402300799
"""0001-01-01 and the last second of 9999: instants beyond are a vendor's slip and become these."""


def from_epoch(seconds: int) -> datetime:
    return datetime.fromtimestamp(max(_FIRST, min(seconds, _LAST)), UTC)


def text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def epoch_text(seconds: int) -> str:
    return from_epoch(seconds).isoformat()


def storable(words: str | None) -> str | None:
    """Vendors' words without the one character a text column refuses."""
    return None if words is None else words.replace("\x00", "\ufffd")
