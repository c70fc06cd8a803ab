"""News of many buckets is applied in one transaction, and what ails one bucket holds up no other."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from projection_spies import Spy, refusing, running
from story import given, insured, offer

from domain.ids import bucket_of, engagement_stream
from projections.checkpoint import Checkpoint, lock
from projections.runner import Runner


async def until(runner: Runner, done: Callable[[], Awaitable[bool]]) -> None:
    """Run until ``done`` says so."""
    async with asyncio.timeout(30), running(runner):
        while not await done():
            pass


async def level(pool: Any, but: int = 0) -> bool:
    behind = await pool.fetchval(
        "SELECT count(*) FROM coverd.subscription s JOIN coverd.bucket_head h USING (bucket)"
        " WHERE s.projection = 'engagements' AND s.position < h.position"
    )
    return bool(behind == but)


async def stopped_alone(pool: Any, runner: Runner) -> bool:
    """Whether one bucket is stopped and all others are level."""
    return bool(await runner.stopped()) and await level(pool, but=1)


async def test_one_transaction_takes_the_news_of_many_buckets(pool, log):
    calls: list[set[int]] = []
    spy = Spy(lambda events: calls.append({event.bucket for event in events}))
    for number in range(20):
        await log.tell(given(offer(), id=f"e{number}"))
    buckets = {bucket_of(engagement_stream(f"e{number}")) for number in range(20)}
    assert len(buckets) > 10

    await until(Runner(pool, [spy], poll=0.01), lambda: level(pool))

    assert calls == [buckets]
    assert await pool.fetchval("SELECT count(*) FROM coverd.engagements") == 20


async def test_a_transaction_takes_no_more_events_than_a_batch(pool, log):
    sizes: list[int] = []
    spy = Spy(lambda events: sizes.append(len(events)))
    for number in range(5):
        await log.tell(given(offer(), id=f"e{number}"))

    await until(Runner(pool, [spy], poll=0.01, batch=2), lambda: level(pool))

    assert sorted(sizes) == [1, 2, 2]
    assert len(set(spy.applied)) == len(spy.applied) == 5


async def test_an_event_nobody_can_take_stops_its_bucket_and_no_other(pool, log):
    for number in range(6):
        await log.tell(given(offer(), id=f"e{number}"))
    await log.raw(engagement_stream("e3"), 2, "NobodyKnows", "{}")
    runner = Runner(pool, [Spy()], poll=0.01)

    await until(runner, lambda: stopped_alone(pool, runner))

    (stopped,) = await runner.stopped()
    assert stopped.bucket == bucket_of(engagement_stream("e3"))
    assert await pool.fetchval("SELECT count(*) FROM coverd.engagements") == 6


async def test_a_read_model_that_refuses_an_event_keeps_what_came_before_it(pool, log):
    for number in range(3):
        await log.tell(given(offer(), id=f"e{number}"))
    await log.tell(insured())
    runner = Runner(pool, [Spy(refusing("TermsRead"))], poll=0.01)

    await until(runner, lambda: stopped_alone(pool, runner))

    (stopped,) = await runner.stopped()
    assert (stopped.bucket, stopped.position) == (bucket_of(engagement_stream("9001")), 2)


async def test_a_bucket_that_another_runner_holds_is_passed_over(pool, log):
    for number in range(4):
        await log.tell(given(offer(), id=f"e{number}"))
    held = bucket_of(engagement_stream("e0"))
    spy = Spy()
    async with pool.acquire() as other, other.transaction():
        assert await lock(other, Checkpoint("engagements", 1, held), wait=False) == 0
        await until(Runner(pool, [spy], poll=0.01), lambda: level(pool, but=1))
        assert held not in {bucket for bucket, _ in spy.applied}
    await until(Runner(pool, [spy], poll=0.01), lambda: level(pool))
    assert (held, 1) in spy.applied


async def test_a_hole_in_the_log_stops_its_bucket(pool, log, owner):
    await log.tell(insured())
    await log.tell(given(offer(), id="other"))
    await owner.execute("DELETE FROM coverd.event WHERE stream_id = 'engagement:9001' AND version = 2")
    runner = Runner(pool, [Spy()], poll=0.01)

    await until(runner, lambda: stopped_alone(pool, runner))

    (stopped,) = await runner.stopped()
    assert stopped.position == 2
    assert "no event at position 2" in stopped.error
