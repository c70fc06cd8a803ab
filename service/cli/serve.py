"""`coverd serve`: what the settings say, until told to stop."""

import asyncio
import os
import socket
import sys
from contextlib import AsyncExitStack, suppress

import asyncpg
import structlog

from service.cli.signals import stop_event
from service.compose import Service, serving
from service.config import ConfigFile
from service.settings import Settings, read
from service.store.errors import StoreUnavailable

START_SECONDS = 60.0
"""How long Postgres is waited for at the start: it may be starting too, or failing over."""

LOOK_SECONDS = 0.5

LEAVE_SECONDS = 1.0
"""How long callers are answered on, and sent elsewhere, after the order to stop."""

STOP_SECONDS = 8.0
"""After the order to stop: when to end all the same. Nothing is lost by it: what was not committed was not
confirmed, and what was under way is taken up again."""

AWAY = (
    *(StoreUnavailable, ConnectionError, TimeoutError, socket.gaierror, asyncpg.PostgresConnectionError),
    *(asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError),
)
"""What may pass by itself. Wrong credentials, a schema that does not fit or a taken port do not."""

log = structlog.get_logger("coverd")


async def run(role: str) -> None:
    settings = read(os.environ, need=frozenset({"database", "vendors"}))
    stop = stop_event()
    async with AsyncExitStack() as stack:
        service = await _begun(settings, role, stop, stack)
        if service is None:
            return
        if service.is_open:
            log.warning("there is no API token: only loopback is served")
        log.info("serving", role=role, at=service.url)
        await stop.wait()
        log.info("stopping")
        asyncio.get_running_loop().call_later(STOP_SECONDS, _end_anyway)
        await service.leave(LEAVE_SECONDS)


async def _begun(settings: Settings, role: str, stop: asyncio.Event, stack: AsyncExitStack) -> Service | None:
    """The service, once Postgres is there; None when told to stop before."""
    clock = asyncio.get_running_loop().time
    began, told = clock(), False
    while not stop.is_set():
        try:
            serve = serving(settings, ConfigFile(settings.config, {}), role=role)
            return await stack.enter_async_context(serve)
        except AWAY as error:
            if clock() - began > START_SECONDS:
                raise
            if not told:
                log.warning("the store cannot be reached; waiting", error=type(error).__name__)
            told = True
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
    return None


def _end_anyway() -> None:
    log.warning("not everything ended in time", seconds=STOP_SECONDS)
    sys.stdout.flush()
    os._exit(1)
