"""With webhooks switched off altogether, asking the vendors carries every flow to where the guide says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from service.demo import flows


@asynccontextmanager
async def asked_on_and_on(world: Any) -> AsyncIterator[None]:
    """Sweeps one after the other while the flow is acted out."""

    async def ask() -> None:
        while True:
            report = await world.drive.service.post("/v1/reconcile")
            assert report["errors"] == {}

    asking = asyncio.create_task(ask())
    try:
        yield
        if asking.done():
            asking.result()
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


@pytest.mark.parametrize("name", flows.FLOWS)
async def test_every_flow_gets_there_by_asking_alone(worlds: Any, name: str) -> None:
    flow, expected = flows.FLOWS[name]
    async with worlds(webhooks=False) as world, asked_on_and_on(world):
        engagement_id = await flow(world.drive)
        await world.drive.until_state(engagement_id, expected)


async def test_the_loop_asks_by_itself_and_a_polled_delivery_says_so(worlds: Any) -> None:
    async with worlds(webhooks=False, COVERD_POLL_SECONDS="1") as world:
        engagement_id = await flows.first_time(world.drive)
        deliveries = (await world.drive.service.get("/v1/deliveries"))["items"]
    assert engagement_id in {e for d in deliveries for e in d["engagements"]}
    assert {d["verdict"] for d in deliveries} == {"polled"}
