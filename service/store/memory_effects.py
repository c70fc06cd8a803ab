"""The outbox in memory."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.codec import effect_data
from domain.effects import CHANNELS, Wanted
from service.ports import Append, Claimed, EffectDone, EffectParkedMark, EffectRow
from service.store import rows
from service.store.limits import clean

Key = tuple[str, str, int]
"""Stream id, step, generation."""


@dataclass(slots=True)
class StoredEffect:
    """A row of ``coverd.effect``; see migrations/0006_effects.sql."""

    stream_id: str
    step: str
    generation: int
    channel: str
    kind: str
    payload: str
    key: str
    correlation: str
    created_at: datetime
    wake_at: datetime | None
    leased_until: datetime | None = None
    fence: int = 0
    attempt: int = 0
    parked_at: datetime | None = None
    last_error: str | None = None
    done_at: datetime | None = None
    result: str | None = None

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    def is_due(self, now: datetime) -> bool:
        return self.wake_at is not None and self.wake_at <= now


class MemoryEffects:
    """See `service.ports.Store`."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._effects: dict[Key, StoredEffect] = {}

    async def claim(
        self,
        limit: int,
        lease_seconds: float,
        now: datetime,
        channels: Sequence[str] | None = None,
        without: Collection[str] = (),
    ) -> Sequence[Claimed]:
        due = [e for e in self._due(now) if channels is None or e.channel in channels]
        due = [e for e in due if e.kind not in without]
        return [self._leased(effect, lease_seconds, now) for effect in due[:limit]]

    async def claim_of(
        self, stream_id: str, lease_seconds: float, now: datetime, without: Collection[str] = ()
    ) -> Sequence[Claimed]:
        due = [e for e in self._due(now) if e.stream_id == stream_id and e.kind not in without]
        return [self._leased(effect, lease_seconds, now) for effect in due]

    async def claim_probe(self, kinds: Sequence[str], lease_seconds: float, now: datetime) -> Claimed | None:
        waits = [e for e in self._effects.values() if e.kind in kinds and e.wake_at is not None]
        free = [e for e in waits if e.leased_until is None or e.is_due(now)]
        least = min(free, key=lambda e: (e.attempt, e.wake_at), default=None)
        return None if least is None else self._leased(least, lease_seconds, now)

    async def finish(self, claimed: Claimed, result: str) -> bool:
        effect = self._held(claimed.stream_id, claimed.step, claimed.generation, claimed.fence)
        if effect is not None:
            self._done(effect, result, self._clock())
        return effect is not None

    async def retry_later(
        self,
        claimed: Claimed,
        wake_at: datetime,
        error: str,
        key: str | None = None,
        count_attempt: bool = True,
    ) -> bool:
        effect = self._held(claimed.stream_id, claimed.step, claimed.generation, claimed.fence)
        if effect is None:
            return False
        effect.wake_at, effect.leased_until, effect.last_error = wake_at, None, clean(error)
        effect.key = effect.key if key is None else key
        effect.attempt -= 0 if count_attempt else 1
        return True

    async def rouse(self, kinds: Sequence[str], now: datetime) -> None:
        for effect in self._effects.values():
            waits = effect.leased_until is None and effect.wake_at is not None and effect.wake_at > now
            if waits and effect.kind in kinds:
                effect.wake_at = now

    async def effects_of(self, stream_id: str) -> Sequence[EffectRow]:
        found = [effect for effect in self._effects.values() if effect.stream_id == stream_id]
        now = self._clock()
        return [rows.effect_row(e, now) for e in sorted(found, key=_age)]

    async def next_due(self) -> datetime | None:
        return min((e.wake_at for e in self._effects.values() if e.wake_at is not None), default=None)

    def _settle(self, settles: EffectDone | EffectParkedMark, now: datetime) -> bool:
        effect = self._held(settles.stream_id, settles.step, settles.generation, settles.fence)
        if effect is None:
            return False
        match settles:
            case EffectDone():
                self._done(effect, settles.result, now)
            case EffectParkedMark():
                effect.wake_at = effect.leased_until = None
                effect.parked_at, effect.last_error = now, clean(settles.error)
        return True

    def _want(self, append: Append, now: datetime) -> tuple[Claimed, ...]:
        """Those of the effects that are leased to the writer."""
        taken = []
        for wanted in append.effects:
            key = append.stream_id, wanted.step, wanted.generation
            found = self._effects.get(key)
            if found is None or found.result == "withdrawn":
                fence = found.fence if found else 0
                self._effects[key] = fresh = _fresh(append, wanted, now, fence)
                if rows.takes(append, wanted):
                    taken.append(self._leased(fresh, append.take_for, now))
        return tuple(taken)

    def _due(self, now: datetime) -> list[StoredEffect]:
        return sorted(
            (e for e in self._effects.values() if e.is_due(now)),
            key=lambda e: (e.wake_at, e.step, e.generation),
        )

    def _leased(self, effect: StoredEffect, lease_seconds: float, now: datetime) -> Claimed:
        effect.wake_at = effect.leased_until = now + timedelta(seconds=lease_seconds)
        effect.fence += 1
        effect.attempt += 1
        return rows.claimed(effect)

    def _held(self, stream_id: str, step: str, generation: int, fence: int) -> StoredEffect | None:
        effect = self._effects.get((stream_id, step, generation))
        held = effect is not None and effect.fence == fence and effect.leased_until is not None
        return effect if held else None

    def _done(self, effect: StoredEffect, result: str, now: datetime) -> None:
        effect.wake_at = effect.leased_until = None
        effect.done_at, effect.result = now, clean(result)


def _fresh(append: Append, wanted: Wanted, now: datetime, fence: int) -> StoredEffect:
    due_at = wanted.due_at
    return StoredEffect(
        stream_id=append.stream_id,
        step=wanted.step,
        generation=wanted.generation,
        channel=CHANNELS[type(wanted.effect)],
        kind=type(wanted.effect).__name__,
        payload=rows.text(effect_data(wanted.effect)),
        key=wanted.key,
        correlation=append.correlation,
        created_at=now,
        wake_at=now if due_at is None else datetime.fromtimestamp(due_at, UTC),
        fence=fence,
    )


def _age(effect: StoredEffect) -> tuple[datetime, str, int]:
    return effect.created_at, effect.step, effect.generation
