"""Every flow of the guide, driven over HTTP from a signed webhook to a proven answer."""

from typing import Any

import pytest

from domain.evolve import Entry, evolve
from domain.ids import engagement_stream
from domain.state import Engagement
from service.demo import flows
from service.demo.example import run_example


async def replayed(world: Any, engagement_id: str, version: int) -> Engagement:
    """The state folded from nothing but the stored events, up to ``version``."""
    engagement = Engagement(engagement_id)
    for recorded in await world.service.store.history(engagement_stream(engagement_id), limit=version):
        engagement = evolve(engagement, Entry(recorded.version, recorded.effective_at, recorded.event))
    return engagement


@pytest.mark.parametrize("name", flows.FLOWS)
async def test_a_flow_ends_where_the_guide_says_and_its_replay_agrees(world: Any, name: str) -> None:
    flow, expected = flows.FLOWS[name]
    engagement_id = await flow(world.drive)
    shown = await world.drive.until_state(engagement_id, expected)
    stored = await world.service.handler.load(engagement_id)
    assert await replayed(world, engagement_id, stored.version) == stored
    assert shown["state"] == expected


async def calls(world: Any) -> dict[str, int]:
    found = await world.drive.ten99policy.get("/_control/calls")
    routes: dict[str, int] = found["by_route"]
    return routes


async def test_a_first_time_contractor_costs_each_vendor_object_once(world: Any) -> None:
    await flows.first_time_to_the_end(world.drive)
    made = await calls(world)
    for path in ("contractors", "jobs", "quotes", "apply/sessions"):
        assert made[f"POST /api/v1/{path}"] == 1, path
    assert "POST /api/v1/assignments" not in made


async def test_a_returning_contractor_gets_an_assignment_and_no_second_session(world: Any) -> None:
    engagement_id = await flows.returning(world.drive)
    made = await calls(world)
    assert made["POST /api/v1/contractors"] == 1
    assert made["POST /api/v1/apply/sessions"] == 1
    assert made["POST /api/v1/assignments"] == 1
    shown = await world.drive.status(engagement_id)
    assert shown["ten99policy"]["session"] is None
    assert shown["ten99policy"]["assignment"].startswith("an_")


async def test_one_request_to_upwork_reads_all_that_an_engagement_needs(world: Any) -> None:
    await flows.first_time(world.drive)
    found = await world.drive.upwork.get("/_control/calls")
    assert found["by_route"]["POST /graphql"] == 1


async def test_a_contract_that_ends_before_its_start_is_cancelled_by_job(world: Any) -> None:
    await flows.ended_before_start(world.drive)
    made = await calls(world)
    assert made["POST /api/v1/assignments/cancel"] == 1
    assert "PUT /api/v1/assignments/{id}" not in made
    assert not any(route.startswith("DELETE") for route in made)


async def test_a_contract_that_ends_after_its_start_has_its_assignment_shortened(world: Any) -> None:
    await flows.ended_after_start(world.drive)
    made = await calls(world)
    assert made["PUT /api/v1/assignments/{id}"] == 1
    assert "POST /api/v1/assignments/cancel" not in made
    assert not any(route.startswith("DELETE") for route in made)


async def test_an_engagement_is_not_covered_before_its_policy_begins(world: Any) -> None:
    engagement_id = await flows.first_time(world.drive)
    shown = await world.drive.status(engagement_id)
    assert shown["covered"] is False
    begins = shown["coverage"]["next_change_at"]
    then = await world.drive.service.get(f"/v1/engagements/{engagement_id}/coverage?at={begins}")
    assert (then["covered"], then["basis"]) == (True, "policy")
    assert then["evidence"]


async def test_the_guides_example_is_told_step_by_step(world: Any) -> None:
    told: list[str] = []
    assert await run_example(world.drive, told.append) == "insured"
    story = "\n".join(told)
    for word in ("OfferAccepted", "ContractorReady", "JobCreated", "QuoteCreated", "SessionOpened"):
        assert word in story
    assert "POST /api/v1/contractors" in story
    told.clear()
    assert await run_example(world.drive, told.append) == "insured"
    assert "already here" in told[0]
