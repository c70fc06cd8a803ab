"""How each vendor's voice is doing: when it was last heard of, and since when it has been silent too long."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Protocol

from service.clock import Clock, epoch, rfc3339
from service.metrics import Metrics
from service.ports import SourceState, Store
from service.store.errors import StoreUnavailable
from service.trouble import Trouble

UPWORK = "upwork"
TEN99POLICY = "1099policy"
NAMES = {UPWORK: "Upwork", TEN99POLICY: "1099Policy"}

SILENT = "source_silent"
"""The code of what waits for a person while a source is silent."""

NOTED_EVERY = 5.0
"""Seconds between two notes of one process that a source's webhooks come."""


class Silence(Protocol):
    """Since when 1099Policy has been silent past its limit (epoch seconds), or None while it is not; with
    ``known_at``, as it was at that time."""

    async def __call__(self, known_at: datetime | None = None) -> int | None: ...


async def never_silent(known_at: datetime | None = None) -> int | None:
    return None


def never() -> float:
    """In how many seconds one falls silent that never does."""
    return inf


class Sources:
    """``limit`` is how long a source may leave what it is asked unanswered; None: nobody asks, so none is
    ever found silent."""

    def __init__(self, store: Store, clock: Clock, metrics: Metrics, limit: timedelta | None) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._limit = limit
        self._seen: tuple[SourceState, ...] = ()
        self._noted: dict[str, datetime] = {}
        self._notes: set[asyncio.Task[None]] = set()

    def heard(self, name: str) -> None:
        """A webhook of this source came. Written down beside the request, and seldom."""
        now = self._clock()
        noted = self._noted.get(name)
        if noted is not None and (now - noted).total_seconds() < NOTED_EVERY:
            return
        self._noted[name] = now
        task = asyncio.create_task(self._note(name, now))
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def _note(self, name: str, at: datetime) -> None:
        try:
            await self._store.heard(name, at, self._limit)
        except StoreUnavailable:
            self._noted.pop(name, None)

    async def stop(self) -> None:
        await asyncio.gather(*self._notes, return_exceptions=True)

    async def silent_since(self, known_at: datetime | None = None) -> int | None:
        """See `Silence`. What was seen before may stand in while it says that the source speaks: the time of
        its last answer only grows."""
        if known_at is not None:
            return await self._silent_at(TEN99POLICY, min(known_at, self._clock()))
        if self._limit is None:
            return None
        if not self._seen or self._silent(TEN99POLICY) is not None:
            await self.states()
        return self._silent(TEN99POLICY)

    def silent_in(self) -> float:
        """Seconds until 1099Policy is found silent if it answers nothing meanwhile, by what was last seen;
        infinite where it never is."""
        seen = next((s for s in self._seen if s.name == TEN99POLICY), None)
        if self._limit is None or seen is None:
            return never()
        return ((seen.asked_at or seen.since) + self._limit - self._clock()).total_seconds()

    async def _silent_at(self, name: str, at: datetime) -> int | None:
        """The source first and then what is kept: a silence that ends between the two is found there."""
        source = next((s for s in await self.states() if s.name == name), None)
        if source is not None and (source.heard_at or source.since) <= at:
            return silent_since(source, at, self._limit)
        since = await self._store.silence_at(name, at)
        return None if since is None else epoch(since)

    async def states(self) -> Sequence[SourceState]:
        self._seen = tuple(await self._store.sources())
        return self._seen

    def _silent(self, name: str) -> int | None:
        return next((silent_since(s, self._clock(), self._limit) for s in self._seen if s.name == name), None)

    async def attention(self) -> list[Trouble]:
        """Each source that has been silent too long, by name."""
        now = self._clock()
        found = [(s, silent_since(s, now, self._limit)) for s in await self.states()]
        silent = [_trouble(source, since, now) for source, since in found if since is not None]
        return sorted(silent, key=lambda s: s.name)

    async def measure(self) -> None:
        """Set the gauges from the store."""
        now = self._clock()
        for source in await self.states():
            age = (now - (source.heard_at or source.since)).total_seconds()
            self._metrics.source_heard.labels(source.name).set(max(age, 0))
            silent = silent_since(source, now, self._limit) is not None
            self._metrics.source_silent.labels(source.name).set(int(silent))


def silent_since(source: SourceState, now: datetime, limit: timedelta | None) -> int | None:
    """Since when nothing is known of what this source would say, once the last asking that it answered lies
    further back than ``limit``."""
    if limit is None or now - (source.asked_at or source.since) <= limit:
        return None
    return epoch(source.heard_at or source.since)


def _trouble(source: SourceState, since: int, now: datetime) -> Trouble:
    name = NAMES.get(source.name, source.name)
    why = f": {source.error}" if source.error else "; nothing here asks it"
    unknown = (
        " Every live engagement's cover is unknown until it answers." if source.name == TEN99POLICY else ""
    )
    began = datetime.fromtimestamp(since, UTC)
    return Trouble(
        code=SILENT,
        name=source.name,
        message=f"{name} has not answered since {rfc3339(source.asked_at or source.since)}{why}.{unknown}",
        clears=f"The next answer of {name}.",
        since=began,
        first_seen=source.failing_since or began,
        last_seen=now,
    )
