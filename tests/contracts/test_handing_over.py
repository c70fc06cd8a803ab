"""What an append asks for and its writer performs: leased from birth; and the delivery it applies."""

from datetime import timedelta

import pytest
from contracts.given import ADA, JOB, NOON, OFFER, READ, append, delivery, timer
from msgspec.structs import replace

from domain import events as e
from service.ports import Append, DeliveryDone, EffectDone


def taking(*events: e.Event, **more: object) -> Append:
    return replace(append(*events, **more), take_for=60.0)


async def test_what_the_writer_takes_is_as_if_it_had_claimed_it(store, clock):
    wrote = await store.append(taking(OFFER, effects=(READ, JOB), correlation="delivery-7"))
    other = append(OFFER, stream="engagement:9002", effects=(READ, JOB), correlation="delivery-7")
    await store.append(other)

    claimed = {one.step: one for one in await store.claim_of("engagement:9002", 60, clock())}

    assert {one.step: replace(one, stream_id="engagement:9002") for one in wrote.taken} == claimed


async def test_a_timer_is_nobodys_before_its_time(store):
    wrote = await store.append(taking(OFFER, effects=(READ, timer(NOON + timedelta(days=1)))))
    assert [one.step for one in wrote.taken] == ["read"]


async def test_without_asking_for_it_nothing_is_taken(store, clock):
    wrote = await store.append(append(OFFER, effects=(READ,)))
    assert wrote.taken == ()
    assert len(await store.claim(10, 60, clock())) == 1


async def test_what_the_writer_took_is_nobody_elses_until_its_lease_has_passed(store, clock):
    (mine,) = (await store.append(taking(OFFER, effects=(READ,)))).taken
    assert await store.claim(10, 60, clock.move(59)) == []

    (theirs,) = await store.claim(10, 60, clock.move(1))

    assert (theirs.attempt, theirs.fence > mine.fence) == (2, True)
    assert await store.finish(mine, "withdrawn") is False
    assert await store.finish(theirs, "withdrawn") is True


async def test_what_the_writer_took_is_settled_by_the_next_append(store, clock):
    (mine,) = (await store.append(taking(OFFER, effects=(READ,)))).taken
    done = EffectDone(ADA, mine.step, mine.generation, mine.fence, "done")

    wrote = await store.append(taking(e.JobCreated("j_1"), expected=1, effects=(JOB,), settles=done))

    assert [one.step for one in wrote.taken] == [JOB.step]
    assert {row.step: row.status for row in await store.effects_of(ADA)} == {
        "read": "done",
        JOB.step: "running",
    }


async def test_what_was_asked_for_before_is_not_the_writers(store, clock):
    await store.append(append(OFFER, effects=(READ,)))
    wrote = await store.append(taking(e.JobCreated("j_1"), expected=1, effects=(READ, JOB)))
    assert [one.step for one in wrote.taken] == [JOB.step]


async def test_what_was_withdrawn_is_taken_under_a_fence_of_its_own(store, clock):
    (first,) = (await store.append(taking(OFFER, effects=(READ,)))).taken
    await store.finish(first, "withdrawn")

    (again,) = (await store.append(taking(e.JobCreated("j_1"), expected=1, effects=(READ,)))).taken

    assert (again.attempt, again.fence > first.fence) == (1, True)
    assert await store.finish(first, "withdrawn") is False


@pytest.mark.parametrize("late", [{"expected": 0}, {"expected": 1, "cause": "the first"}])
async def test_an_append_that_writes_nothing_takes_nothing(store, clock, late):
    await store.append(append(OFFER, cause="the first"))
    id, _ = await store.receive(delivery())
    given = replace(taking(e.JobCreated("j_1"), effects=(JOB,), **late), delivery=DeliveryDone(id, "x"))

    wrote = await store.append(given)

    assert (wrote.outcome in ("conflict", "duplicate"), wrote.taken) == (True, ())
    assert await store.claim(10, 60, clock()) == []
    assert (await store.delivery(id)).outcome is None


async def test_a_delivery_is_settled_with_what_it_led_to(store, clock):
    id, _ = await store.receive(delivery())
    await store.settle_delivery(id, "parked", "offer.accepted", "Unknown here.", [], clock())

    await store.append(replace(append(OFFER), delivery=DeliveryDone(id, "offer.accepted")))

    stored = await store.delivery(id)
    assert (stored.outcome, stored.type, stored.detail) == ("applied", "offer.accepted", None)
    assert (stored.streams, stored.processed_at) == ((ADA,), clock())
    assert await store.claim_deliveries(10, 60, clock.move(3600)) == []
