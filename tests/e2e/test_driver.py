"""The driver waits on the feed: it looks again when something happened, and not by the clock."""

import asyncio
from typing import Any

import pytest

from service.demo import driver, flows
from service.demo.driver import DemoFailed

NEVER = 3600.0


@pytest.fixture(autouse=True)
def _no_looks_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "PAUSES", (NEVER, NEVER))


@pytest.mark.parametrize("name", flows.FLOWS)
async def test_a_flow_needs_nothing_but_the_feed_to_go_on(world: Any, name: str) -> None:
    flow, expected = flows.FLOWS[name]
    await world.drive.until_state(await flow(world.drive), expected)


async def test_lists_show_an_event_by_the_time_the_feed_tells_it(world: Any) -> None:
    async def listed() -> bool:
        found = await world.drive.service.get("/v1/engagements?freelancer=fl_listed")
        return [row["state"] for row in found["items"]] == ["awaiting_opt_in"]

    await world.drive.contract(freelancer={"id": "fl_listed"})
    await world.drive.until_true(listed, "the engagement in the list")


async def test_patience_ends_with_what_was_seen_last(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "PATIENCE", 0.05)
    with pytest.raises(DemoFailed, match=r"Waited 0 s for the moon; it shows half of it"):
        await world.drive.until_true(never, "the moon", lambda: "half of it")


async def never() -> bool:
    return False


async def test_no_stream_stays_open_after_a_wait(world: Any) -> None:
    engagement = await flows.first_time(world.drive)
    await world.drive.until_state(engagement, "insured")
    connections = world.session.connector._acquired
    assert not connections
    async with asyncio.timeout(5), world.drive.service.told("/v1/feed") as news:
        await news.wait()
        assert len(connections) == 1
    assert not connections
