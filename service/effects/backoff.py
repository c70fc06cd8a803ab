"""When a failed call is tried again: full jitter on a doubling ladder, never before the vendor allows it."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Ladder:
    """``first`` doubles up to ``most``; after ``give_up_after`` the call is parked. All in seconds.

    One that was held back for long is not parked before its ``fewest`` tries either.
    """

    first: float = 1.0
    most: float = 6 * 3600.0
    give_up_after: float = 72 * 3600.0
    fewest: int = 12

    def next_try(
        self,
        attempt: int,
        now: datetime,
        retry_after: float | None = None,
        draw: float | None = None,
    ) -> datetime:
        """When to try again after failed ``attempt`` (from 1).

        ``retry_after`` is the vendor's wish in seconds, kept up to ``most``.
        ``draw`` in [0, 1) sets the jitter.
        """
        ceiling = min(self.most, self.first * 2.0 ** min(attempt - 1, 40))
        wait = ceiling * (random.random() if draw is None else draw)
        if retry_after is not None:
            wait = max(wait, min(retry_after, self.most))
        return now + timedelta(seconds=wait)

    def exhausted(self, created_at: datetime, now: datetime, attempt: int) -> bool:
        """Whether the call has been tried for long enough, and often enough, to be given up."""
        return attempt >= self.fewest and (now - created_at).total_seconds() >= self.give_up_after
