"""An effect that was handed over waits here for its turn, and is begun only where that still makes sense."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from contracts.given import NOON
from replicas import CONFIG, Replica, Scene, scene

from domain import commands as c
from domain.ids import engagement_stream
from domain.state import Engagement
from service.clock import epoch
from service.effects import worker
from service.effects.rooms import Rooms
from service.handle import Handler, Origin
from service.vendors.breaker import ALL, Failure, Patience

AT = epoch(NOON)
CALLS = ("EnsureContractor", "CreateJob")


@pytest.fixture
async def stage() -> AsyncIterator[Scene]:
    async with scene() as made:
        yield made


def origin(cause: str) -> Origin:
    return Origin(cause, cause, "test")


async def busy(stage: Scene) -> tuple[Replica, asyncio.Semaphore]:
    """A process whose only place for calls is taken, and an engagement whose calls wait for it."""
    replica = stage.make()
    replica.worker._rooms = Rooms(1)
    replica.handler.hands = replica.worker
    slots = replica.worker._rooms.of("CreateJob").slots
    await slots.acquire()
    await replica.handler.engagement("9001", c.AcceptOffer(AT, "of_1", "fl_1"), origin("offer"))
    await asyncio.wait(set(replica.worker._running))  # the contract is read, and its calls are handed over
    assert await statuses(stage) == dict.fromkeys(CALLS, ("running", 1))
    return replica, slots


async def statuses(stage: Scene) -> dict[str, tuple[str, int]]:
    rows = await stage.effects("9001")
    return {kind: (rows[kind].status, rows[kind].attempt) for kind in CALLS}


async def done(replica: Replica) -> None:
    """Until nothing is under way."""
    while replica.worker._running:
        await asyncio.wait(replica.worker._running)


async def test_it_is_begun_when_a_place_is_free(stage: Scene) -> None:
    replica, slots = await busy(stage)
    slots.release()
    await done(replica)
    assert await statuses(stage) == dict.fromkeys(CALLS, ("done", 1))
    assert (await stage.engagement("9001")).session_id is not None


async def test_who_ends_gives_back_what_has_not_begun_here(stage: Scene) -> None:
    replica, slots = await busy(stage)
    ending = asyncio.create_task(replica.worker.stop())
    await asyncio.sleep(0)
    slots.release()
    await ending
    assert await statuses(stage) == dict.fromkeys(CALLS, ("waiting", 0))
    assert stage.ten99policy.asked == []

    await stage.make().work()
    assert await statuses(stage) == dict.fromkeys(CALLS, ("done", 1))


async def test_a_turn_that_comes_too_late_is_left_to_others(
    stage: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    replica, slots = await busy(stage)
    monkeypatch.setattr(worker, "TURN_SECONDS", -1.0)
    slots.release()
    await done(replica)
    assert await statuses(stage) == dict.fromkeys(CALLS, ("waiting", 0))


async def test_a_vendor_that_is_left_alone_by_now_is_not_called(stage: Scene) -> None:
    replica, slots = await busy(stage)
    refused = Failure(NOON, "no", at_once=True)
    await stage.store.vendor_failed("1099policy", ALL, refused, Patience())
    await replica.gate.look()
    slots.release()
    await done(replica)
    assert await statuses(stage) == dict.fromkeys(CALLS, ("waiting", 0))
    assert stage.ten99policy.asked == []


@pytest.mark.parametrize("whose", ["its own", "another's"])
async def test_what_is_no_longer_wanted_when_its_turn_comes_is_not_called(
    whose: str, stage: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    replica, slots = await busy(stage)
    ends = replica.handler
    if whose == "another's":
        ends = Handler(stage.store, CONFIG.rules)
        monkeypatch.setattr(worker, "FRESH_SECONDS", 0.0)
    await ends.engagement("9001", c.EndContract(AT + 1, AT + 1), origin("end"))
    slots.release()
    await done(replica)
    assert {status for status, _ in (await statuses(stage)).values()} == {"withdrawn"}
    assert stage.ten99policy.asked == []
    assert (await stage.store.head(engagement_stream("9001"))).state == "ended"


async def test_what_was_read_before_it_was_asked_for_withdraws_nothing(stage: Scene) -> None:
    replica, slots = await busy(stage)
    stream_id = engagement_stream("9001")
    replica.handler._heads[stream_id] = Engagement("9001", version=1)
    slots.release()
    await done(replica)
    assert await statuses(stage) == dict.fromkeys(CALLS, ("done", 1))


async def test_who_ends_gives_back_what_waits_behind_a_call_that_hangs(stage: Scene) -> None:
    replica, _ = await busy(stage)
    await replica.worker.stop(patience=5.0)
    assert await statuses(stage) == dict.fromkeys(CALLS, ("waiting", 0))
