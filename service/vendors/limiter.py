"""A vendor's limits, kept by all processes together: turns are taken from the store, a few at a time."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from service.clients.http import Crowded, Spent
from service.clock import utc_now
from service.sources import NAMES
from service.vendors.ports import VendorStore
from service.vendors.rate import Rate

BLOCK = 8
"""How many turns one round trip takes at most, and never more than there are callers waiting."""

PATIENCE = 20.0
"""Seconds after which a caller is sent away: well within the lease of an effect."""


class Limiter:
    """``turn`` waits for the caller's turn, first come first served.

    By this process's clock a turn is counted from when the store's answer was in, and its ``grace`` from when
    the question went out: so, however long that took, by the store's clock the start is neither early nor too
    late. A turn that was missed is given up, and another taken.
    """

    def __init__(
        self,
        store: VendorStore,
        name: str,
        rate: Rate,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        shared_clock: Callable[[], datetime] | None = None,
    ) -> None:
        """``shared_clock`` stands in for the store's own."""
        self._store = store
        self._name = name
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._shared_clock = shared_clock
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0
        self._turns: deque[tuple[float, float]] = deque()

    async def turn(self) -> None:
        """Raises `Crowded` when there is none in time, `Spent` when there is none before the next day, and
        `StoreUnavailable` when nobody can say."""
        until = self._clock() + PATIENCE
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                while not await self._used_next():
                    if self._clock() > until:
                        raise self._crowded()
        finally:
            self._waiting -= 1

    async def _used_next(self) -> bool:
        if not self._turns:
            await self._take()
        if not self._turns:
            await self._look_at_the_day()
            await self._sleep(1.0)
            return False
        begins, ends = self._turns.popleft()
        while (early := begins - self._clock()) > 0:
            await self._sleep(early)
        return self._clock() <= ends

    async def _take(self) -> None:
        asked_at = self._clock()
        now = self._shared_clock() if self._shared_clock else None
        turns = await self._store.take_turns(self._name, min(self._waiting, BLOCK), self._rate, now)
        answered_at = self._clock()
        self._turns.extend((answered_at + t, asked_at + t + self._rate.grace) for t in turns)

    async def _look_at_the_day(self) -> None:
        now = (self._shared_clock or utc_now)().astimezone(UTC)
        if (
            self._rate.a_day is None
            or await self._store.turns_taken(self._name, now.date()) < self._rate.a_day
        ):
            return
        tomorrow = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
        raise Spent(
            vendor=NAMES.get(self._name, self._name),
            what="a turn",
            why=f"the {self._rate.a_day:,} requests of the day are spent; the next begins at midnight, UTC",
            retry_after=(tomorrow - now).total_seconds(),
        )

    def _crowded(self) -> Crowded:
        name = NAMES.get(self._name, self._name)
        return Crowded(vendor=name, what="a turn", why=f"its limits left none for {PATIENCE:.0f} s")
