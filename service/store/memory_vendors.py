"""What is known of the vendors, in memory."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

from service.vendors.rate import Pacing, Rate


class MemoryVendors:
    """See `service.vendors.ports.VendorStore`."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._pacing: dict[str, Pacing] = {}
        self._taken: dict[str, tuple[date, int]] = {}

    async def take_turns(self, name: str, want: int, rate: Rate, now: datetime | None) -> Sequence[float]:
        now = now or self._clock()
        pacing = self._pacing.get(name, Pacing(now, now))
        turns: list[float] = []
        while len(turns) < want:
            at, after = pacing.turn(now, rate)
            if at > now + timedelta(seconds=rate.horizon):
                break
            pacing = after
            turns.append((at - now).total_seconds())
        self._pacing[name] = pacing
        self._count(name, now.astimezone(UTC).date(), len(turns))
        return turns

    async def turns_taken(self, name: str, day: date) -> int:
        on, taken = self._taken.get(name, (day, 0))
        return taken if on == day else 0

    def _count(self, name: str, day: date, turns: int) -> None:
        on, taken = self._taken.get(name, (day, 0))
        self._taken[name] = (day, turns) if on < day else (on, taken + turns)
