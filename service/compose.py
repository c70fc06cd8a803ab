"""The composition root: every part begins here, in order, and is stopped in turn."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import asyncpg

from migrations import runner as migrations
from projections.runner import Runner
from service.answering import answer_all, answer_health, open_door
from service.background import going_on
from service.clock import Clock, utc_now
from service.config import ConfigFile
from service.core import Core, Tuning, assemble, connect
from service.effects.perform import Desk
from service.effects.worker import Worker
from service.handle import Handler
from service.ingest.process import Processor
from service.poll.poller import Poller, watch
from service.poll.reconcile import Reconciler
from service.preflight.watch import warn_on_change
from service.settings import Settings, SettingsRefused, is_loopback, unguarded
from service.store.lines import USUAL
from service.store.postgres import PostgresStore
from service.survey import Surveyor

__all__ = ["Service", "Tuning", "serving"]


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
    works, serves = role in ("all", "worker"), role in ("all", "web")
    answers = serves or (role == "worker" and settings.metrics_port is not None)
    async with AsyncExitStack() as stack:
        await _schema_is_current(settings)
        core = await assemble(settings, config, clock, tuning or Tuning(), stack)
        if answers:
            await _has_a_key(core)
        await watch(core.store, clock, settings.poll_seconds)
        connect(core, works=works)
        await _begin(core, stack, works=works)
        url, is_open, server, leaving = None, False, None, asyncio.Event()
        if answers:
            door = await open_door(core, stack)
            is_open = door.is_open
            if serves:
                url, server = await answer_all(core, door, leaving, stack)
            else:
                url = await answer_health(core, door, leaving, stack)
        yield Service(
            url,
            core.store,
            core.handler,
            core.processor,
            core.worker,
            core.runner,
            core.desk,
            core.reconciler,
            core.surveyor,
            is_open,
            server,
            leaving,
        )


async def _schema_is_current(settings: Settings) -> None:
    assert settings.database_url is not None
    dsn = settings.database_url.reveal()
    conn = await asyncpg.connect(dsn, timeout=USUAL.connect, command_timeout=USUAL.answer)
    try:
        await migrations.require_current(conn)
    finally:
        await conn.close()


async def _has_a_key(core: Core) -> None:
    """Raises `SettingsRefused` where others could come in without one."""
    await core.tokens.look()
    if not is_loopback(core.settings.host) and not core.tokens.any_live:
        raise SettingsRefused(faults=unguarded(core.settings.host))


async def _begin(core: Core, stack: AsyncExitStack, *, works: bool) -> None:
    """What goes on by itself, whether anybody asks or not."""
    if works:
        core.worker.start()
        stack.push_async_callback(core.worker.stop)
    core.processor.start()
    stack.push_async_callback(core.processor.stop)
    if not works:
        return
    await stack.enter_async_context(going_on("projections", core.runner.run))
    await stack.enter_async_context(going_on("survey", core.surveyor.run))
    if every := core.settings.poll_seconds:
        if core.desk.ten99policy.dialect == "reference":
            codes = partial(warn_on_change, core.config, core.desk.ten99policy, core.metrics, every)
            await stack.enter_async_context(going_on("config-check", codes))
        poller = Poller(core.reconciler, core.store, core.clock, every)
        poller.start()
        stack.push_async_callback(poller.stop)
