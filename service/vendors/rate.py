"""How quickly a vendor may be asked, and which turns follow from that."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Rate:
    """Turns are ``spacing`` apart at least and ``interval`` on average; up to ``slack`` ahead of that average
    where nothing was asked before. None is given that lies more than ``horizon`` ahead. All in seconds.
    On one day (UTC) at most ``a_day`` are given, where that is set.

    A turn may be used until ``grace`` after its time. So a window of ``w`` seconds sees at most
    ``(w + grace) / spacing`` starts, rounded up, and ``(w + grace + slack) / interval + 1``.
    """

    spacing: float
    interval: float
    slack: float
    horizon: float = 10.0
    grace: float = 0.2
    a_day: int | None = None


@dataclass(frozen=True, slots=True)
class Pacing:
    """Where a vendor's turns have come to; see migrations/0015_pace.sql."""

    free_at: datetime
    level_at: datetime

    def turn(self, now: datetime, rate: Rate) -> "tuple[datetime, Pacing]":
        """The next turn, and what follows from taking it."""
        at = max(now, self.free_at, self.level_at - timedelta(seconds=rate.slack))
        free_at = at + timedelta(seconds=rate.spacing)
        return at, Pacing(free_at, max(self.level_at, at) + timedelta(seconds=rate.interval))


UPWORK_A_DAY = 40_000
"""Upwork's soft ceiling of requests a day, beyond which it may disable the key (Upwork facts, section 5)."""

UPWORK = Rate(spacing=0.12, interval=0.24, slack=11.0, a_day=UPWORK_A_DAY)
"""At most 10 in a second and 298 in a minute, where Upwork allows 10 and 300 for one address (Upwork facts,
section 5): on the way there requests may close ranks."""
