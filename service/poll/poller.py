"""The loop that asks each source in its time; of several processes only the one that moves the due time."""

import asyncio
import contextlib
from datetime import timedelta
from random import uniform
from uuid import uuid4

import structlog

from service.clock import Clock
from service.poll.facts import Source
from service.poll.reconcile import SOURCES, Reconciler
from service.poll.report import Report
from service.ports import Store
from service.store.errors import StoreUnavailable

LEASE = timedelta(seconds=30)
"""How long an asker may be silent before another process may think that it is gone."""

BEAT = LEASE / 3
"""How often it says that it asks on: a sweep of many engagements takes minutes."""

log = structlog.get_logger("coverd.poll")


class Poller:
    """``seconds``: how often each source is asked."""

    def __init__(self, reconciler: Reconciler, store: Store, clock: Clock, seconds: float) -> None:
        self._reconciler = reconciler
        self._store = store
        self._clock = clock
        self._seconds = seconds
        self._owner = uuid4().hex
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._ask_on(s), name=f"poll-{s}") for s in SOURCES]

    async def stop(self) -> None:
        """A sweep under way is broken off: what it had found is kept, the rest is found again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _ask_on(self, source: Source) -> None:
        while True:
            try:
                await self.ask_if_due(source)
            except StoreUnavailable as error:
                log.warning("the store cannot be reached; waiting", error=str(error))
            except Exception:
                log.exception("a sweep failed", source=source)
            await asyncio.sleep(min(self._seconds / 10, 15.0))

    async def ask_if_due(self, source: Source) -> Report | None:
        """Sweep the source if it is due and nobody else is at it."""
        now = self._clock()
        if not await self._store.take_turn(source, self._owner, now, now + LEASE):
            return None
        beating = asyncio.create_task(self._ask_on_and_say_so(source), name=f"turn-{source}")
        try:
            report = await self._reconciler.sweep(source, Report())
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
        for why in report.plain.values():
            log.warning("a source does not answer", source=source, error=why)
        for unread in report.unread:
            log.warning("a vendor does not show what it is asked for", source=source, error=unread.plain)
        if report.found:
            log.info("found by asking", source=source, facts=len(report.found), healed=len(report.healed))
        return report

    async def _ask_on_and_say_so(self, source: Source) -> None:
        while True:
            await asyncio.sleep(BEAT / timedelta(seconds=1))
            with contextlib.suppress(StoreUnavailable):
                await self._store.keep_turn(source, self._owner, self._clock() + LEASE)


async def watch(store: Store, clock: Clock, seconds: float) -> None:
    """Begin to listen to the sources, to be asked for the first time when about one interval has passed."""
    for source in SOURCES:
        await store.watch_source(source, clock() + timedelta(seconds=seconds * uniform(0.5, 1.0)))
