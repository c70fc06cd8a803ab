"""POST /v1/reconcile: ask both vendors everything now."""

from aiohttp import web

from service.api.engagements import json_response
from service.api.reading import only
from service.poll.reconcile import Reconciler


class ReconcileRoutes:
    def __init__(self, reconciler: Reconciler) -> None:
        self._reconciler = reconciler

    async def run(self, request: web.Request) -> web.Response:
        """Answers when everything found is processed: seconds for few engagements, minutes for many."""
        only(request)
        report = await self._reconciler.everything()
        return json_response(report.view())
