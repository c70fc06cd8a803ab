"""A running service asked over real sockets, for tests of its door."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from service.compose import Service
from service.settings import SANDBOX

TOKEN = {"X-Upwork-Webhook-Token": SANDBOX["COVERD_UPWORK_WEBHOOK_SECRETS"]}
"""What proves a delivery from Upwork."""

ENOUGH = 20.0
"""Seconds within which whatever is asked here is answered or closed; reached only by a hang."""


@dataclass(frozen=True)
class Answer:
    """An answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> Any:
        assert self.headers["content-type"] == "application/problem+json", self
        found = orjson.loads(self.body)
        assert found["status"] == self.status
        return found


@dataclass(frozen=True)
class Place:
    """A service that is asked over sockets."""

    service: Service
    session: aiohttp.ClientSession

    @property
    def url(self) -> str:
        assert self.service.url
        return self.service.url

    async def ask(self, method: str, path: str, **sent: Any) -> Answer:
        async with self.session.request(
            method, f"{self.url}{path}", allow_redirects=False, **sent
        ) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, headers, await response.read())

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A bare connection, for what no client library would send."""
        host, port = self.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def raw(self, sent: bytes) -> Answer | None:
        """What comes back for these bytes; None when the connection is closed without an answer."""
        async with self.connection() as (reader, writer), asyncio.timeout(ENOUGH):
            writer.write(sent)
            return await answered(reader)

    async def statuses(self, sent: bytes) -> list[int]:
        """Every status that comes back for these bytes, behind which nothing more is said."""
        found: list[int] = []
        async with self.connection() as (reader, writer), asyncio.timeout(ENOUGH):
            writer.write(sent)
            writer.write_eof()
            while (told := await answered(reader)) is not None:
                found.append(told.status)
        return found


async def answered(reader: asyncio.StreamReader) -> Answer | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines if line)}
        status = int(first.split()[1])
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(status, headers, body)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


PlaceMaker = Callable[..., AbstractAsyncContextManager[Place]]
