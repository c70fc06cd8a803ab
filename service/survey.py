"""Counts over all engagements, taken by one process now and then, so that no scrape has to."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import structlog

from service.clock import Clock
from service.lists import ReadModels, is_silent
from service.sources import Silence
from service.store.errors import StoreUnavailable
from service.store.postgres import PostgresStore

LEASE = timedelta(minutes=5)
"""How long counting may take before another process may think that whoever counts is gone."""

SHARE = 50
"""At most one fiftieth of the time goes into counting, however long it takes."""

log = structlog.get_logger("coverd")


class Surveyor:
    """``seconds``: how old the counts get, and more where counting takes long."""

    def __init__(
        self, store: PostgresStore, lists: ReadModels, silence: Silence, clock: Clock, seconds: float = 30.0
    ) -> None:
        self._store = store
        self._lists = lists
        self._silence = silence
        self._clock = clock
        self._seconds = seconds

    async def run(self) -> None:
        """Count whenever it is due and nobody else does, for ever."""
        while True:
            try:
                await self.if_due()
            except StoreUnavailable as error:
                log.warning("the store cannot be reached; waiting", error=str(error))
            except Exception:
                log.exception("counting failed")
            await asyncio.sleep(self._seconds / 3)

    async def if_due(self) -> bool:
        """Whether it was due, and counted here."""
        now = self._clock()
        due = await self._store.take_survey(now, now + LEASE)
        if due:
            await self.count()
        return due

    async def count(self) -> None:
        """Count now, whoever's turn it is."""
        taken_at, began = self._clock(), time.monotonic()
        counts = await self._counts()
        rest = max(self._seconds, (time.monotonic() - began) * SHARE)
        await self._store.keep_survey(counts, taken_at, self._clock() + timedelta(seconds=rest))

    async def _counts(self) -> dict[str, Any]:
        now = self._clock()
        silent = is_silent(await self._silence(), now)
        attention = {group.code: group.count for group in await self._lists.attention_by_code()}
        return {
            "states": await self._lists.states(),
            "uncovered": await self._lists.uncovered(now, silent),
            "attention": attention,
        }
