"""The routes about the vendors: how they are, and a person's word that one is to be left alone or not."""

from aiohttp import web

from service.api.engagements import cause_of, json_response
from service.api.keys import ACTOR
from service.api.problems import Problem
from service.api.reading import json_object, only, only_fields, text_field
from service.ports import Store
from service.vendors.gate import VENDORS, Gate
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
        """Its effects wait, and it is asked nothing, until it is resumed."""
        vendor = await self._note(request, "pause")
        return json_response(await self._report.view(vendor))

    async def resume(self, request: web.Request) -> web.Response:
        """What waits goes on at once, also where failures had held it back."""
        vendor = await self._note(request, "resume")
        await self._gate.resume(vendor)
        return json_response(await self._report.view(vendor))

    async def _note(self, request: web.Request, act: Act) -> str:
        only(request)
        vendor = request.match_info["vendor"]
        if vendor not in VENDORS:
            raise Problem(404, f"There are {' and '.join(VENDORS)}.")
        body = await json_object(request)
        only_fields(body, "reason")
        reason = text_field(body, "reason", 500)
        await self._store.add_act(vendor, act, request[ACTOR], reason, cause_of(request))
        return vendor
