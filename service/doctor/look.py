"""Every check in the order in which what it finds is best mended."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp

from service.clock import Clock
from service.doctor import database, vendors
from service.doctor.check import Check, fail, ok, tried, warn
from service.doctor.settings import on_paper
from service.doctor.work import Work
from service.postgres import running_dsn
from service.settings import PREFIX, Settings, unset
from service.sources import NAMES
from service.store.lines import close_pool, open_pool
from service.store.postgres import PostgresStore
from service.vendors.sharing import paused

if TYPE_CHECKING:
    from service.store.lines import Pool

SOON = aiohttp.ClientTimeout(total=5)


async def look(
    settings: Settings, service_url: str, session: aiohttp.ClientSession, clock: Clock, *, offline: bool
) -> AsyncIterator[Check]:
    """``offline``: ask no vendor."""
    for check in on_paper(settings):
        yield check
    given = settings.database_url
    dsn = given.reveal() if given else running_dsn(settings.data_dir)
    async for check in _database(dsn, settings, clock):
        yield check
    left_alone = {} if offline else await paused(dsn)
    for vendor, ask in {"upwork": vendors.upwork, "1099policy": vendors.ten99policy}.items():
        ready = not any("WEBHOOK" not in name for name in unset(settings, vendor))
        if vendor in left_alone:
            fix = f"coverd resume {vendor} --reason …"
            yield warn(NAMES[vendor], f"It is not asked: {left_alone[vendor].actor} paused it.", fix)
        elif ready and not offline:
            fix = f"See the settings that begin with {PREFIX[vendor]}."
            for check in await tried(vendor, lambda ask=ask: ask(session, settings), fix):  # type: ignore[misc]
                yield check
    yield await _service(service_url, session)


async def _database(dsn: str | None, settings: Settings, clock: Clock) -> AsyncIterator[Check]:
    if dsn is None:
        fix = "Set it for coverd serve; coverd up embeds its own, and must run to be looked at."
        said = f"COVERD_DATABASE_URL is not set, and no embedded Postgres runs in {settings.data_dir}."
        yield warn("database", said, fix)
        return
    conn, checks = await database.opened(dsn)
    for check in checks:
        yield check
    if conn is None:
        return
    try:
        current = await tried("schema", lambda: database.schema(conn), "See coverd migrate verify.")
        may = await tried("role", lambda: database.role(conn), "Run coverd migrate apply.")
        for check in (*current, *may):
            yield check
        for name, look_at in {
            "clock": lambda: database.clock(conn, clock),
            "durability": lambda: database.safety(conn),
            "connections": lambda: database.connections(conn),
            "disk": lambda: database.room(conn, None if settings.database_url else settings.data_dir),
        }.items():
            for check in await tried(name, look_at, "Check what this login may see."):
                yield check
    finally:
        await conn.close()
    if all(check.status == "ok" for check in (*current, *may)):
        async for check in _work(dsn, settings, clock):
            yield check


async def _work(dsn: str, settings: Settings, clock: Clock) -> AsyncIterator[Check]:
    async with _opened(dsn, clock) as (store, pool):
        work = Work(store, pool, clock, settings.silence_seconds)
        for look_at in (
            work.worker,
            work.backlog,
            work.read_models,
            work.attention,
            work.webhooks,
            work.sources,
            work.vendors,
            work.proof,
        ):
            for check in await tried(look_at.__name__, look_at, "Check the database first."):
                yield check


@asynccontextmanager
async def _opened(dsn: str, clock: Clock) -> "AsyncIterator[tuple[PostgresStore, Pool]]":
    store = await PostgresStore.open(dsn, clock, connections=1)
    try:
        pool = await open_pool(dsn, 1)
        try:
            yield store, pool
        finally:
            await close_pool(pool)
    finally:
        await store.close()


async def _service(url: str, session: aiohttp.ClientSession) -> Check:
    """Whether coverd answers where it should."""
    fix = "Start coverd serve, or name where it answers with --url."
    try:
        async with session.get(f"{url}/readyz", timeout=SOON) as answer:
            if answer.status == 200:
                return ok("service", f"{url} is ready to store deliveries.")
            return fail("service", f"{url} answers {answer.status}.", "See its log, and the checks above.")
    except (aiohttp.ClientError, TimeoutError) as error:
        return warn("service", f"Nothing answers at {url} ({type(error).__name__}).", fix)
