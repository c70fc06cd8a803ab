"""The routes about the vendors: how they are, and a person's word that one is to be left alone or not."""

from typing import Any

from aiohttp import web

from service.api.engagements import cause_of, json_response
from service.api.keys import ACTOR
from service.api.problems import Problem, bad_field
from service.api.reading import json_object, only, only_fields, text_field
from service.ports import Store
from service.vendors.breaker import ALL
from service.vendors.gate import KINDS, VENDORS, Gate
from service.vendors.ports import Act
from service.vendors.report import VendorReport


class VendorRoutes:
    def __init__(self, store: Store, gate: Gate, report: VendorReport) -> None:
        self._store = store
        self._gate = gate
        self._report = report

    async def show(self, request: web.Request) -> web.Response:
        only(request)
        return json_response({"items": await self._report.views(), "next": None})

    async def pause(self, request: web.Request) -> web.Response:
        """Its effects wait, and it is asked nothing, until it is resumed; or the effects of one kind wait."""
        vendor, _ = await self._note(request, "pause")
        return json_response(await self._report.view(vendor))

    async def resume(self, request: web.Request) -> web.Response:
        """What waits goes on at once, also where failures had held it back."""
        vendor, operation = await self._note(request, "resume")
        await self._gate.resume(vendor, operation)
        return json_response(await self._report.view(vendor))

    async def _note(self, request: web.Request, act: Act) -> tuple[str, str]:
        only(request)
        vendor = request.match_info["vendor"]
        if vendor not in VENDORS:
            raise Problem(404, f"There are {' and '.join(VENDORS)}.")
        body = await json_object(request)
        only_fields(body, "reason", "operation")
        reason, operation = text_field(body, "reason", 500), _operation(body, vendor)
        await self._store.add_act(vendor, act, request[ACTOR], reason, cause_of(request), operation)
        return vendor, operation


def _operation(body: dict[str, Any], vendor: str) -> str:
    """All of the vendor's where none is named."""
    if body.get("operation") is None:
        return ALL
    operation = text_field(body, "operation", 50)
    if operation not in KINDS[vendor]:
        raise bad_field("/operation", f"{vendor} has {', '.join(KINDS[vendor])}.")
    return operation
