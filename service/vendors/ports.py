"""What a store keeps about the vendors themselves, for all processes; held by the same contract suite."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from service.vendors.rate import Rate


class VendorStore(Protocol):
    """A part of `service.ports.Store`. Every method may raise `StoreUnavailable`."""

    async def take_turns(self, name: str, want: int, rate: Rate, now: datetime | None) -> Sequence[float]:
        """Up to ``want`` turns to ask this vendor, in seconds from ``now`` (None: by the store's own clock).

        Fewer, or none, where they would lie beyond the rate's horizon. They count as taken, used or not.
        """
        ...

    async def turns_taken(self, name: str, day: date) -> int:
        """How many turns were taken on this day (UTC), of the latest day any was."""
        ...
