"""What the short way answers, in the words of the long one: webhooks, and an engagement's status."""

import asyncio
import re
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from service.api.auth import Door
from service.api.engagements import unchanged
from service.api.keys import SERVER
from service.api.plain import Plain
from service.api.problems import PROBLEM_JSON, body_of, problem_in
from service.api.refusals import Refusals
from service.api.request_ids import request_id
from service.api.statuses import Shown, Statuses
from service.ingest.keeping import Kept
from service.ingest.webhooks import Source, Webhooks
from service.metrics import Metrics
from service.store.errors import StoreUnavailable

LINES = re.compile(
    rb"POST /webhooks/(?:upwork|1099policy) HTTP/1\.1"
    rb"|GET /v1/engagements/[A-Za-z0-9][A-Za-z0-9._~-]{0,199} HTTP/1\.1"
)
"""The first lines of requests that go this way."""

SOURCES: dict[str, Source] = {"/webhooks/upwork": "upwork", "/webhooks/1099policy": "1099policy"}

ALWAYS = f"Server: {SERVER}\r\nX-Content-Type-Options: nosniff\r\n"

JSON = "Content-Type: application/json\r\n"

Answer = Callable[[bytes, bool, float], None]
"""Takes the whole response, whether the connection closes then, and in how many seconds that is to be: 0 for
all but refusals."""


class Short:
    """Answers `Plain` requests, each once, now or later; see `lane.Lanes`."""

    def __init__(
        self,
        webhooks: Webhooks,
        statuses: Statuses,
        door: Door,
        metrics: Metrics,
        refusals: Refusals,
        leaving: asyncio.Event,
    ) -> None:
        self._webhooks = webhooks
        self._statuses = statuses
        self._door = door
        self._metrics = metrics
        self._refusals = refusals
        self._leaving = leaving

    def respond(self, request: Plain, answer: Answer) -> None:
        exchange = _Exchange(request, answer, self._metrics, self._refusals, self._leaving)
        try:
            self._door.admit(request.method, request.path, request.headers)
            if request.method == "POST":
                self._webhook(SOURCES[request.path], exchange)
            else:
                self._status(exchange)
        except Exception as error:
            exchange.failed(error)

    def _webhook(self, source: Source, exchange: "_Exchange") -> None:
        def then(kept: Kept | Exception) -> None:
            if isinstance(kept, Exception):
                if isinstance(kept, StoreUnavailable):
                    self._metrics.delivered(source, "503")
                exchange.failed(kept)
            else:
                status, body = self._webhooks.said(source, kept)
                exchange.end(status, JSON, body)

        request = exchange.request
        self._webhooks.keeper.keep(self._webhooks.proven(source, request.headers, request.body), then)

    def _status(self, exchange: "_Exchange") -> None:
        def done(found: asyncio.Future[Shown]) -> None:
            try:
                shown = found.result()
            except Exception as error:
                exchange.failed(error)
                return
            headers = f"ETag: {shown.tag}\r\nCache-Control: {self._statuses.cache_control(shown)}\r\n"
            if unchanged(exchange.request.headers.get("If-None-Match"), shown.tag):
                exchange.end(304, headers, b"")
            else:
                exchange.end(200, JSON + headers, shown.body)

        engagement_id = exchange.request.path.rpartition("/")[2]
        asyncio.ensure_future(self._statuses.of(engagement_id)).add_done_callback(done)


class _Exchange:
    """One request and its one answer."""

    __slots__ = ("_answer", "_began", "_id", "_leaving", "_metrics", "_refusals", "request")

    def __init__(
        self, request: Plain, answer: Answer, metrics: Metrics, refusals: Refusals, leaving: asyncio.Event
    ) -> None:
        self.request = request
        self._answer = answer
        self._metrics = metrics
        self._refusals = refusals
        self._leaving = leaving
        self._id = request_id(request.headers.get("X-Request-Id"))
        self._began = time.perf_counter()

    @property
    def _route(self) -> str:
        return self.request.path if self.request.method == "POST" else "/v1/engagements/{id}"

    def failed(self, error: Exception) -> None:
        problem = problem_in(error, self._id, self._route)
        more = "".join(f"{name}: {value}\r\n" for name, value in problem.headers.items())
        self.end(problem.status, f"Content-Type: {PROBLEM_JSON}\r\n{more}", body_of(problem, self._id))

    def end(self, status: int, headers: str, body: bytes) -> None:
        """``headers`` as lines."""
        took = time.perf_counter() - self._began
        self._metrics.requests.add((self._route, self.request.method, str(status)), took)
        length = "" if status == 304 else f"Content-Length: {len(body)}\r\n"
        date = _date(int(time.time()))
        ours = f"X-Request-Id: {self._id}\r\nDate: {date}\r\n{ALWAYS}"
        wait, ends = self._refusals.wait() if status == 401 else (0.0, False)
        closes = ends or self._leaving.is_set()
        last = "Connection: close\r\n" if closes else ""
        whole = f"{_first(status)}{headers}{ours}{last}{length}\r\n".encode() + body
        self._answer(whole, closes, wait)


@lru_cache
def _first(status: int) -> str:
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
