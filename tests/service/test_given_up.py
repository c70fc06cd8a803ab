"""A call that fails for days: how often it is tried, and that it is given up with the vendor's words."""

from datetime import datetime, timedelta
from itertools import pairwise

from contracts.given import NOON
from replicas import Replica, Scene, scene
from vendor_double import Says

from domain import commands as c
from domain.attention import attention
from service.clock import epoch
from service.config import EXAMPLE, ConfigFile
from service.handle import Handler, Origin
from service.ports import EffectRow
from service.vendors.breaker import Patience
from service.vendors.gate import Gate

HOUR = timedelta(hours=1)
BROKEN = Says(503, {"error_code": "general_error", "message": "The roof is on fire."})


def fail_at_jobs(stage: Scene) -> None:
    usual = stage.ten99policy._otherwise
    stage.ten99policy._otherwise = lambda asked: BROKEN if asked.path.endswith("/jobs") else usual(asked)


async def effect(stage: Scene) -> EffectRow:
    return (await stage.effects("9001"))["CreateJob"]


async def tried_until_given_up(stage: Scene, replica: Replica) -> list[datetime]:
    """When each try was made."""
    tries: list[datetime] = []
    await replica.work()
    while (waiting := await effect(stage)).wake_at is not None:
        tries.append(stage.clock())
        stage.clock.now = max(waiting.wake_at, stage.clock() + timedelta(milliseconds=1))
        await replica.work()
    return [*tries, stage.clock()]


async def test_a_call_climbs_the_ladder_for_three_days_and_is_then_for_a_person() -> None:
    async with scene() as stage:
        replica = stage.make()
        never = Gate(stage.store, stage.clock, Patience(failures=10**9))
        replica.gate = replica.worker._gate = never
        fail_at_jobs(stage)
        await stage.offer("9001")
        tries = await tried_until_given_up(stage, replica)
        for number, (one, following) in enumerate(pairwise(tries)):
            ceiling = timedelta(seconds=min(2.0**number, 6 * 3600) + 0.001)
            assert timedelta(0) <= following - one <= ceiling
        assert max(b - a for a, b in pairwise(tries)) > HOUR
        assert tries[-2] - NOON < 72 * HOUR <= tries[-1] - NOON <= 78 * HOUR
        assert 15 < len(tries) < 100
        await _is_for_a_person(stage)


async def test_one_that_is_tried_by_the_minute_for_days_is_given_up_too_and_a_retry_begins_afresh() -> None:
    async with scene() as stage:
        replica = stage.make()
        fail_at_jobs(stage)
        await stage.offer("9001")
        for _ in range(15):
            await replica.work()
            asked = len(stage.ten99policy.to("/api/v1/jobs"))
            stage.clock.move(60)
            await replica.work()
            assert len(stage.ten99policy.to("/api/v1/jobs")) == asked + 1
        assert (await effect(stage)).status == "waiting"
        stage.clock.move(72 * 3600)
        await replica.work()
        await _is_for_a_person(stage)

        stage.ten99policy._otherwise = lambda asked: Says(200, {"id": "jb_1", "data": []})
        handler = Handler(stage.store, ConfigFile(None, EXAMPLE).rules)
        retry = c.RequestRetry(epoch(stage.clock()), "the fire is out")
        await handler.engagement("9001", retry, Origin("request:1", "r", "local"))
        stage.clock.move(60)
        await replica.work()
        assert (await stage.effects("9001"))["CreateJob"].status == "done"
        assert (await replica.report.attention()) == []


async def _is_for_a_person(stage: Scene) -> None:
    (item,) = [a for a in attention(await stage.engagement("9001")) if a.code == "effect_parked"]
    assert "503 general_error The roof is on fire." in item.message
