"""What is gone at 1099Policy, or stands there no more, covers no more: found by asking, told once."""

from typing import Any

import pytest
from e2e.test_assignments import DAY, assignment_of, deaf, sweeps, vendor

from service.demo import flows


async def deletes(world: Any, path: str) -> None:
    await vendor(world)._send("DELETE", path, None)


async def unbinds(world: Any, path: str) -> None:
    await vendor(world)._send("PUT", path, {"bind": False})


@pytest.mark.parametrize("deed", [deletes, unbinds])
async def test_an_assignment_that_is_gone_or_unbound_covers_no_more(worlds: Any, deed: Any) -> None:
    async with worlds() as world:
        engagement_id = await flows.returning(world.drive)
        await deaf(world)
        row = await assignment_of(world, engagement_id)
        await deed(world, f"/api/v1/assignments/{row['id']}")
        assert await sweeps(world) == {("assignment.cancelled", "applied", True)}
        shown = await world.drive.status(engagement_id)
        assert (shown["state"], shown["covered"]) == ("lapsed", False)
        assert await sweeps(world) == set()
        await world.drive.end(engagement_id)
        shown = await world.drive.until_state(engagement_id, "ended")
        assert shown["attention"] == []


async def test_a_policy_that_the_vendor_knows_nothing_of_covers_no_more(worlds: Any) -> None:
    """Nor its contractor: what is theirs is a list no more, and the sweep goes on all the same."""
    async with worlds() as world:
        engagement_id = await flows.first_time(world.drive)
        await sweeps(world)
        await world.drive.ten99policy.post("/_control/reset")
        assert await sweeps(world) == {("policy.canceled", "applied", True)}
        assert (await world.drive.status(engagement_id))["state"] == "lapsed"
        assert await sweeps(world) == set()


async def test_a_policy_that_a_list_leaves_out_is_asked_for_by_its_id(worlds: Any) -> None:
    async with worlds() as world:
        engagement_id = await flows.first_time(world.drive)
        shown = await world.drive.status(engagement_id)
        policy, contractor = (shown["ten99policy"][name] for name in ("policy", "contractor"))
        await deaf(world)
        left_out = {
            "match": f"GET /api/v1/contractors/{contractor}/policies",
            "kind": "status:404",
            "times": 2,
        }
        await world.drive.ten99policy.post("/_control/faults", left_out)
        assert await sweeps(world) == set()
        assert (await world.drive.status(engagement_id))["state"] == "insured"
        path = f"/api/v1/policies/{policy}"
        sooner = (await vendor(world).get(path))["expiration_date"] - DAY
        await vendor(world)._send("PUT", path, {"expiration_date": sooner})
        assert await sweeps(world) == {("policy.active", "applied", True)}
