"""News that came before its engagement is taken up as soon as that appears, whichever process parked it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import orjson
import pytest

from domain import commands as c
from domain.rules import Rules
from service.config import EXAMPLE, ConfigFile
from service.handle import Handler, Origin
from service.ingest.process import Processor
from service.metrics import Metrics
from service.ports import Delivery, StoredDelivery
from service.store.memory import MemoryStore

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
NEVER = 3600.0


class Replica:
    """One process on the shared store: it sweeps only when told to look."""

    def __init__(self, store: MemoryStore) -> None:
        rules: Rules = ConfigFile(None, EXAMPLE)().rules
        self.handler = Handler(store, lambda: rules)
        self.processor = Processor(
            store, self.handler, ConfigFile(None, EXAMPLE), lambda: NOW, Metrics(), sweep_seconds=NEVER
        )
        self.handler.on_append = self.processor.ids_known


@asynccontextmanager
async def running(*replicas: Replica) -> AsyncIterator[None]:
    for replica in replicas:
        replica.processor.start()
    try:
        yield
    finally:
        for replica in replicas:
            await replica.processor.stop()


class Watched(MemoryStore):
    """Tells when a delivery was settled, and what happened just before one is parked."""

    def __init__(self) -> None:
        super().__init__(lambda: NOW)
        self.settled = asyncio.Event()
        self.outcome: str | None = None
        self.before_parking = asyncio.Event()
        self.may_park = asyncio.Event()
        self.may_park.set()

    async def settle_delivery(self, delivery_id, outcome, *rest, **more):  # type: ignore[no-untyped-def]
        if outcome == "parked":
            self.before_parking.set()
            await self.may_park.wait()
        await super().settle_delivery(delivery_id, outcome, *rest, **more)
        self.outcome = outcome
        if outcome == "applied":
            self.settled.set()


def policy_news(**data: object) -> Delivery:
    event = {"id": "ev_1", "type": "policy.active", "created": 1_777_000_000, "data": {"id": "pl_1", **data}}
    return Delivery("1099policy", "body:ev_1", orjson.dumps(event), {}, "t-v1: ok", NOW)


OFFER = c.AcceptOffer(1_777_000_000, "of_1", "fl_1", None)


def origin(cause: str) -> Origin:
    return Origin(cause, cause, "webhook:upwork")


async def parked(replica: Replica, store: MemoryStore, delivery: Delivery) -> StoredDelivery:
    id, _ = await store.receive(delivery)
    stored = await replica.processor.handle(id)
    assert stored is not None
    return stored


@pytest.mark.parametrize("names", [{"custom_metadata": {"engagement_id": "9001"}}, {"quote": "qt_1"}])
async def test_another_process_takes_up_what_this_one_parked(names: dict[str, object]) -> None:
    store = Watched()
    here, there = Replica(store), Replica(store)
    async with running(here, there), asyncio.timeout(10):
        assert (await parked(here, store, policy_news(**names))).outcome == "parked"

        await there.handler.engagement("9001", OFFER, origin("d-1"))
        if "quote" in names:
            await there.handler.engagement("9001", c.ConfirmContractor(1, "cn_1", False), origin("e-1"))
            await there.handler.engagement("9001", c.ConfirmJob(1, "jb_1"), origin("e-2"))
            await there.handler.engagement("9001", c.ConfirmQuote(1, "qt_1", 2, 3), origin("e-3"))
        await store.settled.wait()

    assert "pl_1" in (await there.handler.load("9001")).policies


async def test_what_appears_while_the_delivery_is_being_parked_is_not_missed() -> None:
    store = Watched()
    store.may_park.clear()
    here, there = Replica(store), Replica(store)
    async with running(here, there), asyncio.timeout(10):
        delivery = policy_news(custom_metadata={"engagement_id": "9001"})
        parking = asyncio.create_task(parked(here, store, delivery))
        await store.before_parking.wait()
        await there.handler.engagement("9001", OFFER, origin("d-1"))
        store.may_park.set()
        await parking
        await store.settled.wait()

    assert "pl_1" in (await here.handler.load("9001")).policies


async def test_unrelated_ids_wake_nothing() -> None:
    store = Watched()
    here = Replica(store)
    async with running(here), asyncio.timeout(10):
        stored = await parked(here, store, policy_news(quote="qt_other"))
        await here.handler.engagement("9001", OFFER, origin("d-1"))
        assert await store.wake_waiting([("engagement", "9001"), ("offer", "of_1")]) == 0

    assert stored.outcome == store.outcome == "parked"
