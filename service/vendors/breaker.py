"""When an operation of a vendor is closed, and when one call may find out whether it works again."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

ALL = "*"
"""The operation that stands for all of a vendor's."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """An operation that failed ``failures`` times since it last succeeded; open since ``opened_at``.

    ``until``: when one process may try one effect.
    """

    vendor: str
    operation: str
    failures: int
    since: datetime
    failed_at: datetime
    error: str
    opened_at: datetime | None = None
    openings: int = 0
    until: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.opened_at is not None

    def may_be_tried(self, now: datetime) -> bool:
        return self.until is not None and self.until <= now


@dataclass(frozen=True, slots=True)
class Failure:
    """``at_once``: no further failure is waited for. ``probe``: the one effect that was to find out failed.

    ``retry_after``: the vendor's wish, in seconds.
    """

    at: datetime
    error: str
    at_once: bool = False
    probe: bool = False
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """Opens after ``failures`` in a row with at most ``apart`` between two of them; then one effect is tried
    after ``first``, which doubles with each that fails up to ``most``, but never before the vendor wishes it,
    which is kept up to ``longest``. All in seconds."""

    failures: int = 5
    first: float = 5.0
    most: float = 60.0
    apart: float = 600.0
    longest: float = 6 * 3600.0

    def after(self, was: Breaker, failure: Failure) -> Breaker:
        """The state that a failure leaves. Calls that were under way when it opened change nothing but the
        count, and what the vendor wishes."""
        forgotten = not was.is_open and (failure.at - was.failed_at).total_seconds() > self.apart
        fresh = was.failures == 0 or forgotten
        now = replace(
            was,
            failures=1 if fresh else was.failures + 1,
            since=failure.at if fresh else was.since,
            failed_at=failure.at,
            error=failure.error,
        )
        if was.until is not None and not failure.probe:
            return replace(now, until=max(was.until, failure.at + self._wish(failure)))
        if failure.probe or failure.at_once or now.failures >= self.failures:
            return self._opened(now, failure)
        return now

    def _opened(self, now: Breaker, failure: Failure) -> Breaker:
        wait = timedelta(seconds=min(self.most, self.first * 2.0 ** min(now.openings, 30)))
        return replace(
            now,
            opened_at=now.opened_at or failure.at,
            openings=now.openings + 1,
            until=failure.at + max(wait, self._wish(failure)),
        )

    def _wish(self, failure: Failure) -> timedelta:
        return timedelta(seconds=min(failure.retry_after or 0.0, self.longest))
