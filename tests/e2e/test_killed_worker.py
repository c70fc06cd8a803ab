"""A worker is killed after the vendor did what it was asked and before anybody here knows: done once."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import asyncpg
import pytest
from aiohttp import web
from chaos.world import CONFIGURATION
from e2e.conftest import hosted
from places import TOKEN
from served import ENOUGH, Served, served

from service.sandbox import ten99policy, upwork

pytestmark = pytest.mark.slow

CREATED = {
    "contractors": "POST /api/v1/contractors",
    "jobs": "POST /api/v1/jobs",
    "quotes": "POST /api/v1/quotes",
    "sessions": "POST /api/v1/apply/sessions",
}


@dataclass
class Between:
    """Hands requests on to 1099Policy, and keeps back the answer to ``withheld`` once."""

    vendor: str
    session: aiohttp.ClientSession
    withheld: str
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def hand_on(self, request: web.Request) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        url = self.vendor + request.raw_path
        asked = self.session.request(request.method, url, headers=headers, data=await request.read())
        async with asked as answer:
            body, kind = await answer.read(), answer.content_type
        if f"{request.method} {request.path}" == self.withheld and not self.done.is_set():
            self.done.set()
            await asyncio.Event().wait()
        return web.Response(status=answer.status, body=body, content_type=kind)


@asynccontextmanager
async def between(vendor: str, withheld: str) -> AsyncIterator[tuple[Between, str]]:
    async with aiohttp.ClientSession() as session:
        made = Between(vendor, session, withheld)
        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", "/{any:.*}", made.hand_on)
        async with hosted(app) as url:
            yield made, url


async def leases_end(database_url: str) -> None:
    """As time would have it."""
    owner = await asyncpg.connect(database_url)
    ended = await owner.execute("UPDATE coverd.effect SET wake_at = now() WHERE leased_until IS NOT NULL")
    await owner.execute("UPDATE coverd.inbox SET wake_at = now() WHERE wake_at IS NOT NULL")
    await owner.close()
    assert ended != "UPDATE 0", "the killed worker held an effect"


async def until_it_waits_for_the_opt_in(running: Served, session: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(ENOUGH):
        while True:
            async with session.get(f"{running.url}/v1/engagements/9001") as answer:
                if answer.status == 200 and (await answer.json())["state"] == "awaiting_opt_in":
                    return


@pytest.mark.parametrize("withheld", CREATED)
async def test_what_the_vendor_did_is_done_once(database_url: str, tmp_path: Path, withheld: str) -> None:
    configuration = tmp_path / "coverd.toml"
    configuration.write_text(CONFIGURATION)
    call = CREATED[withheld]
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        session = await enter(aiohttp.ClientSession())
        upwork_url = await enter(hosted(upwork.make_app(upwork.UpworkOptions())))
        vendor = await enter(hosted(ten99policy.make_app(ten99policy.Ten99PolicyOptions())))
        way, way_url = await enter(between(vendor, call))
        settings = {"upwork": upwork_url, "ten99policy": way_url, "COVERD_CONFIG": str(configuration)}

        async with served(database_url, **settings) as first:
            names = {"contract": {"id": "9001"}, "freelancer": {"id": "fl_12345"}, "offer": {"id": "of_9001"}}
            body = {"id": "ev_1", "type": "offer.accepted", "createdAt": 1, "data": names}
            async with session.post(f"{first.url}/webhooks/upwork", json=body, headers=TOKEN) as answer:
                assert answer.status == 202
            async with asyncio.timeout(ENOUGH):
                await way.done.wait()
            await first.end(signal.SIGKILL)
        await leases_end(database_url)
        async with served(database_url, **settings) as second:
            await until_it_waits_for_the_opt_in(second, session)

        async with session.get(f"{vendor}/_control/objects") as answer:
            objects = await answer.json()
        async with session.get(f"{vendor}/_control/calls") as answer:
            by_key = (await answer.json())["by_idempotency_key"]
    assert {kind: len(objects[kind]) for kind in CREATED} == dict.fromkeys(CREATED, 1)
    asked_again = 1 if withheld == "contractors" else 2  # a contractor is first looked for by the e-mail
    assert [seen["count"] for seen in by_key.values() if seen["method_path"] == call] == [asked_again]
