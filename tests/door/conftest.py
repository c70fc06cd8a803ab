"""A running service: real sockets in front, the tests' Postgres behind, and no vendor in reach."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp.test_utils import unused_port
from places import ENOUGH, Place, PlaceMaker

from service.compose import Tuning, serving
from service.config import EXAMPLE, ConfigFile
from service.settings import SANDBOX, read


@pytest.fixture
def places(database_url: str) -> PlaceMaker:
    """Make a running service on this test's database, with settings and tuning of its own."""

    @asynccontextmanager
    async def make(tuning: Tuning | None = None, **extra: str) -> AsyncIterator[Place]:
        nowhere = f"http://127.0.0.1:{unused_port()}"
        settings = read(
            {
                **SANDBOX,
                "COVERD_DATABASE_URL": database_url,
                "COVERD_PORT": "0",
                "COVERD_POLL_SECONDS": "0",
                "COVERD_UPWORK_URL": nowhere,
                "COVERD_TEN99POLICY_URL": nowhere,
                **extra,
            }
        )
        patience = aiohttp.ClientTimeout(total=ENOUGH)
        async with (
            serving(settings, ConfigFile(settings.config, EXAMPLE), tuning=tuning or Tuning()) as service,
            aiohttp.ClientSession(timeout=patience) as session,
        ):
            yield Place(service, session)

    return make


@pytest.fixture
async def place(places: PlaceMaker) -> AsyncIterator[Place]:
    async with places() as made:
        yield made
