"""A whole world on loopback: a fresh database, both sandboxes, the service, and hands to drive them."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from service.clock import Clock, utc_now
from service.compose import Service, Tuning, serving
from service.config import EXAMPLE, ConfigFile
from service.demo.driver import Driver, Peer
from service.effects.backoff import Ladder
from service.sandbox import ten99policy, upwork
from service.settings import SANDBOX, Settings, read
from service.vendors.breaker import Patience

Dialect = Literal["both", "guide", "reference"]


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


REFERENCE: Mapping[str, Any] = {
    **EXAMPLE,
    "categories": {"531770282580668418": "jc_MTqpkbkp6G"},
    "job": {**EXAMPLE["job"], "send_region": True},
}
"""The guide's example in the vendors' own words: ids of categories, and a job's region in its address."""


@asynccontextmanager
async def make_world(
    database_url: str,
    config: Path | None,
    dialect: Dialect,
    *,
    webhooks: bool | str = True,
    clock: Clock = utc_now,
    **extra: str,
) -> AsyncIterator[World]:
    """``guide`` and ``reference``: both vendors refuse the other's words, and coverd speaks theirs.

    ``webhooks``: whether there are any, or the base URL of what stands between.
    """
    port = unused_port()
    service_url = f"http://127.0.0.1:{port}"
    callback = webhooks if isinstance(webhooks, str) else service_url if webhooks else None
    spoken = "reference" if dialect == "reference" else "guide"
    async with AsyncExitStack() as stack:
        seen_upwork = upwork.UpworkOptions(callback=callback, retry_base_seconds=0.05, dialect=dialect)
        seen_1099 = ten99policy.Ten99PolicyOptions(
            callback=callback, retry_base_seconds=0.05, dialect=dialect
        )
        upwork_url = await stack.enter_async_context(hosted(upwork.make_app(seen_upwork)))
        ten99policy_url = await stack.enter_async_context(hosted(ten99policy.make_app(seen_1099)))
        settings = read(
            {
                **SANDBOX,
                "COVERD_DATABASE_URL": database_url,
                "COVERD_PORT": str(port),
                "COVERD_UPWORK_URL": upwork_url,
                "COVERD_TEN99POLICY_URL": ten99policy_url,
                "COVERD_UPWORK_DIALECT": spoken,
                "COVERD_TEN99POLICY_DIALECT": spoken,
                **extra,
            }
        )
        tuning = Tuning(
            sweep_seconds=0.05,
            ladder=Ladder(first=0.02),
            upwork_poll_seconds=0.01,
            vendor_patience=Patience(first=0.05),
        )
        example = REFERENCE if dialect == "reference" else EXAMPLE
        serve = serving(settings, ConfigFile(config, example), clock=clock, tuning=tuning)
        service = await stack.enter_async_context(serve)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        drive = Driver(Peer(session, service_url), Peer(session, upwork_url), Peer(session, ten99policy_url))
        yield World(drive, service, settings, session)


WorldMaker = Callable[..., AbstractAsyncContextManager[World]]


@pytest.fixture
def worlds(database_url: str) -> WorldMaker:
    """Make a world on this test's database, with a configuration file or settings of its own."""

    def make(
        config: Path | None = None, dialect: Dialect = "both", **extra: Any
    ) -> AbstractAsyncContextManager[World]:
        return make_world(database_url, config, dialect, **extra)

    return make


@pytest.fixture(params=["guide", "reference"])
async def world(request: pytest.FixtureRequest, worlds: WorldMaker) -> AsyncIterator[World]:
    """One in each dialect."""
    async with worlds(dialect=request.param) as made:
        yield made
