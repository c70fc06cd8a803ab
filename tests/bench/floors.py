"""What the machine can do without coverd: each server the least that still answers the same question."""

import asyncio
import os
import sys
from collections import deque
from collections.abc import Awaitable, Callable

import asyncpg
from aiohttp import web

from domain.ids import bucket_of

TABLE = (
    """CREATE TABLE IF NOT EXISTS bench_floor (id bigint GENERATED ALWAYS AS IDENTITY, body bytea NOT NULL)"""
)
INSERT = "INSERT INTO bench_floor (body) VALUES ($1)"
GATHERED = "INSERT INTO bench_floor (body) SELECT unnest($1::bytea[])"
READ = "SELECT version, state, status::text FROM coverd.stream WHERE bucket = $1 AND stream_id = $2"
OWN_LINES = 8

Handler = Callable[[web.Request], Awaitable[web.Response]]
JSON = "application/json"


async def bare() -> Handler:
    """Read the body and answer."""

    async def handle(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=202, body=b'{"duplicate":false}', content_type=JSON)

    return handle


async def insert() -> Handler:
    """One INSERT and so one commit a request, over lines of its own."""
    lines = await _lines(INSERT)

    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        await lines.run(body)
        return web.Response(status=202, body=b'{"duplicate":false}', content_type=JSON)

    return handle


async def gathered() -> Handler:
    """The bodies that arrive while a commit is under way go together into the next."""
    lines = await _lines(GATHERED, 1)
    waiting: list[tuple[bytes, asyncio.Future[None]]] = []
    busy = False

    async def flush() -> None:
        nonlocal busy
        while waiting:
            batch, waiting[:] = list(waiting), []
            await lines.run([body for body, _ in batch])
            for _, done in batch:
                done.set_result(None)
        busy = False

    async def handle(request: web.Request) -> web.Response:
        nonlocal busy
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append((await request.read(), done))
        if not busy:
            busy = True
            flushing.append(asyncio.create_task(flush()))
        await done
        return web.Response(status=202, body=b'{"duplicate":false}', content_type=JSON)

    flushing: deque[asyncio.Task[None]] = deque(maxlen=2)
    return handle


async def read() -> Handler:
    """One read by primary key over lines of its own, answered as it lies there."""
    lines = await _lines(READ)

    async def handle(request: web.Request) -> web.Response:
        stream_id = f"engagement:{request.match_info['id']}"
        row = (await lines.run(bucket_of(stream_id), stream_id))[0]
        return web.Response(text=row[2], content_type=JSON)

    return handle


class _Lines:
    """Connections of our own, each with the one statement prepared."""

    def __init__(self, lines: "list[asyncpg.prepared_stmt.PreparedStatement]") -> None:
        self._free: asyncio.LifoQueue[asyncpg.prepared_stmt.PreparedStatement] = asyncio.LifoQueue()
        for line in lines:
            self._free.put_nowait(line)

    async def run(self, *arguments: object) -> list[asyncpg.Record]:
        line = await self._free.get()
        try:
            return await line.fetch(*arguments)
        finally:
            self._free.put_nowait(line)


async def _lines(statement: str, count: int = OWN_LINES) -> _Lines:
    found = []
    for _ in range(count):
        connection = await asyncpg.connect(os.environ["DSN"])
        if "bench_floor" in statement:
            await connection.execute(TABLE)
        found.append(await connection.prepare(statement))
    return _Lines(found)


async def main(kind: str) -> None:
    app = web.Application()
    handle = await {"bare": bare, "insert": insert, "gathered": gathered, "read": read}[kind]()
    app.router.add_post("/webhooks/1099policy", handle)
    app.router.add_get("/v1/engagements/{id}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    sys.stderr.write(f"http://127.0.0.1:{runner.addresses[0][1]}\n")
    sys.stderr.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        import uvloop

        run = uvloop.run
    except ImportError:
        run = asyncio.run
    run(main(sys.argv[1]))
