"""What is known of the vendors, in memory."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from service.store.limits import clean
from service.store.memory_effects import MemoryEffects
from service.vendors.breaker import ALL, Breaker, Failure, Patience
from service.vendors.ports import IN_VAIN, Act, InVain, SealedToken, VendorAct
from service.vendors.rate import Pacing, Rate


class MemoryVendors(MemoryEffects):
    """See `service.vendors.ports.VendorStore`."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        MemoryEffects.__init__(self, clock)
        self._pacing: dict[str, Pacing] = {}
        self._taken: dict[str, tuple[date, int]] = {}
        self._breakers: dict[tuple[str, str], Breaker] = {}
        self._acts: list[tuple[str, VendorAct]] = []
        self._tokens: dict[str, SealedToken] = {}
        self._fetching: dict[str, tuple[str, datetime]] = {}

    async def take_turns(self, name: str, want: int, rate: Rate, now: datetime | None) -> Sequence[float]:
        now = now or self._clock()
        pacing = self._pacing.get(name, Pacing(now, now))
        turns: list[float] = []
        day = now.astimezone(UTC).date()
        most = want if rate.a_day is None else min(want, rate.a_day - await self.turns_taken(name, day))
        while len(turns) < most:
            at, after = pacing.turn(now, rate)
            if at > now + timedelta(seconds=rate.horizon):
                break
            pacing = after
            turns.append((at - now).total_seconds())
        self._pacing[name] = pacing
        self._count(name, day, len(turns))
        return turns

    async def turns_taken(self, name: str, day: date) -> int:
        on, taken = self._taken.get(name, (day, 0))
        return taken if on == day else 0

    def _count(self, name: str, day: date, turns: int) -> None:
        on, taken = self._taken.get(name, (day, 0))
        self._taken[name] = (day, turns) if on < day else (on, taken + turns)

    async def breakers(self) -> Sequence[Breaker]:
        return [self._breakers[key] for key in sorted(self._breakers)]

    async def vendor_failed(
        self, vendor: str, operation: str, failure: Failure, patience: Patience
    ) -> Breaker:
        fresh = Breaker(vendor, operation, 0, failure.at, failure.at, "")
        was = self._breakers.get((vendor, operation), fresh)
        found = patience.after(was, replace(failure, error=clean(failure.error) or ""))
        self._breakers[vendor, operation] = found
        return found

    async def close_breakers(self, vendor: str, operations: Sequence[str] | None = None) -> Sequence[str]:
        wanted = [k for k in self._breakers if k[0] == vendor and (operations is None or k[1] in operations)]
        return sorted(b.operation for key in wanted if (b := self._breakers.pop(key)).is_open)

    async def take_probe(self, vendor: str, operation: str, now: datetime, until: datetime) -> bool:
        found = self._breakers.get((vendor, operation))
        if found is None or not found.may_be_tried(now):
            return False
        self._breakers[vendor, operation] = replace(found, until=until)
        return True

    async def give_probe_back(self, vendor: str, operation: str, now: datetime) -> None:
        found = self._breakers.get((vendor, operation))
        if found is not None and found.is_open:
            self._breakers[vendor, operation] = replace(found, until=now)

    async def add_act(
        self, vendor: str, act: Act, actor: str, reason: str, cause: str, operation: str = ALL
    ) -> bool:
        mine = [kept for kept, made in self._acts if made.vendor == vendor]
        if cause in mine:
            return False
        number = len(mine) + 1
        made = VendorAct(vendor, number, act, actor, clean(reason) or "", self._clock(), operation)
        self._acts.append((cause, made))
        return True

    async def acts_of(self, vendor: str, limit: int) -> Sequence[VendorAct]:
        return [made for _, made in reversed(self._acts) if made.vendor == vendor][:limit]

    async def pauses(self) -> Sequence[VendorAct]:
        latest = {(made.vendor, made.operation): made for _, made in self._acts}
        return [latest[key] for key in sorted(latest) if latest[key].act == "pause"]

    async def hold_back(self, kinds: Sequence[str], now: datetime, until: datetime) -> None:
        for effect in self._due(now):
            if effect.kind in kinds and effect.leased_until is None:
                effect.wake_at = until

    async def waiting_by_channel(self) -> Mapping[str, int]:
        return Counter(e.channel for e in self._effects.values() if e.wake_at is not None)

    async def any_waits(self, kinds: Sequence[str]) -> bool:
        return any(e.kind in kinds for e in self._effects.values() if e.wake_at is not None)

    async def in_vain(self) -> Sequence[InVain]:
        waiting = [e for e in self._effects.values() if e.wake_at is not None and e.attempt >= IN_VAIN]
        kinds = Counter((e.channel, e.kind) for e in waiting)
        oldest = {(e.channel, e.kind): e for e in sorted(waiting, key=lambda e: e.created_at, reverse=True)}
        return [
            InVain(*kind, kinds[kind], e.created_at, e.stream_id, e.last_error or "")
            for kind, e in sorted(oldest.items())
        ]

    async def shared_token(self, name: str) -> SealedToken:
        return self._tokens.get(name, SealedToken(0, None, None))

    async def take_token_turn(
        self, name: str, number: int, owner: str, now: datetime, until: datetime
    ) -> bool:
        fetching = self._fetching.get(name)
        if (await self.shared_token(name)).number != number or (fetching and fetching[1] > now):
            return False
        self._fetching[name] = owner, until
        return True

    async def keep_token(self, name: str, owner: str, sealed: bytes, until: datetime) -> None:
        if self._fetching.get(name, ("",))[0] == owner:
            self._tokens[name] = SealedToken((await self.shared_token(name)).number + 1, sealed, until)
            del self._fetching[name]

    async def give_token_turn_back(self, name: str, owner: str) -> None:
        if self._fetching.get(name, ("",))[0] == owner:
            del self._fetching[name]
