"""The outbox in Postgres."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from domain.ids import bucket_of
from service.ports import Claimed, EffectRow
from service.store import rows
from service.store.limits import clean, storable
from service.store.tables import Tables


class PostgresEffects(Tables):
    """See `service.ports.Store`. After a broken connection a claim that got through waits out its lease."""

    async def claim(
        self,
        limit: int,
        lease_seconds: float,
        now: datetime,
        channels: Sequence[str] | None = None,
        without: Collection[str] = (),
    ) -> Sequence[Claimed]:
        until = now + timedelta(seconds=lease_seconds)
        only = None if channels is None else list(channels)
        found = await self._rows("claim", limit, now, until, only, list(without))
        return [rows.claimed(row) for row in found]

    async def claim_of(
        self, stream_id: str, lease_seconds: float, now: datetime, without: Collection[str] = ()
    ) -> Sequence[Claimed]:
        until = now + timedelta(seconds=lease_seconds)
        found = await self._rows("claim_of", bucket_of(stream_id), stream_id, now, until, list(without))
        return [rows.claimed(row) for row in found]

    async def claim_probe(self, kinds: Sequence[str], lease_seconds: float, now: datetime) -> Claimed | None:
        row = await self._row("claim_probe", list(kinds), now, now + timedelta(seconds=lease_seconds))
        return None if row is None else rows.claimed(row)

    async def finish(self, claimed: Claimed, result: str) -> bool:
        held = await self._value("finish", *_held(claimed), clean(result), self._clock())
        return held is not None

    async def retry_later(
        self,
        claimed: Claimed,
        wake_at: datetime,
        error: str,
        key: str | None = None,
        count_attempt: bool = True,
    ) -> bool:
        back = 0 if count_attempt else 1
        held = await self._value("retry_later", *_held(claimed), wake_at, clean(error), key, back)
        return held is not None

    async def rouse(self, kinds: Sequence[str], now: datetime) -> None:
        await self._value("rouse", list(kinds), now)

    async def effects_of(self, stream_id: str) -> Sequence[EffectRow]:
        if not storable(stream_id):
            return []
        found = await self._rows("effects_of", bucket_of(stream_id), stream_id)
        now = self._clock()
        return [rows.effect_row(row, now) for row in found]

    async def next_due(self) -> datetime | None:
        due: datetime | None = await self._value("next_due")
        return due


def _held(claimed: Claimed) -> tuple[object, ...]:
    return bucket_of(claimed.stream_id), claimed.stream_id, claimed.step, claimed.generation, claimed.fence
