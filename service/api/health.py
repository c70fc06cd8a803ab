"""Health, metrics and the OpenAPI document."""

import asyncio
from collections.abc import Callable, Coroutine
from importlib.resources import files
from typing import Any

import orjson
from aiohttp import web

from service.api.keys import LEAVING
from service.api.problems import RETRY_SECONDS, Problem
from service.metrics import Metrics
from service.ports import Store
from service.store.deadline import promptly
from service.store.errors import StoreUnavailable

ANSWER_SECONDS = 0.8
"""How long the store may take to say how it is."""


class HealthRoutes:
    """``measure`` refreshes the gauges that are read from the store just before they are shown."""

    def __init__(
        self, store: Store, metrics: Metrics, measure: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._measure = measure
        self._openapi = files("service.api").joinpath("openapi.json").read_bytes()

    async def live(self, _request: web.Request) -> web.Response:
        """The process runs; it says nothing about the store."""
        return web.json_response({"status": "ok"})

    async def ready(self, request: web.Request) -> web.Response:
        """Deliveries can be stored right now, and this process is not about to end."""
        if request.app[LEAVING].is_set():
            raise _not_ready("This process is stopping; ask another.")
        try:
            await promptly(self._store.ready(), ANSWER_SECONDS)
        except StoreUnavailable as away:
            # Only what kind of error it is: the rest may name hosts and accounts.
            kind = str(away.fields["why"]).partition(":")[0]
            raise _not_ready(f"Deliveries cannot be stored: {kind}.") from None
        return web.json_response({"status": "ready"})

    async def metrics(self, _request: web.Request) -> web.Response:
        """What the store would say is left as it was while it is away: the rest is needed then."""
        asked = self._measure(), self._store.ready()
        told = await asyncio.gather(*(promptly(it, ANSWER_SECONDS) for it in asked), return_exceptions=True)
        failed = [error for error in told if error is not None]
        for error in failed:
            if not isinstance(error, StoreUnavailable):
                raise error
        self._metrics.store_up.set(int(not failed))
        return web.Response(
            body=self._metrics.render(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    async def openapi(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._openapi, content_type="application/json")


def _not_ready(why: str) -> Problem:
    return Problem(503, why, headers={"Retry-After": str(RETRY_SECONDS)})


def openapi_document() -> dict[str, object]:
    """The document as served, for tests and tools."""
    found: dict[str, object] = orjson.loads(files("service.api").joinpath("openapi.json").read_bytes())
    return found
