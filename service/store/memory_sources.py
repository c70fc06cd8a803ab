"""Sources and cursors in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from service.ports import Delivery, SourceState
from service.store.limits import check_delivery, clean
from service.store.memory_inbox import MemoryInbox


@dataclass(frozen=True, slots=True)
class _Silence:
    name: str
    since: datetime
    found_after: datetime
    until: datetime


class MemorySources(MemoryInbox):
    """See `service.ports.Store`."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        MemoryInbox.__init__(self, clock)
        self._cursors: dict[str, str] = {}
        self._sources: dict[str, SourceState] = {}
        self._owners: dict[str, str] = {}
        self._silences: list[_Silence] = []

    async def receive_polled(
        self, deliveries: Sequence[Delivery], cursor: tuple[str, str] | None = None
    ) -> Sequence[tuple[str, bool]]:
        for delivery in deliveries:
            check_delivery(delivery)
        if cursor is not None:
            self._cursors[cursor[0]] = cursor[1]
        return [await self.receive(delivery) for delivery in deliveries]

    async def cursor(self, name: str) -> str | None:
        return self._cursors.get(name)

    async def watch_source(self, name: str, first_due: datetime) -> None:
        fresh = SourceState(name, self._clock(), None, None, None, None, first_due)
        self._sources.setdefault(name, fresh)

    async def sources(self) -> Sequence[SourceState]:
        return [self._sources[name] for name in sorted(self._sources)]

    async def heard(self, name: str, at: datetime, limit: timedelta | None = None) -> None:
        source = self._sources.get(name)
        if source is not None:
            self._keep_silence(source, at, limit)
            self._sources[name] = replace(source, heard_at=_later(source.heard_at, at))

    def _keep_silence(self, source: SourceState, until: datetime, limit: timedelta | None) -> None:
        if limit is None:
            return
        since, found_after = source.heard_at or source.since, (source.asked_at or source.since) + limit
        if since < until and found_after < until:
            self._silences.append(_Silence(source.name, since, found_after, until))

    async def silence_at(self, name: str, at: datetime) -> datetime | None:
        held = (
            s for s in self._silences if s.name == name and s.since <= at and s.found_after < at < s.until
        )
        return next((s.since for s in held), None)

    async def take_turn(self, name: str, owner: str, now: datetime, until: datetime) -> bool:
        source = self._sources.get(name)
        if source is None or source.due_at > now:
            return False
        self._sources[name] = replace(source, due_at=until)
        self._owners[name] = owner
        return True

    async def keep_turn(self, name: str, owner: str, until: datetime) -> bool:
        if self._owners.get(name) != owner:
            return False
        self._sources[name] = replace(self._sources[name], due_at=until)
        return True

    async def asked(
        self, name: str, now: datetime, error: str | None, due_at: datetime, limit: timedelta | None = None
    ) -> None:
        source = self._sources.get(name)
        if source is None:
            return
        if error is None:
            self._keep_silence(source, now, limit)
            heard_at = _later(source.heard_at, now)
            told = replace(source, asked_at=now, heard_at=heard_at, failing_since=None, error=None)
        else:
            told = replace(source, failing_since=source.failing_since or now, error=clean(error))
        self._sources[name] = replace(told, due_at=due_at)
        self._owners.pop(name, None)


def _later(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)
