"""The one place that reads the time; everything else is given a `Clock`."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives now, in UTC."""


EVER_AFTER = datetime(9999, 1, 1, tzinfo=UTC)
"""Later than anything that is written down."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def epoch(moment: datetime) -> int:
    """Whole seconds since 1970, UTC."""
    return int(moment.timestamp())


def rfc3339(moment: datetime | int | None) -> str | None:
    """``2026-03-02T10:40:00Z``; microseconds only where there are any. None stays None."""
    if moment is None:
        return None
    if isinstance(moment, int):
        try:
            moment = datetime.fromtimestamp(moment, UTC)
        except (ValueError, OverflowError, OSError):
            return None  # beyond every calendar: shown as not known
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
