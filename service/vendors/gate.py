"""Which calls may go out now: what stands in the store about the vendors, as this process last saw it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from domain.effects import CHANNELS
from service.clients.http import (
    CredentialsRefused,
    Crowded,
    NotThereYet,
    VendorPaused,
    VendorRefused,
    VendorUnavailable,
)
from service.clock import Clock
from service.ports import Claimed, Store
from service.sources import NAMES, TEN99POLICY, UPWORK
from service.vendors.breaker import ALL, Breaker, Failure, Patience
from service.vendors.ports import VendorAct

VENDORS = (UPWORK, TEN99POLICY)

KINDS: Mapping[str, tuple[str, ...]] = {
    vendor: tuple(kind.__name__ for kind, channel in CHANNELS.items() if channel == vendor)
    for vendor in VENDORS
}
"""The operations of each vendor: its kinds of effects."""

SEEN_FOR = 1.0
"""Seconds for which what was seen is good: so long may a process go on calling what another has closed."""

HELD = timedelta(minutes=10)
"""How long an effect is put off at a time. Whoever opens the way again wakes it at once."""

PROBE = timedelta(seconds=60)
"""How long a process may take to find out: the lease of an effect."""

REST = timedelta(seconds=5)
"""When to look again for an effect that could find out, where none waits."""

log = structlog.get_logger("coverd.vendors")


@dataclass(frozen=True, slots=True)
class Seen:
    """By vendor and operation: what fails, and the act that paused what is paused."""

    breakers: Mapping[tuple[str, str], Breaker] = field(default_factory=dict)
    pauses: Mapping[tuple[str, str], VendorAct] = field(default_factory=dict)

    @property
    def closed(self) -> frozenset[str]:
        """Kinds of effects that nobody takes but to try one."""
        shut = self.pauses.keys() | {key for key, breaker in self.breakers.items() if breaker.is_open}
        return frozenset(
            kind for vendor, op in shut for kind in (KINDS.get(vendor, ()) if op == ALL else (op,))
        )

    def to_try(self) -> Sequence[Breaker]:
        """What is open and neither paused nor closed with all of its vendor."""
        shut = [b for b in self.breakers.values() if b.is_open and not self.is_paused(b.vendor, b.operation)]
        whole = {b.vendor for b in shut if b.operation == ALL}
        return [b for b in shut if b.operation == ALL or b.vendor not in whole]

    def is_paused(self, vendor: str, operation: str) -> bool:
        """By itself, or with all of its vendor."""
        return bool(self.pauses.keys() & {(vendor, operation), (vendor, ALL)})


class Gate:
    """Shared by everything in a process that calls a vendor. Each method may raise `StoreUnavailable`."""

    def __init__(self, store: Store, clock: Clock, patience: Patience | None = None) -> None:
        self._store = store
        self._clock = clock
        self._patience = patience or Patience()
        self._seen = Seen()
        self._looks_at = 0.0
        self._looks = self._settled = 0

    async def look(self) -> Seen:
        """See what stands in the store now. A look that began before what is known here changes nothing."""
        self._looks += 1
        mine = self._looks
        pauses = {(act.vendor, act.operation): act for act in await self._store.pauses()}
        found = {(b.vendor, b.operation): b for b in await self._store.breakers()}
        if mine > self._settled:
            self._seen, self._settled = Seen(found, pauses), mine
        return self._seen

    async def closed(self) -> frozenset[str]:
        """Kinds of effects to leave alone. What is due of them is put off, out of the way of the others."""
        time = asyncio.get_running_loop().time()
        if self._looks_at <= time:
            self._looks_at = time + SEEN_FOR
            if closed := (await self.look()).closed:
                now = self._clock()
                await self._store.hold_back(sorted(closed), now, now + HELD)
        return self._seen.closed

    @property
    def known_closed(self) -> frozenset[str]:
        """The same as it was seen last."""
        return self._seen.closed

    async def leave(self, vendor: str) -> None:
        """Raises `VendorPaused` where a person wants the vendor left alone: then nobody asks it anything."""
        await self.closed()
        if not self._settled:  # the first look of all is under way, for somebody else
            await self.look()
        if (pause := self._seen.pauses.get((vendor, ALL))) is not None:
            raise VendorPaused(vendor=NAMES[vendor], what=pause.reason, why=f"paused by {pause.actor}")

    async def probes(self, most: int, lease_seconds: float) -> list[tuple[Claimed, Breaker]]:
        """An effect for each closed operation that it is time to try, and that nobody else is trying."""
        found: list[tuple[Claimed, Breaker]] = []
        for breaker in self._seen.to_try():
            now = self._clock()
            if len(found) >= most or not breaker.may_be_tried(now):
                continue
            vendor, operation = breaker.vendor, breaker.operation
            if not await self._store.take_probe(vendor, operation, now, now + PROBE):
                continue
            kinds = self._to_try(vendor) if operation == ALL else (operation,)
            claimed = await self._store.claim_probe(kinds, lease_seconds, now)
            if claimed is None:
                await self._nothing_to_try(breaker, kinds, now)
            else:
                found.append((claimed, breaker))
        return found

    async def _nothing_to_try(self, breaker: Breaker, kinds: Sequence[str], now: datetime) -> None:
        """What no call waits for is no longer left alone: the next that comes finds out. For all of a vendor
        sweeps do."""
        vendor, operation = breaker.vendor, breaker.operation
        idle = not await self._store.any_waits(kinds)
        if idle and operation != ALL:
            await self._store.close_breakers(vendor, [operation])
            await self.look()
            log.info("no call waits for what was left alone", vendor=NAMES[vendor], operation=operation)
        else:
            await self._store.give_probe_back(vendor, operation, now + REST if idle else now)

    def _to_try(self, vendor: str) -> tuple[str, ...]:
        """Kinds that are not closed by themselves."""
        shut = self._shut(vendor)
        kinds = (kind for kind in KINDS[vendor] if not self._seen.is_paused(vendor, kind))
        return tuple(kind for kind in kinds if kind not in shut)

    def _shut(self, vendor: str) -> set[str]:
        return {b.operation for b in self._seen.breakers.values() if b.vendor == vendor and b.is_open}

    async def untried(self, probed: Breaker) -> None:
        """The effect that was to find out made no call."""
        await self._store.give_probe_back(probed.vendor, probed.operation, self._clock())

    async def failed(
        self, claimed: Claimed, error: VendorUnavailable | VendorRefused, probed: Breaker | None
    ) -> None:
        """Count it against the operation, or close that; all of the vendor where our credentials are refused.

        A key that is no good is 401. A second 403 of one effect is about what it wants, and closes just that.
        """
        if claimed.channel not in VENDORS or isinstance(error, Crowded | NotThereYet):
            return
        if isinstance(error, VendorUnavailable):
            if error.counted and probed is None:
                return
            error.counted = True
        of_all = isinstance(error, CredentialsRefused) and error.of_all
        if error.status == 403 and (claimed.attempt > 1 or claimed.kind in self._shut(claimed.channel)):
            of_all = False
        operation = ALL if of_all else claimed.kind
        if probed is not None and isinstance(error, VendorUnavailable):
            operation = probed.operation
        elif probed is not None and not of_all:
            await self.answered(claimed.channel)
        failure = Failure(
            self._clock(),
            str(error),
            at_once=isinstance(error, CredentialsRefused),
            probe=probed is not None and probed.operation == operation,
            retry_after=error.retry_after if isinstance(error, VendorUnavailable) else None,
        )
        await self._note(claimed.channel, operation, failure)

    async def refused_all(self, vendor: str, error: CredentialsRefused) -> None:
        """Outside of any effect the vendor refused our credentials."""
        await self._note(vendor, ALL, Failure(self._clock(), str(error), at_once=True))

    async def answered(self, vendor: str, kind: str | None = None) -> bool:
        """The vendor did what was asked, or refused just that: so it works, and takes our credentials.

        True where that opened the way for what waited.
        """
        operations = [op for op in (ALL, kind) if op and (vendor, op) in self._seen.breakers]
        return bool(operations) and await self._open(vendor, operations)

    async def resume(self, vendor: str, operation: str = ALL) -> None:
        """A person says that it works: whatever waits goes on, but for what is paused by itself."""
        await self._open(vendor, None if operation == ALL else [operation])
        await self._store.rouse(KINDS[vendor] if operation == ALL else [operation], self._clock())

    async def _open(self, vendor: str, operations: Sequence[str] | None) -> bool:
        were_open = await self._store.close_breakers(vendor, operations)
        await self.look()
        if not were_open:
            return False
        log.info("a vendor works again", vendor=vendor, operations=were_open)
        await self._store.rouse(KINDS[vendor] if ALL in were_open else were_open, self._clock())
        return True

    async def _note(self, vendor: str, operation: str, failure: Failure) -> None:
        was = self._seen.breakers.get((vendor, operation))
        found = await self._store.vendor_failed(vendor, operation, failure, self._patience)
        self._seen = Seen({**self._seen.breakers, (vendor, operation): found}, self._seen.pauses)
        self._settled = self._looks
        if found.is_open and not (was and was.is_open):
            log.warning("a vendor is left alone for now", vendor=NAMES[vendor], operation=operation)
