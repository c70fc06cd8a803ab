"""How the vendors are, in words and numbers for people: the API's view, attention, metrics."""

from datetime import UTC, datetime
from typing import Any

from service.clock import Clock, rfc3339
from service.metrics import Metrics
from service.ports import Store
from service.sources import NAMES, UPWORK
from service.trouble import Trouble
from service.vendors.breaker import ALL, Breaker
from service.vendors.gate import KINDS, VENDORS, Gate, Seen
from service.vendors.in_vain import tried_in_vain
from service.vendors.ports import VendorAct
from service.vendors.rate import UPWORK_A_DAY

PAUSED, FAILING, SPENT = "vendor_paused", "vendor_failing", "vendor_spent"
"""The codes of what waits for a person while a vendor is left alone."""

ACTS_SHOWN = 20


class VendorReport:
    def __init__(self, store: Store, gate: Gate, clock: Clock) -> None:
        self._store = store
        self._gate = gate
        self._clock = clock

    async def views(self) -> list[dict[str, Any]]:
        """Each vendor as GET /v1/vendors shows it."""
        seen, waiting = await self._gate.look(), await self._store.waiting_by_channel()
        return [await self._view(vendor, seen, waiting.get(vendor, 0)) for vendor in VENDORS]

    async def view(self, vendor: str) -> dict[str, Any]:
        waiting = await self._store.waiting_by_channel()
        return await self._view(vendor, await self._gate.look(), waiting.get(vendor, 0))

    async def _view(self, vendor: str, seen: Seen, waiting: int) -> dict[str, Any]:
        failing = [b for b in seen.breakers.values() if b.vendor == vendor]
        pause, paused = seen.pauses.get((vendor, ALL)), _paused_operations(vendor, seen)
        is_open = any(b.is_open for b in failing)
        status = "failing" if is_open else "partly_paused" if paused else "ok"
        return {
            "vendor": vendor,
            "status": "paused" if pause else status,
            "waiting": waiting,
            "pause": _act_view(pause) if pause else None,
            "paused_operations": [_act_view(act) for act in paused],
            "breakers": [_breaker_view(b) for b in failing],
            "requests": await self._requests(vendor),
            "acts": [_act_view(act) for act in await self._store.acts_of(vendor, ACTS_SHOWN)],
        }

    async def _requests(self, vendor: str) -> dict[str, Any] | None:
        """How many turns were taken today; None for a vendor whose limits nobody publishes."""
        if vendor != UPWORK:
            return None
        taken = await self.taken_today()
        return {"day": self._today().date().isoformat(), "taken": taken, "most": UPWORK_A_DAY}

    async def taken_today(self) -> int:
        """How many of today's `UPWORK_A_DAY` requests to Upwork were begun, by all processes."""
        return await self._store.turns_taken(UPWORK, self._today().date())

    def _today(self) -> datetime:
        """When the day began, UTC."""
        return self._clock().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

    async def attention(self) -> list[Trouble]:
        """One item for each vendor that is paused or failing, one where it works and some calls do not, and
        one when Upwork's day is spent."""
        seen = await self._gate.look()
        return [*await self._left_alone(seen), *await self._in_vain(seen), *await self._spent()]

    async def _in_vain(self, seen: Seen) -> list[Trouble]:
        found = [call for call in await self._store.in_vain() if call.operation not in seen.closed]
        of = {vendor: [call for call in found if call.vendor == vendor] for vendor in VENDORS}
        return [tried_in_vain(vendor, calls, self._clock()) for vendor, calls in of.items() if calls]

    async def _spent(self) -> list[Trouble]:
        if await self.taken_today() < UPWORK_A_DAY:
            return []
        day = self._today()
        said = f"The {UPWORK_A_DAY:,} requests that Upwork allows a day are spent: what is left waits."
        clears = "The next day, UTC. Until then poll less often, or ask Upwork for more."
        return [Trouble(SPENT, UPWORK, said, clears, day, day, self._clock())]

    async def _left_alone(self, seen: Seen) -> list[Trouble]:
        shut = {b.vendor for b in seen.breakers.values() if b.is_open} | {vendor for vendor, _ in seen.pauses}
        if not shut:
            return []
        waiting = await self._store.waiting_by_channel()
        return [self._item(vendor, seen, waiting.get(vendor, 0)) for vendor in VENDORS if vendor in shut]

    def _item(self, vendor: str, seen: Seen, waiting: int) -> Trouble:
        pause = seen.pauses.get((vendor, ALL))
        paused = [pause] if pause else _paused_operations(vendor, seen)
        shut = [] if pause else [b for b in seen.breakers.values() if b.vendor == vendor and b.is_open]
        said = [paused_words(act) for act in paused]
        clears = [f"coverd resume {vendor}{option(act)} --reason …" for act in paused]
        if shut:
            said += [f"{NAMES[vendor]} is left alone for now.", *(_in_words(b) for b in shut)]
            clears = [
                f"A call that works, which is tried again and again; or coverd resume {vendor} --reason …",
                *clears,
            ]
        since = min([act.at for act in paused] + [b.since for b in shut])
        last = max([act.at for act in paused] + [b.failed_at for b in shut])
        code, message = FAILING if shut else PAUSED, " ".join([*said, _waits(waiting)])
        return Trouble(code, vendor, message, "; ".join(clears), since, since, last)

    async def measure(self, metrics: Metrics) -> None:
        """Set the gauges from the store."""
        seen = await self._gate.look()
        for vendor in VENDORS:
            metrics.vendor_paused.labels(vendor).set(int((vendor, ALL) in seen.pauses))
            for operation in (ALL, *KINDS[vendor]):
                found = seen.breakers.get((vendor, operation))
                metrics.breaker_open.labels(vendor, operation).set(int(found is not None and found.is_open))
            for operation in KINDS[vendor]:
                metrics.operation_paused.labels(vendor, operation).set(
                    int((vendor, operation) in seen.pauses)
                )
        in_vain = {(call.vendor, call.operation): call.count for call in await self._store.in_vain()}
        for vendor in VENDORS:
            for operation in KINDS[vendor]:
                count = in_vain.get((vendor, operation), 0)
                metrics.calls_in_vain.labels(vendor, operation).set(count)
        metrics.vendor_requests_today.labels(UPWORK).set(await self.taken_today())


def _paused_operations(vendor: str, seen: Seen) -> list[VendorAct]:
    """Those that are paused by themselves."""
    return [act for act in seen.pauses.values() if act.vendor == vendor and act.operation != ALL]


def paused_words(act: VendorAct) -> str:
    what = NAMES[act.vendor] if act.operation == ALL else f"{act.operation} of {NAMES[act.vendor]}"
    return f"{what} is paused by {act.actor}: {act.reason}."


def option(act: VendorAct) -> str:
    """What the command that resumes it is told besides the vendor."""
    return "" if act.operation == ALL else f" --operation {act.operation}"


def _waits(waiting: int) -> str:
    return "No call waits." if not waiting else f"{waiting:,} call{'s wait' if waiting > 1 else ' waits'}."


def _in_words(breaker: Breaker) -> str:
    what = "Every call" if breaker.operation == ALL else breaker.operation
    times = "once" if breaker.failures == 1 else f"{breaker.failures} times in a row"
    return f"{what} failed {times}: {breaker.error.rstrip('.')}."


def _breaker_view(breaker: Breaker) -> dict[str, Any]:
    return {
        "operation": breaker.operation,
        "open": breaker.is_open,
        "failures": breaker.failures,
        "since": rfc3339(breaker.since),
        "failed_at": rfc3339(breaker.failed_at),
        "opened_at": rfc3339(breaker.opened_at),
        "tried_at": rfc3339(breaker.until),
        "error": breaker.error,
    }


def _act_view(act: VendorAct) -> dict[str, Any]:
    return {
        "act": act.act,
        "operation": act.operation,
        "at": rfc3339(act.at),
        "actor": act.actor,
        "reason": act.reason,
    }
