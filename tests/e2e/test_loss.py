"""A tenth of all webhooks lost, a tenth doubled, all out of order; after one sweep every answer is right."""

import asyncio
from typing import Any

import pytest
from lossy import Road, road
from vendor_record import Records

from service.clock import rfc3339
from service.demo.flows import COI, someone

LIVES = (
    "insured",
    "active",
    "ended",
    "canceled",
    "expired",
    "back",
    "approved",
    "flagged",
    "both",
    "waiting",
)
"""What happens to an engagement at the vendors, in turn."""

CERTIFICATES = {"approved": "approve", "flagged": "flag", "both": "approve"}


async def records(world: Any) -> Records:
    return Records(
        await world.drive.upwork.get("/_control/objects"),
        await world.drive.ten99policy.get("/_control/objects"),
    )


async def state_of(world: Any, engagement_id: str) -> str | None:
    shown = await world.drive.service.find(f"/v1/engagements/{engagement_id}")
    return shown and str(shown["state"])


async def begin(world: Any, way: Road, lives: dict[str, str]) -> None:
    """Whoever was heard of has come as far as the vendors alone decide."""
    await way.let_go()

    async def there() -> bool:
        states = await asyncio.gather(*(state_of(world, id) for id in lives if id in way.heard_of))
        return all(state == "awaiting_opt_in" for state in states)

    await world.drive.until_true(there, "every engagement heard of to wait for its opt-in")
    if CERTIFICATES.keys() & set(lives.values()):

        async def uploaded() -> bool:
            held = await records(world)
            mine = [id for id, life in lives.items() if life in CERTIFICATES and id in way.heard_of]
            return all(held.of(id).certificates for id in mine)

        await world.drive.until_true(uploaded, "every certificate to be uploaded")


async def act(world: Any, lives: dict[str, str]) -> None:
    """The vendors' side of each life, as far as coverd has brought it; nothing here waits for coverd."""
    held = await records(world)
    drive = world.drive
    for id, life in lives.items():
        for session in held.of(id).sessions if life not in ("waiting", "approved", "flagged") else ():
            await drive.ten99policy.post(f"/_control/sessions/{session['id']}/complete")
        for certificate in held.of(id).certificates:
            await drive.ten99policy.post(f"/_control/certificates/{certificate['id']}/{CERTIFICATES[life]}")
    held = await records(world)
    steps = {"canceled": ("cancel",), "expired": ("expire",), "back": ("cancel", "reactivate")}
    for id, life in lives.items():
        for step in steps.get(life, ()):
            for policy in held.of(id).policies:
                await drive.ten99policy.post(f"/_control/policies/{policy['id']}/{step}")
        if life in ("active", "ended"):
            await drive.activate(id)
        if life == "ended":
            await drive.end(id)
    for sandbox in (drive.upwork, drive.ten99policy):
        await sandbox.post("/_control/drain")


async def lived_through(worlds: Any, number: int, seed: int) -> None:
    async with road(seed) as (way, begins), worlds(webhooks=begins) as world:
        way.target = world.service.url
        world.drive.patience = 240.0  # Upwork takes no more than 300 requests a minute
        lives = {}
        for place in range(number):
            life = LIVES[place % len(LIVES)]
            attachments = COI if life in CERTIFICATES else []
            lives[await world.drive.contract(freelancer=someone(), attachments=attachments)] = life
        await world.drive.upwork.post("/_control/drain")
        await begin(world, way, lives)
        await act(world, lives)
        await way.let_go()

        report = await world.drive.service.post("/v1/reconcile")

        assert way.lost > number / 10
        assert way.doubled > number / 10
        assert report["errors"] == {}
        assert {found["outcome"] for found in report["found"]} <= {"applied"}
        in_one_second = sum(life == "back" for life in lives.values())  # nobody can tell their order
        assert 0 < report["healed"] <= way.lost + in_one_second

        async def settled() -> bool:
            held = await records(world)
            states = await asyncio.gather(*(state_of(world, id) for id in lives))
            return list(states) == [held.of(id).state for id in lives]

        await world.drive.until_true(settled, "every engagement to stand where the vendors' record says")
        await every_answer_is_right(world, lives)
        again = await world.drive.service.post("/v1/reconcile")
        assert again["found"] == []


async def every_answer_is_right(world: Any, lives: dict[str, str]) -> None:
    held = await records(world)
    assert held.doubled() == {}
    for id in lives:
        record = held.of(id)
        shown = await world.drive.status(id)
        assert len(record.sessions) <= 1
        for policy in record.policies:
            for at in (policy["effective_date"] - 1, policy["effective_date"], policy["expiration_date"]):
                path = f"/v1/engagements/{id}/coverage?at={rfc3339(at)}"
                told = await world.drive.service.get(path)
                assert told["covered"] is record.covered(at), (id, lives[id], at, told, shown)


async def test_after_one_sweep_every_answer_equals_the_vendors_own_record(worlds: Any) -> None:
    await lived_through(worlds, 60, seed=7)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
async def test_the_same_over_two_hundred_engagements(worlds: Any, seed: int) -> None:
    await lived_through(worlds, 200, seed)
