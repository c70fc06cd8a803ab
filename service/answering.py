"""Where a service is asked: its routes, and the sockets they answer on."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial

from aiohttp import web

from service.api.app import Routes, make_app, make_health_app
from service.api.attention import AttentionRoutes
from service.api.auth import Door
from service.api.deliveries import DeliveryRoutes
from service.api.engagements import EngagementRoutes
from service.api.feed import FeedRoutes
from service.api.health import HealthRoutes
from service.api.lane import Lanes
from service.api.operations import OperationRoutes
from service.api.rates import Rates
from service.api.reconcile import ReconcileRoutes
from service.api.room import room_for
from service.api.server import HttpRunner
from service.api.short import LINES, Short
from service.api.statuses import Statuses
from service.api.vendors import VendorRoutes
from service.api.waiting import Waiting
from service.background import going_on
from service.core import Core
from service.ingest.rotation import follow
from service.ingest.webhooks import Source, Webhooks
from service.lists import PageLists
from service.measure import Measures
from service.operate import Operator
from service.settings import Settings, WebhookProof, is_loopback
from service.web.attention import AttentionPage
from service.web.pages import Pages
from service.web.signin import SignIn


async def open_door(core: Core, stack: AsyncExitStack) -> Door:
    """Who may come in; tokens that are made or revoked meanwhile count."""
    looks = partial(core.tokens.follow, core.tuning.sweep_seconds)
    await stack.enter_async_context(going_on("tokens", looks))
    return Door(core.tokens, Rates(core.settings.rate), loopback=is_loopback(core.settings.host))


async def answer_health(core: Core, door: Door, leaving: asyncio.Event, stack: AsyncExitStack) -> str:
    """Where a worker says how it is; gives the address."""
    tuning = core.tuning
    app = make_health_app(_health(core), door, core.metrics, tuning.patience, tuning.refusals, leaving)
    runner = HttpRunner(app, tuning.patience, room_for(tuning.room))
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, core.settings.host, core.settings.metrics_port).start()
    host, port = runner.addresses[0][:2]
    return _url(host, port)


async def answer_all(
    core: Core, door: Door, leaving: asyncio.Event, stack: AsyncExitStack
) -> tuple[str, asyncio.Server]:
    """Webhooks, status API and pages; gives the address, and what listens there."""
    await stack.enter_async_context(going_on("feed", core.tail.run))
    tuning, routes = core.tuning, _routes(core, door)
    changing = partial(follow, _proofs(core.settings), routes.webhooks.use, tuning.sweep_seconds)
    await stack.enter_async_context(going_on("secrets", changing))
    app = make_app(routes, door, core.metrics, tuning.patience, tuning.refusals, leaving)
    short = Short(routes.webhooks, routes.statuses, door, core.metrics, tuning.refusals, leaving)
    return await _listen(app, short, core, stack)


async def _listen(
    app: web.Application, short: Short, core: Core, stack: AsyncExitStack
) -> tuple[str, asyncio.Server]:
    patience, room = core.tuning.patience, room_for(core.tuning.room)
    runner = HttpRunner(app, patience, room)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    lanes = Lanes(LINES, short.respond, runner.connection, patience, room)
    stack.push_async_callback(lanes.close)
    where = core.settings.host, core.settings.port
    server = await asyncio.get_running_loop().create_server(lanes, *where, backlog=1024)
    stack.callback(server.close)
    host, port = server.sockets[0].getsockname()[:2]
    return _url(host, port), server


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _proofs(settings: Settings) -> dict[Source, WebhookProof]:
    return {"upwork": settings.upwork.proof, "1099policy": settings.ten99policy.proof}


def _health(core: Core) -> HealthRoutes:
    measures = Measures(core.metrics, core.store, core.runner, core.sources, core.vendors, core.clock)
    return HealthRoutes(core.store, core.metrics, measures.take)


def _routes(core: Core, door: Door) -> Routes:
    store, handler, lists, clock = core.store, core.handler, core.lists, core.clock
    sources, vendors = core.sources, core.vendors
    operator = Operator(store, handler, lists, clock)
    waiting = Waiting(store, lists, sources, vendors, clock)
    statuses = Statuses(store, clock, sources.silent_since, sources.silent_in)
    page_lists = PageLists(lists, handler)
    return Routes(
        webhooks=Webhooks(store, core.processor, _proofs(core.settings), clock, core.metrics, sources.heard),
        engagements=EngagementRoutes(store, handler, clock, statuses, sources.silent_since),
        statuses=statuses,
        attention=AttentionRoutes(waiting, lists, operator),
        deliveries=DeliveryRoutes(store, core.processor, operator),
        operations=OperationRoutes(store, handler, lists, clock, sources),
        feed=FeedRoutes(core.pool, core.tail),
        reconcile=ReconcileRoutes(core.reconciler),
        vendors=VendorRoutes(store, core.gate, vendors),
        health=_health(core),
        pages=Pages(store, handler, page_lists, clock, sources.silent_since, vendors.attention),
        attention_page=AttentionPage(store, waiting, vendors, clock),
        signin=SignIn(door),
    )
