"""A whole world on loopback: a fresh database, both sandboxes, the service, and hands to drive them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from service.compose import Service, Tuning, serving
from service.config import EXAMPLE, ConfigFile
from service.demo.driver import Driver, Peer
from service.effects.backoff import Ladder
from service.sandbox import ten99policy, upwork
from service.settings import SANDBOX, Settings, read


@dataclass(frozen=True)
class World:
    drive: Driver
    service: Service
    settings: Settings
    session: aiohttp.ClientSession


@asynccontextmanager
async def hosted(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def make_world(database_url: str, config: Path | None, **extra: str) -> AsyncIterator[World]:
    port = unused_port()
    callback = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as stack:
        seen_upwork = upwork.UpworkOptions(callback=callback, retry_base_seconds=0.05)
        seen_1099 = ten99policy.Ten99PolicyOptions(callback=callback, retry_base_seconds=0.05)
        upwork_url = await stack.enter_async_context(hosted(upwork.make_app(seen_upwork)))
        ten99policy_url = await stack.enter_async_context(hosted(ten99policy.make_app(seen_1099)))
        settings = read(
            {
                **SANDBOX,
                "COVERD_DATABASE_URL": database_url,
                "COVERD_PORT": str(port),
                "COVERD_UPWORK_URL": upwork_url,
                "COVERD_TEN99POLICY_URL": ten99policy_url,
                **extra,
            }
        )
        tuning = Tuning(sweep_seconds=0.05, ladder=Ladder(first=0.02))
        serve = serving(settings, ConfigFile(config, EXAMPLE), tuning=tuning)
        service = await stack.enter_async_context(serve)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        drive = Driver(Peer(session, callback), Peer(session, upwork_url), Peer(session, ten99policy_url))
        yield World(drive, service, settings, session)


WorldMaker = Callable[..., AbstractAsyncContextManager[World]]


@pytest.fixture
def worlds(database_url: str) -> WorldMaker:
    """Make a world on this test's database, with a configuration file or settings of its own."""

    def make(config: Path | None = None, **extra: str) -> AbstractAsyncContextManager[World]:
        return make_world(database_url, config, **extra)

    return make


@pytest.fixture
async def world(worlds: WorldMaker) -> AsyncIterator[World]:
    async with worlds() as made:
        yield made
