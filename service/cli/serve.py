"""`coverd serve`: what the settings say, until told to stop."""

import asyncio
import os
import sys

import structlog

from service.cli.signals import stop_event
from service.compose import serving
from service.config import ConfigFile
from service.settings import read

LEAVE_SECONDS = 1.0
"""How long callers are answered on, and sent elsewhere, after the order to stop."""

STOP_SECONDS = 8.0
"""After the order to stop: when to end all the same. Nothing is lost by it: what was not committed was not
confirmed, and what was under way is taken up again."""

log = structlog.get_logger("coverd")


async def run(role: str) -> None:
    settings = read(os.environ, need=frozenset({"database", "vendors"}))
    stop = stop_event()
    async with serving(settings, ConfigFile(settings.config, {}), role=role) as service:
        if service.is_open:
            log.warning("there is no API token: only loopback is served")
        log.info("serving", role=role, at=service.url)
        await stop.wait()
        log.info("stopping")
        asyncio.get_running_loop().call_later(STOP_SECONDS, _end_anyway)
        await service.leave(LEAVE_SECONDS)


def _end_anyway() -> None:
    log.warning("not everything ended in time", seconds=STOP_SECONDS)
    sys.stdout.flush()
    os._exit(1)
