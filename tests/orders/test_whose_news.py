"""Whom news of a policy reaches: everybody it covers, and nobody else."""

from random import Random
from typing import Any

import orjson
from orders.flows import Flow, Script
from orders.harness import POLITE, Clock, World
from story import DAY, END, NOW, START

from service.ports import Delivery
from service.store.memory import MemoryStore


async def with_two_under_one_policy() -> World:
    """Engagement a has policy p from its own session, b is assigned under it, and c waits for an opt-in."""
    s = Script("t")
    s.offer("c", NOW)
    s.offer("a", NOW + 1)
    s.policy("policy.active", NOW + 2 * DAY, "a")
    s.assigned_under("p", "b")
    s.offer("b", NOW + 3 * DAY)
    s.active("b", NOW + 4 * DAY)
    return await lived(s.flow("two under one policy", "insured"))


async def lived(flow: Flow) -> World:
    clock = Clock(NOW)
    world = World(MemoryStore(clock), clock, flow, POLITE, Random(0))
    await world.play()
    return world


async def hear(world: World, type: str, **data: Any) -> str:
    """Deliver news of a policy; what became of it."""
    at = int(world.clock().timestamp())
    term = {"effective_date": START, "expiration_date": END}
    document = {"id": f"ev_{at}", "type": type, "created": at, "data": {**term, "object": "policy", **data}}
    body = orjson.dumps(document)
    id, _ = await world.store.receive(Delivery("1099policy", "x", body, {}, "proven", world.clock()))
    stored = await world.store.delivery(id)
    assert stored is not None
    await world.processor.process(stored)
    after = await world.store.delivery(id)
    assert after is not None
    return f"{after.outcome} {' '.join(sorted(after.streams))}".strip()


def claims(engagement_id: str) -> dict[str, Any]:
    return {"custom_metadata": {"engagement_id": engagement_id}}


async def test_the_end_of_a_policy_reaches_everybody_under_it_by_its_id_alone() -> None:
    world = await with_two_under_one_policy()
    assert await hear(world, "policy.canceled", id="pl_tp") == "applied engagement:ta engagement:tb"
    states = [(await world.handler.load(id)).state for id in ("ta", "tb", "tc")]
    assert states == ["lapsed", "lapsed", "awaiting_opt_in"]


async def test_a_policy_that_is_anothers_own_covers_nobody_who_merely_is_named() -> None:
    for more in ({}, {"quote": "qt_ta"}):
        world = await with_two_under_one_policy()
        assert await hear(world, "policy.active", id="pl_tp", **claims("tc"), **more) == "unusable"
        assert (await world.handler.load("tc")).state == "awaiting_opt_in"
