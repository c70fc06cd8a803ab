"""Before the replicas: hands each request to one that answers, and remembers what was accepted."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count

import aiohttp
import orjson
from aiohttp import web

HOP = frozenset({"host", "connection", "content-length", "transfer-encoding", "keep-alive"})

PATIENCE = 5.0
"""Seconds until another is asked, though the first may still do it."""


class Balancer:
    """``accepted`` holds (source, id) of every delivery that was answered 2xx; ``unanswered`` counts requests
    that no replica took; ``slowest_refusal`` is the seconds until one answered 503, and what was broken last.
    """

    def __init__(self) -> None:
        self.targets: Sequence[str] = ()
        self.accepted: set[tuple[str, str]] = set()
        self.refused: dict[int, int] = {}
        self.unanswered = 0
        self.slowest_refusal = (0.0, "")
        self.during = ""
        self.url = ""
        self._turn = count()
        self._session: aiohttp.ClientSession | None = None

    async def _hand_on(self, request: web.Request) -> web.Response:
        body = await request.read()
        first = next(self._turn)
        for n in range(len(self.targets)):
            target = self.targets[(first + n) % len(self.targets)]
            began = time.monotonic()
            try:
                told = await self._asked(target, request, body)
            except (aiohttp.ClientError, TimeoutError, ConnectionError):
                continue
            if told.status == 503 and request.path.startswith("/webhooks/"):
                took = time.monotonic() - began, self.during
                self.slowest_refusal = max(self.slowest_refusal, took)
            if told.status != 503 or n == len(self.targets) - 1:
                self._note(request, body, told.status)
                return told
        self._note(request, body, 503)
        self.unanswered += 1
        return web.Response(status=503, headers={"Retry-After": "1"})

    async def _asked(self, target: str, request: web.Request, body: bytes) -> web.Response:
        assert self._session is not None
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP}
        async with self._session.request(
            request.method, target + request.raw_path, data=body, headers=headers
        ) as answered:
            content = await answered.read()
            kind = {"Content-Type": answered.headers.get("Content-Type", "application/octet-stream")}
            return web.Response(status=answered.status, body=content, headers=kind)

    def _note(self, request: web.Request, body: bytes, status: int) -> None:
        if request.path.startswith("/webhooks/"):
            if status in (200, 202):
                self.accepted.add((request.path.rpartition("/")[2], str(orjson.loads(body)["id"])))
            else:
                self.refused[status] = self.refused.get(status, 0) + 1


@asynccontextmanager
async def balancer() -> AsyncIterator[Balancer]:
    made = Balancer()
    app = web.Application(client_max_size=32 * 1024 * 1024)
    app.router.add_route("*", "/{any:.*}", made._hand_on)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    # As many connections as are asked for: readers that hang must not hold up deliveries here.
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        made._session = session
        try:
            yield made
        finally:
            await runner.cleanup()
            await asyncio.sleep(0)
