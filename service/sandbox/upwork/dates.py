"""Reads the dates a control call gives and writes them as Upwork does (fact sheet 5 and 6.2)."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

# The guide's example window (fact sheet 11).
GUIDE_START = 1_764_628_800
GUIDE_END = 1_772_448_000
TERM_DAYS = 91

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


def instant(value: Any) -> datetime | None:
    """UTC of a date text, an ISO date-time with its offset, or epoch seconds; None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        if not isinstance(value, str):
            return None
        read = datetime.fromisoformat(value)
        if _DATE.match(value):
            return read.replace(tzinfo=UTC)
        return read.astimezone(UTC) if read.tzinfo else None
    except (ValueError, OverflowError, OSError):
        return None


def shown(value: Any) -> Any:
    """`yyyy-MM-dd` at midnight UTC, else a date-time with `+0000`; what is no instant is shown as it came."""
    at = instant(value)
    if at is None:
        return value if value is None else str(value)
    if (at.hour, at.minute, at.second, at.microsecond) == (0, 0, 0, 0):
        return at.strftime("%Y-%m-%d")
    return stamp(at)


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def stamp_epoch(seconds: float) -> str:
    return stamp(datetime.fromtimestamp(seconds, UTC))


def default_window(now: datetime, starts: Any = None) -> tuple[str, str]:
    """Tomorrow's start of day UTC, and 91 days after the start (or after `starts`, if that can be read)."""
    tomorrow = (now.astimezone(UTC) + timedelta(days=1)).date()
    start = instant(starts) or datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=UTC)
    return tomorrow.isoformat(), shown((start + timedelta(days=TERM_DAYS)).isoformat())
