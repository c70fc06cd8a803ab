"""`coverd serve`: what the settings say, until told to stop."""

import os

import structlog

from service.cli.signals import stop_event
from service.compose import serving
from service.config import ConfigFile
from service.settings import read

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
