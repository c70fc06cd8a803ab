"""The HTTP server under the application: nobody holds it by dawdling, and broken HTTP gets a problem.

aiohttp itself waits an hour for a request's head that was begun, and for ever for a reader who doesn't read.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import structlog
from aiohttp import StreamReader, web
from aiohttp.streams import EMPTY_PAYLOAD

from service.api.keys import SERVER
from service.api.patience import Patience
from service.api.problems import OURS, Problem, body_of, problem_of, response
from service.api.room import Room

log = structlog.get_logger("coverd.api")


SHUTDOWN_SECONDS = 3.0
"""How long a request that is being answered may take on when the server ends, and once more to give up."""


class Timer:
    """Does one thing unless it is stopped in time."""

    __slots__ = ("_act", "_handle", "_seconds")

    def __init__(self, seconds: float, act: Callable[[], None]) -> None:
        self._seconds = seconds
        self._act = act
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """From now, unless it runs already."""
        if self._handle is None:
            self._handle = asyncio.get_running_loop().call_later(self._seconds, self._act)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


class Connection(web.RequestHandler):
    """aiohttp's handler of one connection, with these deadlines."""

    __slots__ = ("_body", "_head", "_refused", "_room", "_unread")

    def __init__(self, manager: web.Server, *, patience: Patience, room: Room, **more: Any) -> None:
        super().__init__(
            manager, keepalive_timeout=patience.idle, lingering_time=patience.refused_body, **more
        )
        self._head = Timer(patience.head, self._head_is_late)
        self._unread = Timer(patience.unread, self.cut)
        self._room = room
        self._body: StreamReader = EMPTY_PAYLOAD
        self._refused: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._room.enter(self)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._room.heard(self)
        if self._messages:
            self._body = self._messages[-1][1]
        if not self._awaits_head():
            self._head.stop()
        elif data:
            self._head.start()

    def eof_received(self) -> bool:  # type: ignore[override]  # a transport asks what aiohttp leaves unsaid
        """Who has said all it had to say still gets the answers to it; one that has begun it may not want."""
        asked = self._current_request
        if self.waits or (asked is not None and asked.writer.output_size > 0):
            return False
        self.close()
        return True

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread.start()

    def resume_writing(self) -> None:
        self._unread.stop()
        super().resume_writing()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._head.stop()
        self._unread.stop()
        self._room.leave(self)
        self._wait_no_longer()
        super().connection_lost(exc)

    async def shutdown(self, timeout: float | None = 15.0) -> None:
        """The service ends."""
        self._wait_no_longer()
        await super().shutdown(timeout)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What never reached the application. aiohttp would quote the sender's bytes, secrets and all."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was already begun")
        request_id = uuid4().hex
        if status >= 500 and not isinstance(exc, ValueError):
            log.error("a request failed on its way", request_id=request_id, error=type(exc).__name__)
            answered = response(Problem(500, OURS), request_id)
        else:
            answered = response(Problem(400, UNREADABLE), request_id)
        answered.headers.update({"X-Request-Id": request_id, "Server": SERVER})
        answered.force_close()
        return answered

    def _awaits_head(self) -> bool:
        """Whether the handler waits for a request, as aiohttp's own timer for idle connections asks it."""
        return self._waiter is not None and not self._waiter.done()

    def _head_is_late(self) -> None:
        if self.transport is not None and self._awaits_head():
            self.transport.write(too_slow())
            self.force_close()

    @property
    def waits(self) -> bool:
        """See `room.Held`."""
        return self._refused is not None or self._awaits_head() or not self._body.is_eof()

    async def turn_away(self, seconds: float) -> None:
        """Keep it so long for nothing but to slow a flood, unless it leaves or the service ends."""
        if self.transport is None or self._close:
            return
        self._refused = self._loop.create_future()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._refused, seconds)
        self._refused = None

    def _wait_no_longer(self) -> None:
        if self._refused is not None and not self._refused.done():
            self._refused.set_result(None)

    def cut(self) -> None:
        if self.transport is not None:
            self.transport.abort()


UNREADABLE = "This is no HTTP/1.1 request that can be read: its head is malformed or too long."
LATE = "The request did not come in time."


def too_slow() -> bytes:
    """The whole answer, written without a request."""
    body = body_of(Problem(408, LATE), uuid4().hex)
    head = "HTTP/1.1 408 Request Timeout\r\nContent-Type: application/problem+json\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class _Server(web.Server):
    """Makes a `Connection` for each that comes in."""

    def __call__(self) -> Connection:
        return Connection(self, loop=self._loop, **self._kwargs)


class HttpRunner(web.AppRunner):
    """aiohttp's runner with this server. Bodies are handed on as they came: it would unpack them silently."""

    def __init__(self, app: web.Application, patience: Patience, room: Room) -> None:
        super().__init__(
            app,
            access_log=None,
            shutdown_timeout=SHUTDOWN_SECONDS,
            auto_decompress=False,
            patience=patience,
            room=room,
        )

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            try:
                return await made.request_handler(request)
            except web.HTTPException as error:  # an Expect that nobody knows: it is judged before all else
                request_id = uuid4().hex
                refused = response(problem_of(error), request_id)
                refused.headers["X-Request-Id"] = request_id
                return refused

        return _Server(handle, request_factory=made.request_factory, loop=made._loop, **made._kwargs)

    def connection(self) -> Connection:
        """A new one, for a transport that is there already."""
        assert isinstance(self.server, _Server)
        return self.server()
