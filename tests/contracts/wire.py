"""A wire to Postgres that a test can cut, freeze, and make swallow an answer."""

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Wire:
    """Forwards bytes both ways between ``url`` and the server behind it."""

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._work: set[asyncio.Task[None]] = set()
        self._swallow_after: bytes | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self.swallowed = 0

    @property
    def url(self) -> str:
        user = self._target.netloc.rpartition("@")[0]
        return self._target._replace(netloc=f"{user}@127.0.0.1:{self._port}").geturl()

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """End every connection and refuse new ones."""
        assert self._server
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        for work in self._work:
            work.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    def freeze(self) -> None:
        """From now on nothing that is sent arrives, and nobody is told."""
        self._flows.clear()

    def forsake(self) -> None:
        """Connections open now stay silent for ever, as to a machine that is gone; new ones are good."""
        self._flows.clear()
        self._flows = asyncio.Event()
        self._flows.set()

    def thaw(self) -> None:
        """What was sent meanwhile arrives now."""
        self._flows.set()

    def swallow_answer_to(self, part: bytes) -> None:
        """Once something containing ``part`` was sent, break the connection instead of answering it."""
        self._swallow_after = part

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = self._target.port or 5432
        try:
            up_reader, up_writer = await asyncio.open_connection(self._target.hostname, port)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, up_writer}
        self._open |= pair
        armed = asyncio.Event()
        both = [
            asyncio.create_task(self._upwards(reader, up_writer, armed)),
            asyncio.create_task(self._downwards(up_reader, writer, armed)),
        ]
        self._work |= set(both)
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for one in pair:
            one.transport.abort()
        await asyncio.gather(*both, return_exceptions=True)
        self._open -= pair
        self._work -= set(both)

    async def _upwards(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, armed: asyncio.Event
    ) -> None:
        flows = self._flows
        with suppress(OSError):
            while data := await reader.read(1 << 20):
                if self._swallow_after is not None and self._swallow_after in data:
                    self._swallow_after = None
                    armed.set()
                await flows.wait()
                writer.write(data)
                await writer.drain()

    async def _downwards(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, armed: asyncio.Event
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 20):
                if armed.is_set():
                    self.swallowed += 1
                    return
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def wire_to(url: str) -> "AsyncIterator[Wire]":
    wire = Wire(url)
    await wire.mend()
    try:
        yield wire
    finally:
        await wire.cut()
