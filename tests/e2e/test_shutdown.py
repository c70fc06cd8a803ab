"""SIGTERM under load: nothing that was confirmed is lost, no answer is cut, and it ends in time."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

import aiohttp
import asyncpg
import orjson
import pytest
from contracts.wire import wire_to
from places import TOKEN, answered
from served import ENOUGH, Served, served

pytestmark = pytest.mark.slow

STOPS_WITHIN = 10.0
"""Seconds: the promise."""


@dataclass
class Load:
    """Senders that never pause, each on a connection it keeps while it may."""

    url: str
    accepted: list[str] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    cut: list[bytes] = field(default_factory=list)
    unanswered: int = 0
    sent_elsewhere: int = 0
    numbers: "count[int]" = field(default_factory=count)
    under_way: asyncio.Event = field(default_factory=asyncio.Event)
    refused_for_seconds: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def going_on(self, senders: int) -> AsyncIterator[None]:
        """Begins when it is under way, and ends when the last of them has nobody to send to."""
        async with asyncio.TaskGroup() as group:
            for _ in range(senders):
                group.create_task(self.send_on())
            async with asyncio.timeout(ENOUGH):
                await self.under_way.wait()
            yield

    async def send_on(self) -> None:
        """Until nobody takes connections any more."""
        host, port = self.url.removeprefix("http://").split(":")
        while True:
            try:
                reader, writer = await asyncio.open_connection(host, int(port))
            except ConnectionRefusedError:
                return
            try:
                while await self._sent_one(reader, writer):
                    pass
            finally:
                writer.close()

    async def _sent_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection may be used again."""
        id = f"ev_{next(self.numbers)}"
        body = orjson.dumps({"id": id, "type": "offer.seen", "data": {"offer": {"id": "o"}}})
        head = f"POST /webhooks/upwork HTTP/1.1\r\nHost: c\r\nContent-Length: {len(body)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in TOKEN.items())
        writer.write(f"{head}\r\n".encode() + body)
        seen = Seen(reader)
        told = await answered(seen)  # type: ignore[arg-type]
        if told is None:
            if seen.bytes:
                self.cut.append(bytes(seen.bytes))
            self.unanswered += 1
            return False
        if told.status == 202:
            self.accepted.append(id)
        else:
            self.refused.append(told.status)
            if self.refused.count(told.status) > 12:
                self.refused_for_seconds.set()
        if len(self.accepted) > 300:
            self.under_way.set()
        closes = told.headers.get("connection") == "close"
        self.sent_elsewhere += closes
        return not closes


@dataclass
class Seen:
    """A reader that remembers what came of an answer that never came whole."""

    reader: asyncio.StreamReader
    bytes: bytearray = field(default_factory=bytearray)

    async def readuntil(self, separator: bytes) -> bytes:
        return await self._of(self.reader.readuntil(separator))

    async def readexactly(self, n: int) -> bytes:
        return await self._of(self.reader.readexactly(n))

    async def _of(self, reading):  # type: ignore[no-untyped-def]
        try:
            found = await reading
        except asyncio.IncompleteReadError as error:
            self.bytes += error.partial
            raise
        self.bytes += found
        return found


async def kept(database_url: str) -> list[str]:
    connection = await asyncpg.connect(database_url)
    try:
        return [row["dedupe"] for row in await connection.fetch("SELECT dedupe FROM coverd.inbox")]
    finally:
        await connection.close()


async def read_to_its_end(stream: aiohttp.ClientResponse) -> bytes:
    """Raises when the stream is cut rather than ended."""
    async with asyncio.timeout(ENOUGH):
        return await stream.content.read()


@asynccontextmanager
async def guests(running: Served) -> AsyncIterator[list[aiohttp.ClientResponse]]:
    """Open streams, kept connections that idle, and one who doesn't read what it asked for."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        streams = [await stack.enter_async_context(session.get(f"{running.url}/v1/feed")) for _ in range(5)]
        host, port = running.url.removeprefix("http://").split(":")
        for _ in range(20):
            reader, writer = await asyncio.open_connection(host, int(port))
            stack.callback(writer.close)
            writer.write(b"GET /livez HTTP/1.1\r\nHost: c\r\n\r\n")
            assert await answered(reader)
        _, writer = await asyncio.open_connection(host, int(port), limit=1024)
        stack.callback(writer.close)
        writer.write(b"GET /openapi.json HTTP/1.1\r\nHost: c\r\n\r\n" * 100)
        yield streams


async def test_sigterm_under_load_loses_nothing_and_cuts_nothing(database_url: str) -> None:
    async with served(database_url) as running, guests(running) as streams:
        load = Load(running.url)
        async with load.going_on(senders=16):
            assert await running.end(signal.SIGTERM, within=STOPS_WITHIN) == 0
        for stream in streams:
            assert (await read_to_its_end(stream)).startswith(b"id: ")
    assert load.cut == []
    assert load.refused == []
    stored = await kept(database_url)
    assert len(stored) == len(set(stored))
    assert {f"body:{id}" for id in load.accepted} <= set(stored)
    assert load.unanswered <= 16, "each at most once: its connection was not taken yet when the door closed"
    assert load.sent_elsewhere > 0, "while it leaves, answers close their connections"


async def test_it_ends_in_time_though_postgres_is_silent(database_url: str) -> None:
    async with wire_to(database_url) as wire, served(wire.url) as running, guests(running) as streams:
        load = Load(running.url)
        async with load.going_on(senders=4):
            wire.freeze()
            await asyncio.wait_for(load.refused_for_seconds.wait(), ENOUGH)  # by now each sweep waits too
            await running.end(signal.SIGTERM, within=STOPS_WITHIN)
        for stream in streams:
            await read_to_its_end(stream)
    assert load.cut == []
    assert set(load.refused) == {503}


async def test_it_ends_in_time_though_a_vendor_is_silent(database_url: str) -> None:
    asked = asyncio.Event()

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read(-1)
        writer.close()

    async with await asyncio.start_server(never_answer, "127.0.0.1", 0) as vendor:
        url = f"http://127.0.0.1:{vendor.sockets[0].getsockname()[1]}"
        async with served(database_url, upwork=url) as running, aiohttp.ClientSession() as session:
            news = {"offer": {"id": "of_1"}, "contract": {"id": "9001"}, "freelancer": {"id": "fl_1"}}
            body = {"id": "ev_1", "type": "offer.accepted", "createdAt": 1, "data": news}
            async with session.post(f"{running.url}/webhooks/upwork", json=body, headers=TOKEN) as answer:
                assert answer.status == 202
            async with asyncio.timeout(ENOUGH):
                await asked.wait()
            assert await running.end(signal.SIGTERM, within=STOPS_WITHIN) == 0
