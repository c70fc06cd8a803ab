"""How much one token may ask: so much a minute, or all of that in one go. Each process counts alone."""

import time
from collections.abc import Callable


class Rates:
    """``per_minute`` 0: without a limit."""

    def __init__(self, per_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        self._apart = 60 / per_minute if per_minute else 0.0
        self._now = now
        self._free_at: dict[str, float] = {}

    def wait(self, who: str) -> float:
        """0, and the request counts; or for how many seconds there is no room for one more."""
        if not self._apart:
            return 0.0
        now = self._now()
        free_at = max(self._free_at.get(who, now), now)
        ahead = free_at - now - (60 - self._apart)
        if ahead > 1e-9:
            return ahead
        self._free_at[who] = free_at + self._apart
        return 0.0
