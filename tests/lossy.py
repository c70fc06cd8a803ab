"""A road between a vendor and coverd on which webhooks are lost, doubled and overtake each other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import aiohttp
import orjson
from aiohttp import web

TOGETHER = 12
"""So many webhooks wait for each other and go on in any order."""

Sent = tuple[str, bytes, dict[str, str]]


@dataclass
class Road:
    """Answers every webhook with 202 and then loses a tenth, doubles a tenth and shuffles them all."""

    random: Random
    session: aiohttp.ClientSession
    target: str = ""
    lost: int = 0
    doubled: int = 0
    heard_of: set[str] = field(default_factory=set)
    """Contracts of which some news got through."""
    _held: list[Sent] = field(default_factory=list)
    _under_way: set["asyncio.Task[None]"] = field(default_factory=set)

    async def take(self, request: web.Request) -> web.Response:
        kept = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_PASSED}
        sent = (request.path, await request.read(), kept)
        chance = self.random.random()
        if chance < 0.1:
            self.lost += 1
        else:
            self.doubled += chance < 0.2
            self._held += [sent, sent] if chance < 0.2 else [sent]
        if len(self._held) >= TOGETHER:
            task = asyncio.create_task(self._send_on())
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return web.Response(status=202)

    async def let_go(self) -> None:
        """Send on what is held, and wait for all that is under way."""
        await asyncio.gather(self._send_on(), *self._under_way)

    async def _send_on(self) -> None:
        held, self._held = self._held, []
        self.random.shuffle(held)
        for path, body, headers in held:
            async with self.session.post(self.target + path, data=body, headers=headers) as answered:
                assert answered.status in (200, 202), await answered.text()
            contract = orjson.loads(body)["data"].get("contract")
            self.heard_of |= {contract["id"]} if contract else set()


_NOT_PASSED = {"host", "content-length", "accept-encoding", "transfer-encoding"}


@asynccontextmanager
async def road(seed: int) -> AsyncIterator[tuple[Road, str]]:
    """The road and the base URL at which it begins; give it a target before anything is sent."""
    async with aiohttp.ClientSession() as session:
        made = Road(Random(seed), session)
        app = web.Application()
        app.router.add_post("/webhooks/{source}", made.take)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield made, f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()
