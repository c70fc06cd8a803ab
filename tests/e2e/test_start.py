"""`coverd serve` begins while Postgres is away: it says so and waits; what waiting cannot mend it tells."""

import asyncio
import signal
import socket

import aiohttp
import pytest
from contracts.wire import wire_to
from served import served

pytestmark = pytest.mark.slow

WAITS = b"the store cannot be reached; waiting"


async def test_it_serves_once_postgres_is_there(database_url: str) -> None:
    async with wire_to(database_url) as wire:
        await wire.cut()
        async with served(wire.url, until=WAITS) as running, aiohttp.ClientSession() as session:
            await wire.mend()
            await running.until(b'"serving"')
            async with session.get(f"{running.url}/readyz") as answer:
                assert answer.status == 200


@pytest.mark.parametrize("role", ["all", "worker"])
async def test_told_to_stop_meanwhile_it_stops(database_url: str, role: str) -> None:
    async with wire_to(database_url) as wire:
        await wire.cut()
        async with served(wire.url, role=role, until=WAITS) as running:
            assert await running.end(signal.SIGTERM) == 0


async def test_wrong_credentials_are_told_at_once(database_url: str) -> None:
    nobody = database_url.replace("://coverd:", "://nobody_here:")
    assert nobody != database_url
    async with asyncio.timeout(30):
        with pytest.raises(AssertionError, match="The database cannot be used: InvalidPassword"):
            async with served(nobody, until=WAITS):
                pass


async def test_a_port_that_is_taken_is_told_at_once(database_url: str) -> None:
    async with asyncio.timeout(30):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(AssertionError, match=f"cannot be used: OSError: .*{port}"):
                async with served(database_url, until=WAITS, COVERD_PORT=str(port)):
                    pass
