"""What people asked for that concerns no single engagement: written down once, and ended once."""

from datetime import timedelta

import pytest
from contracts.given import NOON
from msgspec.structs import replace

from service.ports import Operation

RETRY = Operation(
    id="retry:key-1",
    act="retry",
    actor="token:1a2b3c4d",
    reason="the vendor is back",
    asked={"code": "effect_parked", "limit": 20},
    targets=(["9001", ["quote"]], ["9002", ["job"]]),
    matched=7,
    began_at=NOON,
)


async def test_it_is_kept_as_it_was_asked_for(store):
    assert await store.begin_operation(RETRY) == RETRY
    assert await store.operation(RETRY.id) == RETRY
    assert await store.operation("retry:other") is None
    assert await store.operation("no\0such") is None


async def test_one_of_the_same_id_does_not_begin_again(store, clock):
    await store.begin_operation(RETRY)
    again = replace(RETRY, targets=(), matched=0, began_at=clock.move(60))
    assert await store.begin_operation(again) == RETRY


async def test_it_ends_once(store, clock):
    await store.begin_operation(RETRY)
    ended_at = clock.move(5)
    await store.end_operation(RETRY.id, {"retried": 2})
    clock.move(5)
    await store.end_operation(RETRY.id, {"retried": 0})
    assert await store.operation(RETRY.id) == replace(RETRY, ended_at=ended_at, result={"retried": 2})


async def test_the_newest_come_first_page_by_page(store):
    for number in range(4):
        began_at = NOON + timedelta(seconds=number // 2)  # two in each second
        act = "replay" if number == 3 else "retry"
        await store.begin_operation(replace(RETRY, id=f"{act}:{number}", act=act, began_at=began_at))
    first = await store.operations(limit=3)
    rest = await store.operations(before=(first[-1].began_at, first[-1].id))
    assert [o.id for o in (*first, *rest)] == ["retry:2", "replay:3", "retry:1", "retry:0"]
    assert [o.id for o in await store.operations("replay")] == ["replay:3"]


@pytest.mark.parametrize("reason", [None, "half a \ud800 character"])
async def test_any_reason_can_be_kept(store, reason):
    kept = await store.begin_operation(replace(RETRY, reason=reason))
    assert kept.act == "retry"
