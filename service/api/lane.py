"""The short way in: plain webhooks and plain questions for a status, answered without a framework between.

A connection begins here. As long as it brings nothing but such requests (see `plain`) they are answered here,
with the same words as on the long way; with the first of any other shape it goes over to aiohttp, bytes and
all, and stays there.
"""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from service.api.patience import Patience
from service.api.plain import Later, Plain, read_plain
from service.api.room import Room
from service.api.server import Connection, Timer, too_slow

MOST_UNREAD = 512 * 1024
"""Bytes of further requests that may wait while one is answered."""

MOST_HELD = 64 * 1024
"""And while one is to be refused: whoever is not proven is to fill no memory."""


END_SECONDS = 5.0
"""How long the end of the service waits for answers under way."""


class Lane(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, lanes: "Lanes") -> None:
        self._lanes = lanes
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._answering = False
        self._unread = False
        self._all_said = False
        self._refusal: asyncio.TimerHandle | None = None
        self._ending: asyncio.Event | None = None
        self._heard_at = 0.0
        self._head = Timer(lanes.patience.head, self._late)
        self._unread_for = Timer(lanes.patience.unread, self.cut)
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._heard_at = self._lanes.loop.time()
        self._lanes.open.add(self)
        self._lanes.room.enter(self)
        self._idle = self._lanes.loop.call_later(self._lanes.patience.idle, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        self._let_go()

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        self._heard()
        if not self._answering and not self._unread:
            self._next()
        elif len(self._received) > MOST_UNREAD and self._transport is not None:
            self._transport.pause_reading()
        if self._refusal is not None and len(self._received) > MOST_HELD:
            self.cut()

    def eof_received(self) -> bool:
        """Who has said all it had to say still gets the answer to it."""
        self._all_said = True
        return self._answering and self._refusal is None

    def pause_writing(self) -> None:
        self._unread = True
        self._unread_for.start()

    def resume_writing(self) -> None:
        self._unread = False
        self._unread_for.stop()
        self._go_on()

    async def end(self) -> None:
        """Answer what is under way, then close."""
        self._ending = asyncio.Event()
        if self._answering and self._refusal is None:
            await self._ending.wait()
        if self._transport is not None:
            self._transport.close()

    def _next(self) -> None:
        """Begin to answer the next request, if it is there."""
        found = read_plain(self._received, self._lanes.lines)
        if isinstance(found, Plain):
            self._head.stop()
            self._received = self._received[found.size :]
            self._answering = True
            self._lanes.respond(found, self._answer)
        elif isinstance(found, Later) and self._all_said and self._transport is not None:
            self._transport.close()
        elif isinstance(found, Later):
            self._head.start()
        else:
            self._hand_over()

    def _answer(self, response: bytes, close: bool, wait: float = 0.0) -> None:
        if wait and self._transport is not None:
            self._refusal = self._lanes.loop.call_later(wait, self._answer, response, close)
            return
        self._answering, self._refusal = False, None
        if self._ending is not None:
            self._ending.set()
        if self._transport is None:
            return
        self._heard()
        self._transport.write(response)
        if close:
            self._transport.close()
        elif self._received:
            self._lanes.loop.call_soon(self._go_on)
        elif self._all_said:
            self._transport.close()

    def _go_on(self) -> None:
        if self._transport is None or self._answering or self._unread or self._ending is not None:
            return
        self._transport.resume_reading()
        if self._received:
            self._next()

    def _hand_over(self) -> None:
        """To aiohttp, with everything that has come: its handler must have begun before it is told."""
        transport, received = self._transport, self._received
        if transport is None:
            return
        self._let_go()
        protocol = self._lanes.onward()
        transport.pause_reading()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        self._lanes.loop.call_soon(_feed, protocol, transport, received, self._all_said)

    def _let_go(self) -> None:
        self._transport, self._received = None, b""
        self._lanes.open.discard(self)
        self._lanes.room.leave(self)
        self._head.stop()
        self._unread_for.stop()
        for timer in (self._idle, self._refusal):
            if timer is not None:
                timer.cancel()

    def _heard(self) -> None:
        self._heard_at = self._lanes.loop.time()
        self._lanes.room.heard(self)

    def _look(self) -> None:
        """Whether the connection has been idle for too long; else when to look again."""
        left = self._heard_at + self._lanes.patience.idle - self._lanes.loop.time()
        busy = self._answering or self._unread or bool(self._received)
        if left > 0 or busy:
            again = max(left, 0.1) if not busy else self._lanes.patience.idle
            self._idle = self._lanes.loop.call_later(again, self._look)
        elif self._transport is not None:
            self._transport.close()

    def _late(self) -> None:
        if self._transport is not None:
            self._transport.write(too_slow())
            self._transport.close()

    @property
    def waits(self) -> bool:
        """See `room.Held`. Who is to be refused is kept for nothing but to slow a flood."""
        return not self._answering or self._refusal is not None

    def cut(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def _feed(protocol: Connection, transport: asyncio.Transport, received: bytes, all_said: bool) -> None:
    if transport.is_closing():
        return
    protocol.data_received(received)
    if not all_said:
        transport.resume_reading()
    elif not protocol.eof_received():
        transport.close()


class Lanes:
    """All connections on the short way; calling it makes the protocol of a new one.

    ``lines`` are the first lines of requests that go it. ``respond`` gives its second argument, once, the
    whole response, whether to close then, and in how many seconds that is to be. ``onward`` makes aiohttp's
    protocol for others.
    """

    def __init__(
        self,
        lines: re.Pattern[bytes],
        respond: Callable[[Plain, Callable[[bytes, bool, float], None]], None],
        onward: Callable[[], Connection],
        patience: Patience,
        room: Room,
    ) -> None:
        self.lines = lines
        self.respond = respond
        self.onward = onward
        self.patience = patience
        self.room = room
        self.open: set[Lane] = set()
        self.loop = asyncio.get_running_loop()

    def __call__(self) -> Lane:
        return Lane(self)

    async def close(self) -> None:
        """Answer what is under way, as far as that is soon done, and close every connection."""
        with suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                await asyncio.gather(*(lane.end() for lane in list(self.open)))
        for lane in list(self.open):
            lane.cut()
