"""The store goes away while deliveries are processed: once it is back they go on, before any lease ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise

import orjson
import pytest

from domain.rules import Rules
from service.config import EXAMPLE, ConfigFile
from service.handle import Handler
from service.ingest.process import Processor
from service.metrics import Metrics
from service.ports import Delivery
from service.store.arrivals import LEASE
from service.store.errors import StoreUnavailable
from service.store.memory import MemoryStore

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
"""Time stands still here, so no lease ever ends."""

LONG_AGO = NOW - 2 * LEASE
"""When a process received what it died with."""


class Shaky(MemoryStore):
    """Away while ``away`` names the method that is asked."""

    def __init__(self) -> None:
        super().__init__(lambda: NOW)
        self.away: set[str] = set()
        self.refused = asyncio.Event()
        self.refused_at: list[float] = []
        self.applied: asyncio.Queue[str] = asyncio.Queue()

    def _ask(self, method: str) -> None:
        if method in self.away:
            self.refused.set()
            self.refused_at.append(asyncio.get_running_loop().time())
            raise StoreUnavailable(why="a test took it away")

    async def delivery(self, *given):  # type: ignore[no-untyped-def]
        self._ask("delivery")
        return await super().delivery(*given)

    async def append(self, *given):  # type: ignore[no-untyped-def]
        self._ask("append")
        return await super().append(*given)

    async def settle_delivery(self, delivery_id, outcome, *more):  # type: ignore[no-untyped-def]
        self._ask("settle_delivery")
        await super().settle_delivery(delivery_id, outcome, *more)
        if outcome == "applied":
            self.applied.put_nowait(delivery_id)


@asynccontextmanager
async def processing(store: Shaky, sweep_seconds: float = 0.001) -> AsyncIterator[Processor]:
    rules: Rules = ConfigFile(None, EXAMPLE)().rules
    config = ConfigFile(None, EXAMPLE)
    made = Processor(
        store, Handler(store, lambda: rules), config, lambda: NOW, Metrics(), sweep_seconds=sweep_seconds
    )
    made.start()
    try:
        yield made
    finally:
        await made.stop()


def news(number: int, received_at: datetime = NOW) -> Delivery:
    names = {"offer": {"id": f"of_{number}"}, "contract": {"id": f"c_{number}"}}
    body = {"id": f"ev_{number}", "type": "offer.accepted", "createdAt": 1, "data": names}
    return Delivery("upwork", f"body:ev_{number}", orjson.dumps(body), {}, "token: ok", received_at)


async def all_applied(store: Shaky, ids: list[str]) -> None:
    left = set(ids)
    async with asyncio.timeout(10):
        while left:
            left.discard(await store.applied.get())


@pytest.mark.parametrize("method", ["delivery", "append", "settle_delivery"])
async def test_what_was_just_received_is_taken_up_again(method: str) -> None:
    store = Shaky()
    async with processing(store) as processor:
        ids = [(await store.receive(news(number)))[0] for number in range(3)]
        store.away.add(method)
        for id in ids:
            processor.soon(id)
        await store.refused.wait()
        store.away.clear()
        await all_applied(store, ids)


@pytest.mark.parametrize("method", ["append", "settle_delivery"])
async def test_what_a_sweep_had_claimed_is_taken_up_again(method: str) -> None:
    store = Shaky()
    ids = [(await store.receive(news(number, LONG_AGO)))[0] for number in range(3)]
    store.away.add(method)
    async with processing(store):
        await store.refused.wait()
        store.away.clear()
        await all_applied(store, ids)


async def test_a_store_that_is_away_is_asked_no_more_often_than_by_a_sweep() -> None:
    store = Shaky()
    async with processing(store, sweep_seconds=0.05) as processor:
        id, _ = await store.receive(news(1))
        store.away.add("delivery")
        processor.soon(id)
        while len(store.refused_at) < 5:
            store.refused.clear()
            await store.refused.wait()
        store.away.clear()
        await all_applied(store, [id])
    sweeps = store.refused_at[1:]  # the first was asked by whoever made it due
    assert min(later - at for at, later in pairwise(sweeps)) > 0.04
