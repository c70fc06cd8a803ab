"""Health, metrics and the OpenAPI document."""

from collections.abc import Awaitable, Callable
from importlib.resources import files

import orjson
from aiohttp import web

from service.api.problems import RETRY_SECONDS, Problem
from service.metrics import Metrics
from service.ports import Store
from service.store.errors import StoreUnavailable


class HealthRoutes:
    """``measure`` refreshes the gauges that are read from the store just before they are shown."""

    def __init__(self, store: Store, metrics: Metrics, measure: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._metrics = metrics
        self._measure = measure
        self._openapi = files("service.api").joinpath("openapi.json").read_bytes()

    async def live(self, _request: web.Request) -> web.Response:
        """The process runs; it says nothing about the store."""
        return web.json_response({"status": "ok"})

    async def ready(self, _request: web.Request) -> web.Response:
        """Deliveries can be stored right now."""
        try:
            await self._store.ready()
        except StoreUnavailable:
            raise Problem(
                503, "The store cannot be reached.", headers={"Retry-After": str(RETRY_SECONDS)}
            ) from None
        return web.json_response({"status": "ready"})

    async def metrics(self, _request: web.Request) -> web.Response:
        await self._measure()
        return web.Response(
            body=self._metrics.render(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    async def openapi(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._openapi, content_type="application/json")


def openapi_document() -> dict[str, object]:
    """The document as served, for tests and tools."""
    found: dict[str, object] = orjson.loads(files("service.api").joinpath("openapi.json").read_bytes())
    return found
