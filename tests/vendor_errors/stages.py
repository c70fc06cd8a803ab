"""An engagement between two vendors, which answer the one call that a row is about as the row says."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.utils import format_datetime
from itertools import count
from typing import Any

import aiohttp
from contracts.given import NOON, Clock
from replicas import CONFIG, Replica, Scene, scene
from vendor_double import Asked, Says
from vendor_errors.client import ENDS, FREELANCER_ID, ID, Client
from vendor_errors.ledger import Ledger
from vendor_errors.rows import Row, dated
from yarl import URL

from domain import commands as c
from service.clients import http
from service.clock import epoch
from service.handle import Handler, Origin
from service.ports import Store

A_MOMENT = aiohttp.ClientTimeout(total=0.05)

_causes = count(1)


@dataclass
class Stage:
    """``armed``: from now on the row's call is answered as the row says."""

    row: Row
    scene: Scene
    replica: Replica
    ledger: Ledger
    client: Client
    armed: bool = False
    hits: int = 0
    first_key: str | None = None
    asked: list[Asked] = field(default_factory=list)
    """What the row is about, as it came in while armed."""

    def at_upwork(self, asked: Asked) -> Says:
        return self._faulty(asked, self.client)

    def at_1099policy(self, asked: Asked) -> Says:
        begun = self.row.to_all and self.row.vendor == "1099policy" and self.hits
        says = dated(self.row.says) if begun and self.armed else self._faulty(asked, self.ledger)
        date = {"Date": format_datetime(self.scene.clock(), usegmt=True)}
        return replace(says, headers=date | says.headers)

    def _faulty(self, asked: Asked, usual: Callable[[Asked], Says]) -> Says:
        query = asked.json["query"] if asked.path == "/graphql" else ""
        if not self.armed or not self.row.is_of(asked.method, asked.path, query):
            return usual(asked)
        self.asked.append(asked)
        key = asked.headers.get("Idempotency-Key")
        self.first_key = self.first_key or key
        if self.hits >= self.row.times or (self.row.stored and key != self.first_key):
            return usual(asked)
        self.hits += 1
        if self.row.made:
            usual(asked)
        return dated(self.row.says)

    def recover(self) -> None:
        self.armed = False

    async def tell(self, command: Callable[[int], c.EngagementCommand]) -> None:
        """A command of now, whoever gives it."""
        origin = Origin(f"told-{next(_causes)}", "d", "webhook:upwork")
        now = epoch(self.scene.clock())
        await Handler(self.scene.store, CONFIG.rules).engagement(ID, command(now), origin)

    async def work(self) -> None:
        await self.replica.work()

    async def offer(self) -> None:
        await self.tell(lambda now: c.AcceptOffer(now, "of_9001", FREELANCER_ID))
        await self.work()

    async def activate(self) -> None:
        await self.tell(lambda now: c.ActivateContract(now, "of_9001", FREELANCER_ID))
        await self.work()

    async def end(self) -> None:
        await self.tell(lambda now: c.EndContract(now, now))
        await self.work()


Place = Callable[[Stage], Awaitable[None]]


@contextmanager
def impatient(stage: Stage) -> Iterator[None]:
    """An answer that never comes is waited for only a moment, all others as long as ever."""
    send, patient = http.Http.send, http.TIMEOUT

    async def sent(self: http.Http, method: str, url: str, **more: Any) -> http.Answer:
        query = (more.get("json") or {}).get("query", "")
        never = stage.armed and not stage.hits and stage.row.is_of(method, URL(url).path, query)
        http.TIMEOUT = A_MOMENT if never else patient
        return await send(self, method, url, **more)

    http.Http.send = sent  # type: ignore[method-assign]
    try:
        yield
    finally:
        http.Http.send, http.TIMEOUT = send, patient  # type: ignore[method-assign]


@asynccontextmanager
async def stage_of(
    row: Row, place: Place, store: Store | None = None, clock: Clock | None = None
) -> AsyncIterator[Stage]:
    """In memory, or on a ``store`` that goes by ``clock``."""
    clock = clock or Clock()
    async with scene(store, clock) as set_up:
        stage = Stage(row, set_up, set_up.make(), Ledger(clock), Client())
        set_up.upwork._otherwise, set_up.ten99policy._otherwise = stage.at_upwork, stage.at_1099policy
        stage.ledger.policy = {
            "id": "pl_1",
            "status": "active",
            "created": epoch(NOON) - 86_400,
            "effective_date": epoch(NOON),
            "expiration_date": epoch(ENDS + timedelta(days=30)),
        }
        with impatient(stage) if row.says.ends == "never" else nullcontext():
            await place(stage)
            yield stage
