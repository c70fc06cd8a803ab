"""graphql_engagements_per_request: how many engagements one request to Upwork reads under load.

The real client at ten requests a second against the sandbox, which executes GraphQL; and coverd as it is
served, at its own pace, with a vendor that answers at once.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import aiohttp

from bench import requests
from bench.load import Generator
from bench.processes import Database, Server, served, upwork_sandbox, vendors
from bench.report import Figure, percentile
from bench.whole_job import vendor_set, vendor_stats
from service import settings
from service.clients.documents import COMBINED
from service.clients.pace import Pace
from service.clients.upwork import Upwork

CONTRACTS = 250
READS = 2500
WAITING = 200
"""Reads under way at once."""
A_SECOND = 10
"""Requests."""
LONE = 20
OFFERS = 1000
PATIENCE = 120
READS_WAITING = "SELECT count(*) FROM coverd.effect WHERE kind = 'ReadContract'"
FREELANCER = {"displayName": "Ava Nguyen", "location": {"country": "US", "region": "CA"}}
TOKEN = {"grant_type": "client_credentials", "client_id": "sandbox-client", "client_secret": "sandbox-secret"}


async def run(db: Database, load: Generator, say: Callable[[str], None]) -> list[Figure]:
    async with upwork_sandbox() as sandbox, aiohttp.ClientSession() as session:
        there = Sandbox(session, f"http://127.0.0.1:{sandbox.port}")
        contracts = await there.contracts(CONTRACTS)
        client = there.client()
        lone, bare = await _lone(client, there, contracts)
        say(f"a lone read takes {lone:.1f} ms, the request alone {bare:.1f} ms")
        before = await there.asked()
        seconds, took, right = await _many(client, contracts)
        asked = await there.asked() - before
    served_each, served_rate, served_right = await _served(db, load)
    each, rate = READS / asked, READS / seconds
    times = percentile(took, 0.5) * 1000, percentile(took, 0.99) * 1000
    right = right and served_right and asked <= A_SECOND * seconds + 1
    note = f"floor: the aim; a backlog, as served: {served_each:.1f} and {served_rate:.0f}/s"
    alone = f"floor: the aim; at {asked / seconds:.1f} requests/s; lone {lone:.1f} ms, bare {bare:.1f} ms"
    return [
        Figure("graphql_engagements_per_request", each, "engagements", right, 20.0, each / 20, *times, note),
        Figure("graphql_engagements_per_second", rate, "engagements/s", right, 200.0, rate / 200, note=alone),
    ]


@dataclass
class Sandbox:
    session: aiohttp.ClientSession
    url: str

    def client(self) -> Upwork:
        there = settings.read({**settings.SANDBOX, "COVERD_UPWORK_URL": self.url}).upwork
        return Upwork(self.session, there, turn=Pace(1 / A_SECOND).turn)

    async def contracts(self, count: int) -> list[tuple[str, str, str]]:
        """Made for the run: each one's id, its freelancer's, and its title."""
        made = []
        for number in range(count):
            work = {"contract": {"title": f"Work {number}"}, "freelancer": FREELANCER}
            async with self.session.post(f"{self.url}/_control/contracts", json=work) as answer:
                shown = await answer.json()
            made.append((shown["contract"]["id"], shown["freelancer"]["id"], f"Work {number}"))
        return made

    async def asked(self) -> int:
        """How many GraphQL requests came so far."""
        async with self.session.get(f"{self.url}/_control/calls") as answer:
            return int((await answer.json())["by_route"]["POST /graphql"])

    async def bare(self, token: str, contract: str, freelancer: str) -> None:
        """One read's request by itself."""
        body = {
            "query": COMBINED[0],
            "variables": {"contractId": contract, "freelancerId": freelancer},
        }
        headers = {"Authorization": f"Bearer {token}"}
        async with self.session.post(f"{self.url}/graphql", json=body, headers=headers) as answer:
            await answer.read()

    async def token(self) -> str:
        async with self.session.post(f"{self.url}/api/v3/oauth2/token", data=TOKEN) as answer:
            return str((await answer.json())["access_token"])


async def _lone(
    client: Upwork, there: Sandbox, contracts: Sequence[tuple[str, str, str]]
) -> tuple[float, float]:
    """Medians in milliseconds: of reads that each find a free turn, and of their requests alone."""
    token, lone, bare = await there.token(), list[float](), list[float]()
    for contract, freelancer, _ in contracts[:LONE]:
        for took, ask in (
            (lone, client.read(contract, freelancer)),
            (bare, there.bare(token, contract, freelancer)),
        ):
            await asyncio.sleep(1 / A_SECOND)
            began = time.perf_counter()
            await ask
            took.append(time.perf_counter() - began)
    return percentile(lone, 0.5) * 1000, percentile(bare, 0.5) * 1000


async def _many(client: Upwork, contracts: Sequence[tuple[str, str, str]]) -> tuple[float, list[float], bool]:
    """Seconds for all, how long each took, and whether each was told of its own contract."""
    todo = iter([contracts[number % len(contracts)] for number in range(READS)])
    took: list[float] = []
    wrong = 0

    async def one_after_another() -> None:
        nonlocal wrong
        for contract, freelancer, title in todo:
            began = time.perf_counter()
            wrong += (await client.read(contract, freelancer)).title != title
            took.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(one_after_another() for _ in range(WAITING)))
    return time.perf_counter() - began, took, wrong == 0 and len(took) == READS


async def _served(db: Database, load: Generator) -> tuple[float, float, bool]:
    """Engagements per request and per second of a process that keeps Upwork's limits, once many offers wait;
    and whether each was read once."""
    async with vendors() as vendor, served(db, vendor) as subject:
        await vendor_set(vendor, subject.port)
        await _tell(subject, "pause")
        await load.prepare(requests.offers, 40_000_000, OFFERS)
        await load.run(subject.port, 16)
        async with db.connection() as conn:
            await _grown(lambda: conn.fetchval(READS_WAITING))
        await _tell(subject, "resume")

        async def read() -> int:
            return int((await vendor_stats(vendor))["read"])

        await _grown(read)
        stats = await vendor_stats(vendor)
    first = min(stats["first_asked"].values())
    seconds = max(stats["first_asked"].values()) - first
    asked = stats["asked"]["POST /graphql"]
    return stats["read"] / asked, OFFERS / seconds, stats["read"] == OFFERS == len(stats["first_asked"])


async def _tell(subject: Server, act: str) -> None:
    url = f"http://127.0.0.1:{subject.port}/v1/vendors/upwork/{act}"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, json={"reason": "the offers gather"}) as answer,
    ):
        assert answer.status < 300, await answer.text()


async def _grown(count: Callable[[], Awaitable[int]]) -> None:
    """Wait until it counts all offers."""
    until = time.monotonic() + PATIENCE
    while (counted := await count()) < OFFERS:
        if time.monotonic() > until:
            raise TimeoutError(f"{counted} of {OFFERS}")
        await asyncio.sleep(0.1)
