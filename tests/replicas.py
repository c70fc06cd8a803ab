"""Replicas of the worker on one store, each with the real clients, and the two vendors they talk to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from aiohttp import ClientSession
from contracts.given import NOON, Clock
from golden_guide import CONTRACT, FREELANCER
from graphql_double import answered
from vendor_double import PROOF, TOKEN, Asked, Says, Vendor, created, token, vendor

from domain import commands as c
from domain.effects import Effect
from domain.ids import engagement_stream
from domain.react import wanted
from domain.state import Engagement
from service.clients.ten99policy import Ten99Policy
from service.clients.upwork import Upwork
from service.clock import epoch
from service.config import EXAMPLE, ConfigFile
from service.effects.perform import Desk
from service.effects.worker import Worker
from service.handle import Handler, Origin
from service.metrics import Metrics
from service.ports import EffectRow, Store
from service.settings import Secret, Ten99PolicySettings, UpworkSettings
from service.store.memory import MemoryStore
from service.vendors.gate import Gate
from service.vendors.report import VendorReport

CONFIG = ConfigFile(None, EXAMPLE)


async def at_once() -> None:
    """Every turn is there."""


def contract(asked: Asked) -> Says:
    """What Upwork answers when nothing else is told: a token, or whatever contract is asked for."""
    if asked.path == TOKEN:
        return token(1)
    return answered(
        asked.json, lambda root, id: (CONTRACT if root == "contract" else FREELANCER) | {"id": id}
    )


def nobody_yet(asked: Asked) -> Says:
    """What 1099Policy answers when nothing else is told: lists are empty, and something is made."""
    return Says(200, {"data": []}) if asked.method == "GET" else created(asked)


class Replica:
    """One process: its sweeps are taken by hand, and it looks at the store before each."""

    def __init__(self, store: Store, upwork: Upwork, ten99policy: Ten99Policy, clock: Clock) -> None:
        self.handler = Handler(store, CONFIG.rules)
        self.gate = Gate(store, clock)
        self.report = VendorReport(store, self.gate, clock)
        self.metrics = Metrics()
        desk = Desk(store, self.handler, upwork, ten99policy, CONFIG, clock)
        self.worker = Worker(desk, self.metrics, sweep_seconds=0.0, gate=self.gate)

    async def sweep(self) -> int:
        """One sweep, and what it took to its end; how many it took."""
        self.gate._looks_at = 0.0
        taken = await self.worker._sweep_once()
        await asyncio.gather(*self.worker._running)
        return taken

    async def work(self) -> None:
        """Until nothing is due."""
        while await self.sweep():
            pass


@dataclass
class Scene:
    store: Store
    clock: Clock
    upwork: Vendor
    ten99policy: Vendor
    make: Callable[..., Replica]

    async def offer(self, engagement_id: str) -> None:
        """An accepted offer, as a webhook brings it."""
        origin = Origin(f"delivery-{engagement_id}", "d", "webhook:upwork")
        offer = c.AcceptOffer(epoch(NOON), f"of_{engagement_id}", f"fl_{engagement_id}", None)
        await Handler(self.store, CONFIG.rules).engagement(engagement_id, offer, origin)

    async def effects(self, engagement_id: str) -> dict[str, EffectRow]:
        rows = await self.store.effects_of(engagement_stream(engagement_id))
        return {row.kind: row for row in rows if row.channel != "coverd"}

    async def engagement(self, engagement_id: str) -> Engagement:
        return await Handler(self.store, CONFIG.rules).load(engagement_id)

    async def wants(self, engagement_id: str) -> list[type[Effect]]:
        return [type(w.effect) for w in wanted(await self.engagement(engagement_id))]


@asynccontextmanager
async def scene(store: Store | None = None, clock: Clock | None = None) -> AsyncIterator[Scene]:
    clock = clock or Clock()
    store = store or MemoryStore(clock)
    async with vendor(contract) as (seen_upwork, at_upwork), vendor(nobody_yet) as (seen, at_1099policy):

        def make(dialect: Literal["guide", "reference"] = "guide") -> Replica:
            reading = _upwork(seen_upwork, at_upwork, clock, dialect)
            return Replica(store, reading, _ten99policy(seen, at_1099policy, clock), clock)

        yield Scene(store, clock, seen_upwork, seen, make)


def _upwork(
    double: Vendor, session: ClientSession, clock: Clock, dialect: Literal["guide", "reference"]
) -> Upwork:
    settings = UpworkSettings(
        url=double.base,
        token_url=double.base,
        client_id="sandbox-client",
        client_secret=Secret("sandbox-secret"),
        tenant_id=None,
        dialect=dialect,
        proof=PROOF,
    )
    return Upwork(session, settings, clock, turn=at_once)


def _ten99policy(double: Vendor, session: ClientSession, clock: Clock) -> Ten99Policy:
    settings = Ten99PolicySettings(
        url=double.base,
        api_key=Secret("t9k_test_sandbox"),
        environment="sandbox",
        dialect="guide",
        proof=PROOF,
    )
    return Ten99Policy(session, settings, clock)
