"""Two real processes fetch one access token between them, also when one is killed while it fetches."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer
from vendor_double import TOKEN

ASKER = Path(__file__).parents[1] / "token_asker.py"
ROOT = ASKER.parents[1]


@dataclass
class Upwork:
    """Gives out a new token each time it is asked, but not before it ``may_answer``."""

    asked: int = 0
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def give(self, _: web.Request) -> web.Response:
        self.asked += 1
        number = self.asked
        self.was_asked.set()
        await self.may_answer.wait()
        return web.json_response({"access_token": f"oauth2v2_{number}", "expires_in": 86_400})


@dataclass
class Asker:
    process: asyncio.subprocess.Process

    async def tell(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()

    async def says(self) -> str:
        assert self.process.stdout
        return (await self.process.stdout.readline()).decode().strip()


@asynccontextmanager
async def upwork() -> AsyncIterator[tuple[Upwork, str]]:
    vendor, app = Upwork(), web.Application()
    app.router.add_post(TOKEN, vendor.give)
    async with TestServer(app) as server:
        try:
            yield vendor, str(server.make_url("")).rstrip("/")
        finally:
            vendor.may_answer.set()


@asynccontextmanager
async def asker(database_url: str, url: str, ahead: float = 0.0) -> AsyncIterator[Asker]:
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, str(ASKER), database_url, url, str(ahead))
    env = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=env)
    made = Asker(process)
    try:
        assert await made.says() == "ready"
        yield made
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_two_processes_that_ask_at_once_fetch_one_and_one_more_when_it_is_refused(
    database_url: str,
) -> None:
    async with upwork() as (vendor, url), asker(database_url, url) as one, asker(database_url, url) as other:
        for number in (1, 2):
            for process in (one, other):
                await process.tell("ask")
            for process in (one, other):
                assert await process.says() == "asking"
            await vendor.was_asked.wait()
            vendor.may_answer.set()
            told = [await process.says() for process in (one, other)]
            assert told == [f"oauth2v2_{number}"] * 2
            assert vendor.asked == number
            vendor.was_asked.clear()
            vendor.may_answer.clear()
            for process in (one, other):
                await process.tell(f"spoiled oauth2v2_{number}")


async def test_one_that_is_killed_while_it_fetches_holds_the_other_up_for_a_minute(database_url: str) -> None:
    async with upwork() as (vendor, url):
        async with asker(database_url, url) as killed:
            await killed.tell("ask")
            await vendor.was_asked.wait()
            killed.process.kill()
            await killed.process.wait()
        vendor.may_answer.set()
        async with asker(database_url, url, ahead=61.0) as other:
            await other.tell("ask")
            assert [await other.says() for _ in range(2)] == ["asking", "oauth2v2_2"]
    assert vendor.asked == 2
