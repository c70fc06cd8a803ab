"""A log to write, and the read models over it, used with the application's rights."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from written_log import Log

from projections.runner import Runner


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Any]:
    conn = await asyncpg.connect(database_url)
    yield conn
    await conn.close()


@pytest.fixture
async def log(owner: Any) -> Log:
    return Log(owner)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Any]:
    settings = {"role": "coverd_app"}
    async with asyncpg.create_pool(database_url, min_size=0, max_size=8, server_settings=settings) as pool:
        yield pool


@pytest.fixture
async def runner(pool: Any) -> Runner:
    """Looks again only when it is told to."""
    return Runner(pool, poll=3600)
