"""The HTTP application: the routes, and the one middleware that every request passes."""

import asyncio
import time
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Middleware

from service.api.attention import AttentionRoutes
from service.api.auth import Door
from service.api.deliveries import DeliveryRoutes
from service.api.engagements import EngagementRoutes
from service.api.feed import FeedRoutes
from service.api.health import HealthRoutes
from service.api.keys import LEAVING, REQUEST_ID, SERVER
from service.api.operations import OperationRoutes
from service.api.patience import PATIENCE, Patience
from service.api.problems import PROBLEM, Handler, Problem, answer
from service.api.reconcile import ReconcileRoutes
from service.api.refusals import Refusals
from service.api.request_ids import request_id as request_id_of
from service.api.server import Connection
from service.api.statuses import Statuses
from service.api.vendors import VendorRoutes
from service.clients.attachments import MAX_ATTACHMENT
from service.ingest.webhooks import Webhooks
from service.metrics import Metrics
from service.web.attention import AttentionPage
from service.web.pages import Pages, error_page
from service.web.signin import SignIn, signin_instead

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Those that metrics count by name; strangers must not make up more."""


@dataclass(frozen=True, slots=True)
class Routes:
    """Everything the application serves."""

    webhooks: Webhooks
    engagements: EngagementRoutes
    attention: AttentionRoutes
    deliveries: DeliveryRoutes
    statuses: Statuses
    operations: OperationRoutes
    feed: FeedRoutes
    reconcile: ReconcileRoutes
    vendors: VendorRoutes
    health: HealthRoutes
    pages: Pages
    attention_page: AttentionPage
    signin: SignIn


def make_app(
    routes: Routes,
    door: Door,
    metrics: Metrics,
    patience: Patience | None = None,
    refusals: Refusals | None = None,
    leaving: asyncio.Event | None = None,
) -> web.Application:
    """The application. A body may be as large as a certificate; routes keep smaller limits of their own."""
    app = _bare(door, metrics, patience, refusals, leaving)
    app.on_shutdown.append(routes.feed.end)
    add = app.router.add_route
    add("POST", "/webhooks/upwork", routes.webhooks.upwork)
    add("POST", "/webhooks/1099policy", routes.webhooks.ten99policy)
    get = app.router.add_get
    one = "/v1/engagements/{id}"
    get("/v1/engagements", routes.operations.engagements)
    get(one, routes.engagements.show)
    get(f"{one}/coverage", routes.engagements.coverage)
    get(f"{one}/events", routes.engagements.events)
    get(f"{one}/replay", routes.engagements.replay)
    add("POST", f"{one}/certificates", routes.engagements.certificate)
    add("POST", f"{one}/invoices", routes.engagements.invoice)
    add("POST", f"{one}/retry", routes.engagements.retry)
    add("POST", f"{one}/skip", routes.engagements.skip)
    get("/v1/freelancers/{id}", routes.operations.freelancer)
    add("POST", "/v1/freelancers/{id}/name", routes.operations.name)
    get("/v1/attention", routes.attention.items)
    get("/v1/attention/causes", routes.attention.causes)
    add("POST", "/v1/attention/retry", routes.attention.retry)
    get("/v1/deliveries", routes.deliveries.items)
    add("POST", "/v1/deliveries/replay", routes.deliveries.replay_many)
    get(r"/v1/deliveries/{id:(?!replay$)[^{}/]+}", routes.deliveries.show)
    add("POST", "/v1/deliveries/{id}/replay", routes.deliveries.replay)
    add("POST", "/v1/deliveries/{id}/skip", routes.deliveries.skip)
    get("/v1/operations", routes.operations.operations)
    get("/v1/operations/{id}", routes.operations.operation)
    get("/v1/feed", routes.feed.stream, allow_head=False)
    add("POST", "/v1/reconcile", routes.reconcile.run)
    get("/v1/vendors", routes.vendors.show)
    add("POST", "/v1/vendors/{vendor}/pause", routes.vendors.pause)
    add("POST", "/v1/vendors/{vendor}/resume", routes.vendors.resume)
    _add_health(app, routes.health)
    get("/openapi.json", routes.health.openapi)
    get("/", routes.pages.index)
    get("/attention", routes.attention_page.show)
    get("/engagements/{id}", routes.pages.engagement)
    get("/static/{name}", routes.pages.static)
    get("/signin", routes.signin.form)
    add("POST", "/signin", routes.signin.enter)
    add("POST", "/signout", routes.signin.leave)
    return app


def make_health_app(
    health: HealthRoutes,
    door: Door,
    metrics: Metrics,
    patience: Patience | None = None,
    refusals: Refusals | None = None,
    leaving: asyncio.Event | None = None,
) -> web.Application:
    """What a process answers that serves nobody else: how it is."""
    app = _bare(door, metrics, patience, refusals, leaving)
    _add_health(app, health)
    return app


def _bare(
    door: Door,
    metrics: Metrics,
    patience: Patience | None,
    refusals: Refusals | None,
    leaving: asyncio.Event | None,
) -> web.Application:
    app = web.Application(
        middlewares=[_outermost(door, metrics, refusals or Refusals())],
        client_max_size=MAX_ATTACHMENT + 1024 * 1024,
    )
    app[PATIENCE] = patience or Patience()
    app[LEAVING] = leaving or asyncio.Event()
    app.on_response_prepare.append(_mark)
    return app


def _add_health(app: web.Application, health: HealthRoutes) -> None:
    app.router.add_get("/livez", health.live)
    app.router.add_get("/readyz", health.ready)
    app.router.add_get("/metrics", health.metrics)


def _outermost(door: Door, metrics: Metrics, refusals: Refusals) -> Middleware:
    @web.middleware
    async def outermost(request: web.Request, handler: Handler) -> web.StreamResponse:
        request_id = request_id_of(request.headers.get("X-Request-Id"))
        request[REQUEST_ID] = request_id
        began = time.perf_counter()

        async def guarded(request: web.Request) -> web.StreamResponse:
            door.check(request)
            if any("\x00" in text for text in (request.path, *request.query, *request.query.values())):
                raise Problem(400, "A path or a query cannot hold the character NUL.")
            return await handler(request)

        answered = await _as_wanted(request, guarded, request_id)
        resource = request.match_info.route.resource
        route = resource.canonical if resource else "unknown"
        took = time.perf_counter() - began
        method = request.method if request.method in METHODS else "other"
        metrics.requests.add((route, method, str(answered.status)), took)
        if answered.status == 401:
            await _in_turn(request, answered, refusals)
        return answered

    return outermost


async def _in_turn(request: web.Request, refusal: web.StreamResponse, refusals: Refusals) -> None:
    wait, ends = refusals.wait()
    if ends:
        refusal.force_close()
    if wait and isinstance(connection := request.protocol, Connection):
        await connection.turn_away(wait)


async def _mark(request: web.Request, response: web.StreamResponse) -> None:
    """Here and not in the middleware, which sees a stream only when it has ended."""
    response.headers["Server"] = SERVER
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if request.app[LEAVING].is_set():
        response.headers["Connection"] = "close"
        response.force_close()
    if REQUEST_ID in request:
        response.headers["X-Request-Id"] = request[REQUEST_ID]


async def _as_wanted(request: web.Request, handler: Handler, request_id: str) -> web.StreamResponse:
    """Problems as JSON; a browser on a page path gets the same words as a page."""
    answered = await answer(request, handler, request_id)
    page = "text/html" in request.headers.get("Accept", "") and not request.path.startswith(
        ("/v1/", "/webhooks/")
    )
    if page and answered.content_type == "application/problem+json":
        problem = answered[PROBLEM]
        if problem.status == 401:
            return signin_instead(request)
        shown = error_page(problem.status, problem.title, problem.detail, request_id)
        shown.headers.update(problem.headers)
        return shown
    return answered
