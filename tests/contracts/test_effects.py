"""The outbox: asked for once, leased by one, settled only by whoever holds the current fence."""

import asyncio
from datetime import timedelta

import pytest
from contracts.given import ADA, JOB, NOON, OFFER, READ, append, timer
from msgspec.structs import replace

from domain import events as e
from domain.codec import effect_data
from service.ports import EffectDone, EffectParkedMark


async def test_a_new_effect_is_due_at_once(store, clock):
    await store.append(append(OFFER, effects=(READ,), correlation="delivery-7"))

    (claimed,) = await store.claim(10, 60, clock())

    assert (claimed.stream_id, claimed.step, claimed.generation) == (ADA, "read", 1)
    assert (claimed.channel, claimed.kind, claimed.key) == ("upwork", "ReadContract", READ.key)
    assert claimed.payload == effect_data(READ.effect)
    assert (claimed.attempt, claimed.correlation, claimed.created_at) == (1, "delivery-7", clock())


async def test_a_timer_waits_for_its_time(store, clock):
    await store.append(append(OFFER, effects=(timer(NOON + timedelta(days=1)),)))
    assert await store.next_due() == NOON + timedelta(days=1)

    assert await store.claim(10, 60, clock()) == []
    assert await store.claim_of(ADA, 60, clock.move(86399)) == []

    assert [claimed.step for claimed in await store.claim(10, 60, clock.move(1))] == ["wake:1"]


async def test_without_effects_nothing_is_due(store, clock):
    assert await store.next_due() is None
    assert await store.claim(10, 60, clock()) == []
    assert await store.claim_of(ADA, 60, clock()) == []


async def test_a_leased_effect_is_nobody_elses_until_the_lease_has_passed(store, clock):
    await store.append(append(OFFER, effects=(READ,)))
    (first,) = await store.claim(10, 60, clock())

    assert await store.claim(10, 60, clock.move(59)) == []
    assert await store.claim_of(ADA, 60, clock()) == []
    assert await store.next_due() == NOON + timedelta(seconds=60)

    (second,) = await store.claim(10, 60, clock.move(1))
    assert (second.attempt, second.key, second.created_at) == (2, first.key, first.created_at)
    assert second.fence > first.fence


async def test_no_effect_is_claimed_by_two_at_once(store, clock):
    for number in range(40):
        await store.append(append(OFFER, stream=f"engagement:{number}", effects=(READ, JOB)))

    shares = await asyncio.gather(*(store.claim(30, 60, clock()) for _ in range(8)))
    rest = await store.claim(100, 60, clock())

    claimed = [(one.stream_id, one.step) for share in [*shares, rest] for one in share]
    assert len(claimed) == len(set(claimed)) == 80
    assert max(len(share) for share in shares) <= 30


async def test_a_claim_may_be_for_some_channels_only(store, clock):
    await store.append(append(OFFER, effects=(READ, JOB, timer(NOON))))

    assert [one.step for one in await store.claim(10, 60, clock(), ["1099policy"])] == ["job"]
    assert await store.claim(10, 60, clock(), []) == []
    assert {one.step for one in await store.claim(10, 60, clock(), ["upwork", "coverd"])} == {
        "read",
        "wake:1",
    }


async def test_a_claim_for_one_stream_leaves_the_others_alone(store, clock):
    await store.append(append(OFFER, effects=(READ, JOB)))
    await store.append(append(OFFER, effects=(READ,), stream="engagement:9002"))

    assert {one.step for one in await store.claim_of(ADA, 60, clock())} == {"read", "job"}
    assert [one.stream_id for one in await store.claim(10, 60, clock())] == ["engagement:9002"]


async def test_an_effect_is_done_together_with_what_it_led_to(store, clock):
    await store.append(append(OFFER, effects=(JOB,)))
    (claimed,) = await store.claim(10, 60, clock())
    done = EffectDone(ADA, "job", 1, claimed.fence, "done")

    outcome = await store.append(append(e.JobCreated("j_1"), expected=1, effects=(READ,), settles=done))

    assert outcome.outcome == "appended"
    by_step = {row.step: row for row in await store.effects_of(ADA)}
    assert (by_step["job"].status, by_step["job"].result, by_step["job"].done_at) == ("done", "done", clock())
    assert (by_step["job"].wake_at, by_step["read"].status) == (None, "waiting")
    assert [one.step for one in await store.claim(10, 60, clock.move(3600))] == ["read"]


async def test_a_parked_effect_is_left_alone_and_keeps_the_vendors_words(store, clock):
    await store.append(append(OFFER, effects=(JOB, READ)))
    claimed = {one.step: one for one in await store.claim_of(ADA, 60, clock())}
    mark = EffectParkedMark(ADA, "job", 1, claimed["job"].fence, "no such category\0")

    await store.append(
        append(e.EffectParked("job", "CreateJob", "no such category"), expected=1, settles=mark)
    )

    by_step = {row.step: row for row in await store.effects_of(ADA)}
    assert (by_step["job"].status, by_step["job"].last_error) == ("parked", "no such category\ufffd")
    assert by_step["read"].status == "running"
    assert [one.step for one in await store.claim(10, 60, clock.move(3600))] == ["read"]


async def test_finishing_needs_the_current_fence(store, clock):
    await store.append(append(OFFER, effects=(READ,)))
    (first,) = await store.claim(10, 60, clock())
    (second,) = await store.claim(10, 60, clock.move(60))

    assert await store.finish(first, "withdrawn") is False
    assert await store.finish(second, "withdrawn") is True
    assert await store.finish(second, "done") is False

    (row,) = await store.effects_of(ADA)
    assert (row.status, row.result, row.done_at) == ("withdrawn", "withdrawn", clock())
    assert row.created_at == NOON
    assert await store.next_due() is None


async def test_a_lease_that_passed_still_counts_while_nobody_else_took_it(store, clock):
    await store.append(append(OFFER, effects=(READ,)))
    (claimed,) = await store.claim(10, 60, clock())
    clock.move(600)
    assert await store.finish(claimed, "done") is True


async def test_retrying_later_gives_the_effect_back(store, clock):
    await store.append(append(OFFER, effects=(READ,)))
    (claimed,) = await store.claim(10, 60, clock())
    later = NOON + timedelta(minutes=5)

    assert await store.retry_later(claimed, later, "503 from the vendor") is True

    (row,) = await store.effects_of(ADA)
    assert (row.status, row.wake_at, row.last_error, row.attempt) == (
        "waiting",
        later,
        "503 from the vendor",
        1,
    )
    assert await store.retry_later(claimed, NOON, "again") is False, "it was given back"
    assert await store.finish(claimed, "done") is False
    (again,) = await store.claim(10, 60, clock.move(300))
    assert (again.attempt, again.key) == (2, READ.key)


async def test_retrying_later_may_change_the_key_and_take_the_attempt_back(store, clock):
    await store.append(append(OFFER, effects=(READ,)))
    (claimed,) = await store.claim(10, 60, clock())

    await store.retry_later(claimed, clock(), "breaker is open", key=f"{READ.key}-r1", count_attempt=False)

    (again,) = await store.claim(10, 60, clock())
    assert (again.attempt, again.key) == (1, f"{READ.key}-r1")


async def test_retrying_later_needs_the_current_fence(store, clock):
    await store.append(append(OFFER, effects=(READ,)))
    (first,) = await store.claim(10, 60, clock())
    await store.claim(10, 60, clock.move(60))
    assert await store.retry_later(first, clock(), "late") is False


async def test_asking_again_changes_nothing(store, clock):
    await store.append(append(OFFER, effects=(READ,)))
    (claimed,) = await store.claim(10, 60, clock())
    other = replace(READ, key="another")

    await store.append(append(e.JobCreated("j_1"), expected=1, effects=(other, other)))

    assert [row.status for row in await store.effects_of(ADA)] == ["running"]
    await store.finish(claimed, "done")
    await store.append(append(e.JobCreated("j_2"), expected=2, effects=(other,)))
    assert [row.status for row in await store.effects_of(ADA)] == ["done"]


async def test_a_withdrawn_effect_that_is_asked_for_again_starts_afresh(store, clock):
    await store.append(append(OFFER, effects=(READ,)))
    (claimed,) = await store.claim(10, 60, clock())
    await store.finish(claimed, "withdrawn")
    clock.move(60)

    again = replace(READ, key="another")
    await store.append(append(e.JobCreated("j_1"), expected=1, effects=(again,), correlation="delivery-2"))

    (row,) = await store.effects_of(ADA)
    assert (row.status, row.attempt, row.result, row.done_at) == ("waiting", 0, None, None)
    (revived,) = await store.claim(10, 60, clock())
    assert (revived.attempt, revived.key, revived.correlation) == (1, "another", "delivery-2")
    assert revived.created_at == clock()
    assert revived.fence > claimed.fence
    assert await store.finish(claimed, "done") is False


async def test_a_new_generation_is_an_effect_of_its_own(store, clock):
    await store.append(append(OFFER, effects=(READ,)))
    (claimed,) = await store.claim(10, 60, clock())
    await store.finish(claimed, "done")

    await store.append(append(e.RetryRequested("why"), expected=1, effects=(replace(READ, generation=2),)))

    (second,) = await store.claim(10, 60, clock())
    assert (second.generation, second.attempt) == (2, 1)


@pytest.mark.parametrize(("after", "status"), [(0, "running"), (59, "running"), (60, "waiting")])
async def test_an_effect_runs_for_as_long_as_its_lease(store, clock, after, status):
    await store.append(append(OFFER, effects=(READ,)))
    await store.claim(10, 60, clock())
    clock.move(after)
    assert [row.status for row in await store.effects_of(ADA)] == [status]


async def test_the_effects_of_a_stream_are_listed_oldest_first(store, clock):
    await store.append(append(OFFER, effects=(READ, JOB)))
    clock.move(1)
    await store.append(append(e.JobCreated("j"), expected=1, effects=(timer(NOON, "a"),)))
    assert [row.step for row in await store.effects_of(ADA)] == ["job", "read", "a"]
    assert await store.effects_of("engagement:nobody") == []


async def test_timers_can_be_roused_but_nothing_else_and_nothing_that_is_under_way(store, clock):
    tomorrow = NOON + timedelta(days=1)
    await store.append(append(OFFER, effects=(READ, timer(tomorrow))))
    (read,) = await store.claim(10, 60, clock())
    await store.retry_later(read, tomorrow, "503")

    await store.rouse(["WakeUp"], clock.move(1))

    assert [claimed.step for claimed in await store.claim(10, 60, clock())] == ["wake:1"]
    await store.rouse(["WakeUp"], clock.move(1))
    assert await store.claim(10, 60, clock()) == []
