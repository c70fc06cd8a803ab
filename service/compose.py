"""The composition root: every part is made here, given what it needs, started in order, stopped in turn."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

import aiohttp
import asyncpg
import structlog
from aiohttp import web

from domain.rules import Rules
from migrations import runner as migrations
from projections.runner import Runner
from service.api.app import Routes, make_app, make_health_app
from service.api.attention import AttentionRoutes
from service.api.auth import Door
from service.api.deliveries import DeliveryRoutes
from service.api.engagements import EngagementRoutes
from service.api.feed import FeedRoutes
from service.api.health import HealthRoutes
from service.api.lane import Lanes
from service.api.operations import OperationRoutes
from service.api.patience import Patience
from service.api.rates import Rates
from service.api.reconcile import ReconcileRoutes
from service.api.refusals import Refusals
from service.api.room import room_for
from service.api.server import HttpRunner
from service.api.short import LINES, Short
from service.api.statuses import Statuses
from service.api.tokens import Tokens
from service.api.vendors import VendorRoutes
from service.api.waiting import Waiting
from service.background import going_on
from service.clients.outside import outside_session
from service.clients.ten99policy import Ten99Policy
from service.clients.upwork import Upwork
from service.clock import Clock, utc_now
from service.config import ConfigFile
from service.effects.backoff import Ladder
from service.effects.perform import Desk
from service.effects.worker import Worker
from service.handle import Handler
from service.ingest.process import Processor
from service.ingest.rotation import follow
from service.ingest.webhooks import Source, Webhooks
from service.lists import PageLists, ReadModels
from service.measure import Measures
from service.metrics import Metrics
from service.operate import Operator
from service.poll.poller import Poller, watch
from service.poll.reconcile import UPWORK_SECONDS, Parts, Reconciler
from service.ports import Lookup
from service.preflight.watch import warn_on_change
from service.settings import Settings, SettingsRefused, WebhookProof, is_loopback, unguarded
from service.sources import UPWORK, Sources
from service.store.errors import as_unavailable
from service.store.lines import USUAL, Bounds, close_pool, open_pool
from service.store.postgres import PostgresStore
from service.store.tokens import TokenTable
from service.survey import Surveyor
from service.tail import Tail
from service.vendors import rate
from service.vendors.breaker import Patience as VendorPatience
from service.vendors.gate import VENDORS, Gate
from service.vendors.limiter import Limiter
from service.vendors.report import VendorReport
from service.vendors.tokens import SharedToken
from service.web.attention import AttentionPage
from service.web.pages import Pages
from service.web.signin import SignIn

log = structlog.get_logger("coverd")


@dataclass(frozen=True, slots=True)
class Service:
    """A running service; ``url`` is where it answers, None for a worker that serves no HTTP.

    ``is_open``: whether everything is served without a token, to this machine alone.
    """

    url: str | None
    store: PostgresStore
    handler: Handler
    processor: Processor
    worker: Worker
    runner: Runner
    desk: Desk
    reconciler: Reconciler
    surveyor: Surveyor
    is_open: bool = False
    server: asyncio.Server | None = None
    leaving: asyncio.Event = field(default_factory=asyncio.Event)

    async def leave(self, seconds: float) -> None:
        """Before the end: begin no call, and for ``seconds`` answer on but send callers elsewhere."""
        self.leaving.set()
        # A store that is silent would hold the worker up for longer than callers can be answered.
        stopping = asyncio.wait({asyncio.create_task(self.worker.stop())}, timeout=seconds)
        await asyncio.gather(stopping, asyncio.sleep(seconds if self.server else 0))
        if self.server:
            self.server.close()
            await asyncio.sleep(LAST_SECONDS)


LAST_SECONDS = 0.2
"""What is left for requests on connections that were made just before no more were taken."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """What tests and small machines set otherwise. Seconds."""

    sweep_seconds: float = 1.0
    upwork_poll_seconds: float = UPWORK_SECONDS
    ladder: Ladder = field(default_factory=Ladder)
    patience: Patience = field(default_factory=Patience)
    vendor_patience: VendorPatience = field(default_factory=VendorPatience)
    refusals: Refusals = field(default_factory=Refusals)
    room: int | None = None
    """How many connections are held at once; None: as many as the process may."""
    bounds: Bounds = USUAL
    upwork_rate: rate.Rate = rate.UPWORK


@asynccontextmanager
async def serving(
    settings: Settings,
    config: ConfigFile,
    *,
    clock: Clock = utc_now,
    role: str = "all",
    tuning: Tuning | None = None,
) -> AsyncIterator[Service]:
    """Run the service while the context is open. ``role``: all · web · worker, or ``beside`` one that serves:
    it processes deliveries, and nothing else begins by itself.

    Raises `migrations.errors.MigrationError` when the schema is behind or ahead of this code, and
    `SettingsRefused` where others can reach a door that nobody has a key to.
    """
    tuning = tuning or Tuning()
    works, serves = role in ("all", "worker"), role in ("all", "web")
    answers = serves or (role == "worker" and settings.metrics_port is not None)
    assert settings.database_url is not None
    dsn = settings.database_url.reveal()
    async with AsyncExitStack() as stack:
        await _schema_is_current(dsn)
        store = await PostgresStore.open(dsn, clock, bounds=tuning.bounds)
        stack.push_async_callback(store.close)
        with as_unavailable():
            pool = await open_pool(dsn, 6, tuning.bounds)
        stack.push_async_callback(close_pool, pool)
        tokens = Tokens(settings.api_tokens, TokenTable(pool, clock), clock)
        if answers:
            await tokens.look()
            if not is_loopback(settings.host) and not tokens.any_live:
                raise SettingsRefused(faults=unguarded(settings.host))
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                headers={"User-Agent": "coverd/0.1"},
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        )
        metrics = Metrics()
        limit = timedelta(seconds=settings.silence_seconds) if settings.poll_seconds else None
        sources = Sources(store, clock, metrics, limit)
        stack.push_async_callback(sources.stop)
        outside = await stack.enter_async_context(outside_session())
        pace = Limiter(store, UPWORK, tuning.upwork_rate)
        client = f"{settings.upwork.token_url} {settings.upwork.client_id}"
        shared = SharedToken(store, client, settings.upwork.client_secret, clock)
        gate = Gate(store, clock, tuning.vendor_patience)
        leave_upwork, leave_1099policy = (partial(gate.leave, vendor) for vendor in VENDORS)
        upwork = Upwork(session, settings.upwork, clock, outside, pace.turn, shared, leave_upwork)
        handler = Handler(store, _rules(config, upwork))
        desk = Desk(
            store,
            handler,
            upwork,
            Ten99Policy(session, settings.ten99policy, clock, leave_1099policy),
            config,
            clock,
        )
        worker = Worker(
            desk,
            metrics,
            concurrency=settings.workers,
            sweep_seconds=tuning.sweep_seconds,
            ladder=tuning.ladder,
            gate=gate,
        )
        processor = Processor(
            store,
            handler,
            config,
            clock,
            metrics,
            sweep_seconds=tuning.sweep_seconds,
            waiting=store.receipts_waiting,
        )
        parts = Parts(
            store, handler, processor, desk.upwork, desk.ten99policy, ReadModels(pool), metrics, clock
        )
        reconciler = Reconciler(parts, gate, settings.poll_seconds, limit, tuning.upwork_poll_seconds)
        await watch(store, clock, settings.poll_seconds)
        runner, tail = Runner(pool), Tail(pool)
        surveyor = Surveyor(store, ReadModels(pool), sources.silent_since, clock)
        _connect(handler, worker, processor, runner, tail, works=works)
        if works:
            desk.ten99policy.clock.on_jump = worker.rouse_timers
            worker.start()
            stack.push_async_callback(worker.stop)
        processor.start()
        stack.push_async_callback(processor.stop)
        if works:
            await stack.enter_async_context(going_on("projections", runner.run))
            await stack.enter_async_context(going_on("survey", surveyor.run))
        if works and settings.poll_seconds:
            if desk.ten99policy.dialect == "reference":
                codes = partial(warn_on_change, config, desk.ten99policy, metrics, settings.poll_seconds)
                await stack.enter_async_context(going_on("config-check", codes))
            poller = Poller(reconciler, store, clock, settings.poll_seconds)
            poller.start()
            stack.push_async_callback(poller.stop)
        url, is_open, server, leaving = None, False, None, asyncio.Event()
        if answers:
            looks = partial(tokens.follow, tuning.sweep_seconds)
            await stack.enter_async_context(going_on("tokens", looks))
            door = Door(tokens, Rates(settings.rate), loopback=is_loopback(settings.host))
            vendors = VendorReport(store, gate, clock)
            measures = Measures(metrics, store, runner, sources, vendors, clock)
            health = HealthRoutes(store, metrics, measures.take)
            is_open = door.is_open
        if answers and not serves:
            app = make_health_app(health, door, metrics, tuning.patience, tuning.refusals, leaving)
            url = await _answer(app, settings, tuning, stack)
        if serves:
            await stack.enter_async_context(going_on("feed", tail.run))
            routes = _routes(
                settings,
                door,
                store,
                handler,
                processor,
                pool,
                runner,
                tail,
                metrics,
                clock,
                sources,
                reconciler,
                gate,
                vendors,
                health,
            )
            changing = partial(follow, _proofs(settings), routes.webhooks.use, tuning.sweep_seconds)
            await stack.enter_async_context(going_on("secrets", changing))
            app = make_app(routes, door, metrics, tuning.patience, tuning.refusals, leaving)
            short = Short(routes.webhooks, routes.statuses, door, metrics, tuning.refusals, leaving)
            url, server = await _listen(app, short, settings, tuning, stack)
        yield Service(
            url,
            store,
            handler,
            processor,
            worker,
            runner,
            desk,
            reconciler,
            surveyor,
            is_open,
            server,
            leaving,
        )


def _rules(config: ConfigFile, upwork: Upwork) -> Callable[[], Rules]:
    """The company's rules, with what the dialect of Upwork makes possible."""
    named = upwork.contract_names_freelancer
    return lambda: replace(config.rules(), contract_names_freelancer=named)


async def _schema_is_current(dsn: str) -> None:
    conn = await asyncpg.connect(dsn, timeout=USUAL.connect, command_timeout=USUAL.answer)
    try:
        await migrations.require_current(conn)
    finally:
        await conn.close()


def _connect(
    handler: Handler, worker: Worker, processor: Processor, runner: Runner, tail: Tail, *, works: bool
) -> None:
    """The short cuts inside one process; every one of them may be missed, a sweep or poll follows."""

    def appended(found: Sequence[Lookup]) -> None:
        runner.nudge()
        processor.ids_known(found)

    handler.on_append = appended
    runner.on_advance = tail.look
    if works:
        handler.hands = worker
        handler.on_effects = worker.nudge


def _proofs(settings: Settings) -> dict[Source, WebhookProof]:
    return {"upwork": settings.upwork.proof, "1099policy": settings.ten99policy.proof}


def _routes(
    settings: Settings,
    door: Door,
    store: PostgresStore,
    handler: Handler,
    processor: Processor,
    pool: "asyncpg.Pool[asyncpg.Record]",
    runner: Runner,
    tail: Tail,
    metrics: Metrics,
    clock: Clock,
    sources: Sources,
    reconciler: Reconciler,
    gate: Gate,
    vendors: VendorReport,
    health: HealthRoutes,
) -> Routes:
    lists = ReadModels(pool)
    operator = Operator(store, handler, lists, clock)
    waiting = Waiting(store, lists, sources, vendors, clock)
    statuses = Statuses(store, clock, sources.silent_since, sources.silent_in)

    return Routes(
        webhooks=Webhooks(
            store,
            processor,
            _proofs(settings),
            clock,
            metrics,
            sources.heard,
        ),
        engagements=EngagementRoutes(store, handler, clock, statuses, sources.silent_since),
        statuses=statuses,
        attention=AttentionRoutes(waiting, lists, operator),
        deliveries=DeliveryRoutes(store, processor, operator),
        operations=OperationRoutes(store, handler, lists, clock, sources),
        feed=FeedRoutes(pool, tail),
        reconcile=ReconcileRoutes(reconciler),
        vendors=VendorRoutes(store, gate, vendors),
        health=health,
        pages=Pages(
            store, handler, PageLists(lists, handler), clock, sources.silent_since, vendors.attention
        ),
        attention_page=AttentionPage(store, waiting, vendors, clock),
        signin=SignIn(door),
    )


async def _answer(app: web.Application, settings: Settings, tuning: Tuning, stack: AsyncExitStack) -> str:
    """Where a worker says how it is."""
    app_runner = HttpRunner(app, tuning.patience, room_for(tuning.room))
    await app_runner.setup()
    stack.push_async_callback(app_runner.cleanup)
    await web.TCPSite(app_runner, settings.host, settings.metrics_port).start()
    host, port = app_runner.addresses[0][:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


async def _listen(
    app: web.Application, short: Short, settings: Settings, tuning: Tuning, stack: AsyncExitStack
) -> tuple[str, asyncio.Server]:
    room = room_for(tuning.room)
    app_runner = HttpRunner(app, tuning.patience, room)
    await app_runner.setup()
    stack.push_async_callback(app_runner.cleanup)
    lanes = Lanes(LINES, short.respond, app_runner.connection, tuning.patience, room)
    stack.push_async_callback(lanes.close)
    server = await asyncio.get_running_loop().create_server(lanes, settings.host, settings.port, backlog=1024)
    stack.callback(server.close)
    host, port = server.sockets[0].getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}", server
