"""Epoch seconds and vendors' words as Postgres keeps them."""

from datetime import UTC, datetime

_FIRST, _LAST = -62135596800, 253402300799
"""0001-01-01 and the last second of 9999: instants beyond are a vendor's slip and become these."""

INFINITY = datetime.max  # noqa: DTZ901 - with a time zone it would be an instant like any other
"""What comes after every instant, as the driver knows it."""


def from_epoch(seconds: int) -> datetime:
    return datetime.fromtimestamp(max(_FIRST, min(seconds, _LAST)), UTC)


def storable(words: str | None) -> str | None:
    """Vendors' words without the one character a text column refuses."""
    return None if words is None else words.replace("\x00", "\ufffd")
