"""The runner: every event once, in order, whatever runs beside it or breaks under it."""

import asyncio
from typing import Any

import asyncpg
import pytest
from projection_spies import Spy, once, refusing, running
from story import CONTRACTOR, JOB, contract_read, given, insured, offer
from written_log import ids_of_bucket

from domain.ids import bucket_of
from projections.errors import NotStopped
from projections.runner import Runner

SOON = 10  # seconds; reached only by a test that fails


def stories(*ids: str):
    return [given(offer(), contract_read(), CONTRACTOR, JOB, id=id_) for id_ in ids]


async def versions(pool: Any) -> dict[str, int]:
    rows = await pool.fetch("SELECT engagement_id, version FROM coverd.engagements")
    return {row["engagement_id"]: row["version"] for row in rows}


class Resting(Runner):
    """Tells when it has nothing to do and waits."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.resting = asyncio.Event()

    async def _rest(self) -> None:
        self.resting.set()
        await super()._rest()


async def test_a_nudge_brings_news_long_before_the_poll(pool, log):
    spy = Spy()
    runner = Resting(pool, [spy], poll=3600)
    async with running(runner), asyncio.timeout(SOON):
        await runner.resting.wait()
        await log.tell(insured())
        assert spy.applied == []
        runner.nudge()
        await spy.came.wait()


async def test_a_missed_nudge_costs_one_poll(pool, log):
    spy = Spy()
    async with running(Runner(pool, [spy], poll=0.01)), asyncio.timeout(SOON):
        await log.tell(insured())
        await spy.came.wait()


async def test_two_runners_apply_every_event_once(pool, log):
    told = stories(*ids_of_bucket(7, 3), *ids_of_bucket(8, 3), "9001", "9002")
    await log.interleave(told)
    spies = [Spy(), Spy(), Spy()]

    await asyncio.gather(*(Runner(pool, [spy], batch=2).caught_up() for spy in spies))

    applied = [place for spy in spies for place in spy.applied]
    assert len(applied) == len(set(applied)) == sum(len(story.entries) for story in told)
    assert await versions(pool) == {s.engagement.engagement_id: s.engagement.version for s in told}


async def test_a_bucket_is_applied_in_order_in_small_batches(pool, log):
    await log.interleave(stories(*ids_of_bucket(7, 3)))
    spy = Spy()
    await Runner(pool, [spy], batch=2).caught_up()
    assert [position for _, position in spy.applied] == list(range(1, len(spy.applied) + 1))


async def test_a_crash_between_the_rows_and_the_checkpoint_leaves_neither(pool, log, runner):
    await log.tell(insured())
    with pytest.raises(ConnectionResetError):
        await Runner(pool, [Spy(once(ConnectionResetError()))]).caught_up()
    assert await versions(pool) == {}

    await runner.caught_up()
    assert await versions(pool) == {"9001": insured().engagement.version}


@pytest.mark.parametrize(
    "problem",
    [
        ConnectionResetError(),
        asyncpg.DiskFullError("could not extend file"),
        asyncpg.ReadOnlySQLTransactionError("a primary became a standby"),
        asyncpg.IdleInTransactionSessionTimeoutError("the session was ended"),
        asyncpg.InvalidCachedStatementError("the schema was migrated"),
    ],
    ids=lambda problem: type(problem).__name__,
)
async def test_a_store_that_cannot_now_is_no_reason_to_stop(pool, log, problem):
    spy = Spy(once(problem))
    runner = Runner(pool, [spy], poll=0.01)
    await log.tell(given(offer()))
    async with running(runner), asyncio.timeout(SOON):
        await spy.came.wait()
    assert await runner.stopped() == []


async def test_caught_up_waits_for_the_runner_that_holds_the_bucket(pool, log, runner):
    await log.tell(insured())
    async with pool.acquire() as other:
        held = other.transaction()
        await held.start()
        await other.fetch("SELECT FROM coverd.subscription FOR UPDATE")
        waiting = asyncio.create_task(runner.caught_up())
        async with asyncio.timeout(SOON):
            while not await pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                pass
        assert not waiting.done()
        await held.rollback()
        await waiting
    assert await versions(pool) == {"9001": insured().engagement.version}


async def test_poison_stops_its_bucket_after_all_that_came_before(pool, log):
    first, second = ids_of_bucket(7, 2)
    await log.interleave(stories(first, second))
    position = await log.raw(f"engagement:{first}", 99, "NobodyKnows", "{}")
    await log.tell(given(offer(), id=ids_of_bucket(7, 3)[2]))
    await log.interleave(stories(*ids_of_bucket(8, 1)))
    spy = Spy()
    runner = Runner(pool, [spy])
    await runner.caught_up()

    (stopped,) = await runner.stopped()
    assert (stopped.projection, stopped.bucket, stopped.position) == ("engagements", 7, position)
    assert "NobodyKnows, version 99 of engagement:" in stopped.error
    assert [p for bucket, p in spy.applied if bucket == 7] == list(range(1, position))
    assert any(bucket == 8 for bucket, _ in spy.applied)
    assert [(lag.stopped, lag.events) for lag in await runner.lag()] == [(1, 2)]


async def test_a_stopped_bucket_is_not_tried_again_by_itself(pool, log):
    await log.tell(given(offer()))
    spy = Spy(refusing("OfferAccepted"))
    runner = Runner(pool, [spy])
    await runner.caught_up()
    spy.after = lambda events: None
    await log.tell(given(offer(), contract_read()))
    await runner.caught_up()
    assert spy.applied == []


async def test_the_stored_error_quotes_no_more_than_its_first_line(pool, log):
    await log.tell(given(offer()))
    runner = Runner(pool, [Spy(refusing("OfferAccepted"))])
    await runner.caught_up()
    (stopped,) = await runner.stopped()
    assert stopped.error == ("OfferAccepted, version 1 of engagement:9001: ValueError: no OfferAccepted here")


async def test_an_operator_can_skip_the_event_and_the_rest_follows(pool, log, runner, owner):
    story = given(offer())
    await log.tell(story)
    position = await log.raw("engagement:9001", 2, "NobodyKnows", "{}")
    await log.raw("engagement:9001", 3, "JobCreated", '{"job_id": "jb_1"}')
    await runner.caught_up()

    with pytest.raises(NotStopped):
        await runner.skip("engagements", bucket_of("engagement:9001"), position + 1, "why", "ops")
    (stopped, *_) = await runner.stopped()  # every read model stops at what nobody can read
    await runner.skip("attention", stopped.bucket, position, "a test wrote it", "ops")
    await runner.caught_up()

    assert await versions(pool) == {"9001": 3}
    (kept,) = await owner.fetch("SELECT projection, position, reason, actor, error FROM coverd.skipped_event")
    assert tuple(kept) == ("engagements", position, "a test wrote it", "ops", stopped.error)


async def test_a_newer_program_tries_stopped_buckets_again_when_it_starts(pool, log):
    await log.tell(given(offer()))
    await Runner(pool, [Spy(refusing("OfferAccepted"))]).caught_up()
    mended = Spy()
    async with running(Runner(pool, [mended], poll=3600)), asyncio.timeout(SOON):
        await mended.came.wait()


async def test_a_person_can_have_a_stopped_bucket_tried_again(pool, log):
    await log.tell(given(offer()))
    runner = Runner(pool, [Spy(once(ValueError("one event")))])
    await runner.caught_up()
    await runner.resume("engagements", bucket_of("engagement:9001"))
    await runner.caught_up()
    assert await versions(pool) == {"9001": 1}


@pytest.mark.parametrize("missing", [2, 3, 4])
async def test_a_hole_in_the_log_is_an_alarm(pool, log, owner, missing):
    entries = given(offer(), contract_read(), CONTRACTOR).entries
    assert len(entries) == 4
    await log.write("engagement:9001", entries)
    await owner.execute("DELETE FROM coverd.event WHERE position = $1", missing)
    runner = Runner(pool, [Spy()])
    await runner.caught_up()

    (stopped,) = await runner.stopped()
    assert stopped.position == missing
    assert f"no event at position {missing}" in stopped.error
    assert await versions(pool) == {"9001": missing - 1}


async def test_lag_counts_events_and_buckets(pool, log, runner):
    await log.tell(given(offer()))
    await log.tell(given(offer(), contract_read(), id="9002"))
    behind = sum(log.versions.values())
    assert [(lag.projection, lag.events, lag.buckets) for lag in await runner.lag()] == [
        ("engagements", behind, 2),
        ("freelancers", behind, 2),
        ("feed", behind, 2),
    ]
    await runner.caught_up()
    assert [(lag.events, lag.buckets, lag.stopped) for lag in await runner.lag()] == [(0, 0, 0)] * 3
