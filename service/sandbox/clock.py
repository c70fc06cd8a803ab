"""The sandboxes' clock: real time until somebody sets it, and ticking on from there."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


class Clock:
    """Seconds since the epoch, UTC. Once set, it runs on from the value set at the speed of real time.

    `ahead_by` is how far it runs ahead of real time, None when it was never set: what a state file keeps.
    """

    def __init__(self) -> None:
        self.ahead_by: float | None = None

    @property
    def is_set(self) -> bool:
        return self.ahead_by is not None

    def now(self) -> float:
        return time.time() + (self.ahead_by or 0.0)

    def epoch(self) -> int:
        """Whole seconds, as 1099Policy writes its instants."""
        return int(self.now())

    def at(self) -> datetime:
        return datetime.fromtimestamp(self.now(), UTC)

    def set(self, now: float | None) -> None:
        """Set the time; None goes back to real time."""
        self.ahead_by = None if now is None else now - time.time()

    def advance(self, seconds: float) -> None:
        self.ahead_by = (self.ahead_by or 0.0) + seconds

    def control(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Do what `POST /_control/clock` asks: `{"now": epoch | RFC 3339 | null, "advance": seconds}`.

        Both members are optional; `now` is set first. Raises ValueError for anything else.
        """
        if "now" in body:
            self.set(None if body["now"] is None else parse_instant(body["now"]))
        if "advance" in body:
            self.advance(_seconds(body["advance"]))
        return self.reading()

    def reading(self) -> dict[str, Any]:
        at = self.at()
        return {"now": self.epoch(), "at": at.isoformat().replace("+00:00", "Z"), "set": self.is_set}


def parse_instant(value: Any) -> float:
    """Epoch seconds from a number or an RFC 3339 text with its offset; ValueError otherwise."""
    if isinstance(value, str):
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise ValueError("an instant needs its offset, for example 2025-12-01T22:40:00Z")
        return at.timestamp()
    return _seconds(value)


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("seconds are a number")
    return float(value)
