"""The page of what waits for a person, by its cause, and of what people did about it."""

from aiohttp import web

from service.api.keys import SIGNED_IN
from service.api.reading import only
from service.api.waiting import Waiting
from service.clock import Clock
from service.ports import Operation, Store
from service.vendors.rate import UPWORK_A_DAY
from service.vendors.report import VendorReport
from service.web.rendering import page

ACTS_SHOWN = 20


class AttentionPage:
    """Handler for ``/attention``."""

    def __init__(self, store: Store, waiting: Waiting, vendors: VendorReport, clock: Clock) -> None:
        self._store = store
        self._waiting = waiting
        self._vendors = vendors
        self._clock = clock

    async def show(self, request: web.Request) -> web.Response:
        only(request)
        causes = await self._waiting.causes()
        return page(
            "attention.html",
            signed_in=request.get(SIGNED_IN, False),
            now=self._clock(),
            causes=causes,
            items=sum(cause.count for cause in causes),
            acts=await self._store.operations(limit=ACTS_SHOWN),
            came_to=came_to,
            asked=asked,
            upwork_today=await self._vendors.taken_today(),
            upwork_a_day=UPWORK_A_DAY,
        )


def came_to(operation: Operation) -> str:
    """What became of it: ``20 retried of 35``."""
    if operation.result is None:
        return "not finished"
    counts = {what: n for what, n in operation.result.items() if isinstance(n, int) and n}
    told = ", ".join(f"{n:,} {what}" for what, n in counts.items()) or "none"
    return f"{told} of {operation.matched:,}" if operation.matched > 1 else told


def asked(operation: Operation) -> str:
    """The filter as it was given: ``code effect_parked, step quote, limit 20``."""
    return ", ".join(f"{name} {value}" for name, value in operation.asked.items())
