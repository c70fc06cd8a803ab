"""Cursors of lists: where the next page begins, opaque to whoever hands them back."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import TypeVar

import msgspec

from projections.errors import BadCursor

_Row = TypeVar("_Row")


def cursor_after(instant: datetime, *key: str) -> str:
    """The cursor of the page after the row with this key."""
    return urlsafe_b64encode(msgspec.json.encode([instant.isoformat(), *key])).decode().rstrip("=")


def place(cursor: str, parts: int) -> tuple[datetime, list[str]]:
    """The instant and the ``parts`` ids a cursor was made of. Raises `BadCursor`."""
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        first, *key = msgspec.json.decode(raw, type=list[str])
        instant = datetime.fromisoformat(first)
    except (ValueError, msgspec.MsgspecError):
        raise BadCursor from None
    if instant.tzinfo is None or len(key) != parts or any("\x00" in part for part in key):
        raise BadCursor
    return instant, key


def page(rows: list[_Row], limit: int) -> tuple[list[_Row], _Row | None]:
    """The first ``limit`` rows, and the last of them if more follow."""
    shown = rows[:limit]
    return shown, shown[-1] if len(rows) > limit else None
