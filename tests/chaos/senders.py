"""Deliveries of no consequence without a pause, so that every fault happens at full load."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp

from chaos import canary

SENDERS = 8
PAUSE = 0.1
"""Seconds after which a sender whose delivery was refused sends it again."""


@asynccontextmanager
async def sending(url: str, senders: int) -> AsyncIterator[None]:
    """So many senders, each with one delivery under way; at the end each sees its last one accepted."""
    over = asyncio.Event()
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        for _ in range(senders):
            group.create_task(_send(session, url, over))
        try:
            yield
        finally:
            over.set()


async def _send(session: aiohttp.ClientSession, url: str, over: asyncio.Event) -> None:
    while not over.is_set():
        body = canary.delivery()
        while await _accepted(session, url, body) is None:
            await asyncio.sleep(PAUSE)


async def _accepted(session: aiohttp.ClientSession, url: str, body: bytes) -> str | None:
    with suppress(aiohttp.ClientError, TimeoutError):
        return await canary.accepted(session, url, body)
    return None
