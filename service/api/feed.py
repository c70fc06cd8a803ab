"""GET /v1/feed: every event as it is recorded, in one order, as Server-Sent Events.

A client that sends back the last id it got, in Last-Event-ID or ``?cursor=``, goes on right behind it,
whichever process answers: ids are places in the feed, which never change.
"""

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from aiohttp import web

from domain.ids import engagement_stream, kind, subject
from domain.recorded import Recorded
from projections.public_feed import Numbered, read_feed
from service.api.problems import Problem
from service.api.reading import only
from service.api.views import event_view
from service.store.errors import as_unavailable
from service.store.limits import STREAM, storable
from service.tail import Tail

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

log = structlog.get_logger("coverd.api")

PAGE = 100
"""Events read at once; no more than these are held for a client that reads slowly."""

TICK = 0.25
"""Seconds after which a quiet stream looks whether its client is still there."""

HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # a proxy must hand on each event as it comes
}


class FeedRoutes:
    """``heartbeat`` is how many seconds a stream stays silent at most."""

    def __init__(self, pool: "Pool", tail: Tail, *, heartbeat: float = 15.0) -> None:
        self._pool = pool
        self._tail = tail
        self._heartbeat = heartbeat
        self._streams: set[asyncio.Timeout] = set()
        self._over = False

    async def stream(self, request: web.Request) -> web.StreamResponse:
        only(request, "cursor", "engagement")
        stream_id = _stream_id(request)
        after = await self._beginning(request)
        response = web.StreamResponse(headers=HEADERS)
        try:
            async with asyncio.timeout(None) as until_told:
                self._streams.add(until_told)
                try:
                    await self._send(request, response, after, stream_id)
                finally:
                    self._streams.discard(until_told)
        except ConnectionError:
            return response  # the client has gone
        except TimeoutError:
            pass  # `end` said so
        except Exception as problem:
            # Too late for a problem in JSON. The client comes back, and goes on where it was.
            log.warning("feed_broke_off", error=type(problem).__name__)
        await _finish(request, response)
        return response

    async def end(self, _app: web.Application) -> None:
        """End every stream now, also one whose client doesn't read."""
        self._over = True
        for until_told in self._streams:
            until_told.reschedule(asyncio.get_running_loop().time())

    async def _beginning(self, request: web.Request) -> int:
        """The place to go on from. A browser that comes back repeats its URL, so the header counts first."""
        reached = await self._tail.refresh()
        given = request.headers.get("Last-Event-ID", request.query.get("cursor"))
        if given is None:
            return reached
        seq = seq_of(given)
        if seq is None or seq > reached:
            raise Problem(400, "This cursor is not one of ours; leave it out to begin with what comes next.")
        return seq

    async def _send(
        self, request: web.Request, response: web.StreamResponse, after: int, stream_id: str | None
    ) -> None:
        await response.prepare(request)
        # A client that is cut off before the first event knows already where to go on.
        await response.write(f"id: {cursor_of(after)}\n\n".encode())
        clock = asyncio.get_running_loop().time
        silent_since = clock()
        with self._tail.followed():
            while not self._over and _is_there(request):
                if await self._tail.beyond(after, TICK):
                    sent, after = await self._send_page(response, after, stream_id)
                    silent_since = clock() if sent else silent_since
                if clock() - silent_since >= self._heartbeat:
                    await response.write(b": nothing new\n\n")
                    silent_since = clock()

    async def _send_page(
        self, response: web.StreamResponse, after: int, stream_id: str | None
    ) -> tuple[int, int]:
        """Send what follows, waiting for a client that is behind; how many, and the place reached."""
        reached = self._tail.reached  # asked before reading: up to here, nothing is still to come
        with as_unavailable():
            page = await read_feed(self._pool, after, PAGE, stream_id)
        if page:
            await response.write(b"".join(map(_block, page)))
        last = page[-1].seq if page else after
        return len(page), last if len(page) == PAGE else max(last, reached)


def _stream_id(request: web.Request) -> str | None:
    engagement = request.query.get("engagement")
    if engagement is None:
        return None
    stream_id = engagement_stream(engagement)
    if not engagement or not storable(stream_id, STREAM):
        raise Problem(400, "No engagement can have this id.")
    return stream_id


def _block(event: Numbered) -> bytes:
    data = orjson.dumps(_view(event.recorded)).decode()
    return f"id: {cursor_of(event.seq)}\nevent: {event.recorded.type}\ndata: {data}\n\n".encode()


def _view(recorded: Recorded) -> dict[str, Any]:
    """The event as the history shows it, with the engagement it is about, if it is about one."""
    view = event_view(recorded)
    if kind(recorded.stream_id) == "engagement":
        view["engagement_id"] = subject(recorded.stream_id)
    return view


def cursor_of(seq: int) -> str:
    return urlsafe_b64encode(f"feed:{seq}".encode()).decode().rstrip("=")


def seq_of(cursor: str) -> int | None:
    """The number a cursor was made of; None when it was not made here."""
    try:
        seq = int(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).removeprefix(b"feed:"))
    except ValueError:
        return None
    return seq if seq >= 0 and cursor_of(seq) == cursor else None


def _is_there(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


async def _finish(request: web.Request, response: web.StreamResponse) -> None:
    if request.transport is not None and request.protocol.writing_paused:
        # Its client doesn't read, so a clean end would wait for it. Cut off, it comes back like any other.
        request.transport.abort()
        return
    with suppress(ConnectionError):
        await response.write_eof()
