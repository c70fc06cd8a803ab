"""Every part of a service, made and given what it needs; nothing has begun yet."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import aiohttp

from domain.rules import Rules
from projections.runner import Runner
from service.api.patience import Patience
from service.api.refusals import Refusals
from service.api.tokens import Tokens
from service.clients.outside import outside_session
from service.clients.ten99policy import Ten99Policy
from service.clients.upwork import Upwork
from service.clock import Clock
from service.config import ConfigFile
from service.effects.backoff import Ladder
from service.effects.perform import Desk
from service.effects.worker import Worker
from service.handle import Handler
from service.ingest.process import Processor
from service.lists import ReadModels
from service.metrics import Metrics
from service.poll.reconcile import UPWORK_SECONDS, Parts, Reconciler
from service.ports import Lookup
from service.settings import Settings
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

if TYPE_CHECKING:
    from service.store.lines import Pool


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


@dataclass(frozen=True, slots=True)
class Core:
    """What a process of any role is made of. ``pool``: for the read models, beside the store's own lines."""

    settings: Settings
    config: ConfigFile
    clock: Clock
    tuning: Tuning
    store: PostgresStore
    pool: "Pool"
    lists: ReadModels
    metrics: Metrics
    tokens: Tokens
    sources: Sources
    gate: Gate
    vendors: VendorReport
    handler: Handler
    desk: Desk
    worker: Worker
    processor: Processor
    reconciler: Reconciler
    runner: Runner
    tail: Tail
    surveyor: Surveyor


async def assemble(
    settings: Settings, config: ConfigFile, clock: Clock, tuning: Tuning, stack: AsyncExitStack
) -> Core:
    """Make every part; ``stack`` closes what has to be closed. Raises `StoreUnavailable`."""
    assert settings.database_url is not None
    dsn = settings.database_url.reveal()
    store = await PostgresStore.open(dsn, clock, bounds=tuning.bounds)
    stack.push_async_callback(store.close)
    with as_unavailable():
        pool = await open_pool(dsn, 6, tuning.bounds)
    stack.push_async_callback(close_pool, pool)
    lists, metrics = ReadModels(pool), Metrics()
    limit = timedelta(seconds=settings.silence_seconds) if settings.poll_seconds else None
    sources = Sources(store, clock, metrics, limit)
    gate = Gate(store, clock, tuning.vendor_patience)
    upwork, ten99policy = await _clients(settings, clock, tuning, store, gate, stack)
    stack.push_async_callback(sources.stop)
    handler = Handler(store, _rules(config, upwork))
    desk = Desk(store, handler, upwork, ten99policy, config, clock)
    pauses = tuning.sweep_seconds
    worker = Worker(
        desk, metrics, concurrency=settings.workers, sweep_seconds=pauses, ladder=tuning.ladder, gate=gate
    )
    processor = Processor(
        store, handler, config, clock, metrics, sweep_seconds=pauses, waiting=store.receipts_waiting
    )
    parts = Parts(store, handler, processor, upwork, ten99policy, lists, metrics, clock)
    return Core(
        settings=settings,
        config=config,
        clock=clock,
        tuning=tuning,
        store=store,
        pool=pool,
        lists=lists,
        metrics=metrics,
        tokens=Tokens(settings.api_tokens, TokenTable(pool, clock), clock),
        sources=sources,
        gate=gate,
        vendors=VendorReport(store, gate, clock),
        handler=handler,
        desk=desk,
        worker=worker,
        processor=processor,
        reconciler=Reconciler(parts, gate, settings.poll_seconds, limit, tuning.upwork_poll_seconds),
        runner=Runner(pool),
        tail=Tail(pool),
        surveyor=Surveyor(store, lists, sources.silent_since, clock),
    )


def connect(core: Core, *, works: bool) -> None:
    """The short cuts inside one process; every one of them may be missed, a sweep or poll follows."""

    def appended(found: Sequence[Lookup]) -> None:
        core.runner.nudge()
        core.processor.ids_known(found)

    core.handler.on_append = appended
    core.runner.on_advance = core.tail.look
    core.desk.upwork.reads.on_request = core.metrics.reads_per_request.observe
    if works:
        core.handler.hands = core.worker
        core.handler.on_effects = core.worker.left
        core.desk.ten99policy.clock.on_jump = core.worker.rouse_timers


async def _clients(
    settings: Settings, clock: Clock, tuning: Tuning, store: PostgresStore, gate: Gate, stack: AsyncExitStack
) -> tuple[Upwork, Ten99Policy]:
    """Both vendors' APIs, asked no more than they allow and never while a person wants them left alone."""
    session = await stack.enter_async_context(
        aiohttp.ClientSession(
            headers={"User-Agent": "coverd/0.1"},
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
    )
    outside = await stack.enter_async_context(outside_session())
    turn = Limiter(store, UPWORK, tuning.upwork_rate).turn
    client = f"{settings.upwork.token_url} {settings.upwork.client_id}"
    shared = SharedToken(store, client, settings.upwork.client_secret, clock)
    leave_upwork, leave_1099policy = (partial(gate.leave, vendor) for vendor in VENDORS)
    upwork = Upwork(session, settings.upwork, clock, outside, turn, shared, leave_upwork)
    return upwork, Ten99Policy(session, settings.ten99policy, clock, leave_1099policy)


def _rules(config: ConfigFile, upwork: Upwork) -> Callable[[], Rules]:
    """The company's rules, with what the dialect of Upwork makes possible."""
    named = upwork.contract_names_freelancer
    return lambda: replace(config.rules(), contract_names_freelancer=named)
