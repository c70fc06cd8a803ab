"""What time it is at the vendor, by the Date of its answers: production has our time, a sandbox may not."""

from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from service.clock import Clock

CLOSE_ENOUGH = 5.0
"""Seconds by which two clocks may differ and still tell the same time: Date counts whole seconds."""

JUMP = 60.0
"""Seconds by which a clock that was set differs from one that drifts."""


class VendorClock:
    """``on_jump`` is called when the clock was set to another time since its last answer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.ahead_by = 0.0
        """Seconds by which the vendor's clock runs ahead of ours; 0 while it is not known."""
        self.is_known = False
        self.jumps = 0
        """How often it was set to another time."""
        self.on_jump: Callable[[], None] = lambda: None

    def read(self, headers: Mapping[str, str]) -> None:
        """Take the time of an answer; one without a Date says nothing."""
        try:
            there = parsedate_to_datetime(headers.get("Date", "")).replace(tzinfo=UTC)
        except ValueError:
            return
        seconds = (there - self._clock()).total_seconds()
        before, self.ahead_by = self.ahead_by, seconds if abs(seconds) > CLOSE_ENOUGH else 0.0
        self.is_known = True
        if abs(self.ahead_by - before) > JUMP:
            self.jumps += 1
            self.on_jump()
