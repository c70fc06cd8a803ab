"""What the processes share about the vendors: turns to ask them, what fails, what people decided."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from contracts.given import ADA, JOB, NOON, OFFER, READ, append

from service.vendors.breaker import Failure, Patience
from service.vendors.ports import InVain, SealedToken
from service.vendors.rate import Rate

RATE = Rate(spacing=0.125, interval=0.25, slack=1.0, horizon=2.0)


async def test_turns_are_apart_by_the_spacing_and_then_by_the_average(store):
    turns = await store.take_turns("upwork", 9, RATE, NOON)
    assert turns == pytest.approx([0.125 * n for n in range(8)] + [1.0])
    assert await store.take_turns("upwork", 2, RATE, NOON) == pytest.approx([1.25, 1.5])


async def test_no_turn_lies_beyond_the_horizon(store):
    assert len(await store.take_turns("upwork", 100, RATE, NOON)) == 13
    assert await store.take_turns("upwork", 1, RATE, NOON) == []
    assert await store.take_turns("upwork", 1, RATE, NOON + timedelta(seconds=1)) == pytest.approx([1.25])


async def test_a_rest_saves_up_no_more_than_the_slack(store):
    await store.take_turns("upwork", 5, RATE, NOON)
    later = await store.take_turns("upwork", 9, RATE, NOON + timedelta(days=3))
    assert later == pytest.approx([0.125 * n for n in range(8)] + [1.0])


async def test_vendors_have_turns_of_their_own(store):
    await store.take_turns("upwork", 5, RATE, NOON)
    assert await store.take_turns("1099policy", 1, RATE, NOON) == [0]


async def test_no_turn_is_given_twice(store):
    shares = await asyncio.gather(*(store.take_turns("upwork", 2, RATE, NOON) for _ in range(5)))
    turns = sorted(turn for share in shares for turn in share)
    assert all(b - a >= 0.124 for a, b in pairwise(turns))
    assert len(turns) == 10


async def test_the_stores_own_clock_is_asked_where_no_time_is_given(store):
    (first,) = await store.take_turns("upwork", 1, RATE, None)
    assert first == 0


async def test_turns_are_counted_by_the_day(store):
    midnight = NOON + timedelta(hours=12)
    await store.take_turns("upwork", 3, RATE, NOON)
    await store.take_turns("upwork", 2, RATE, NOON + timedelta(hours=1))
    assert await store.turns_taken("upwork", NOON.date()) == 5
    assert await store.turns_taken("upwork", midnight.date()) == 0
    await store.take_turns("upwork", 1, RATE, midnight)
    assert await store.turns_taken("upwork", midnight.date()) == 1
    assert await store.turns_taken("1099policy", NOON.date()) == 0


async def test_what_a_day_allows_is_given_once_by_all_together_and_again_the_next_day(store):
    few = replace(RATE, a_day=7)
    shares = await asyncio.gather(*(store.take_turns("upwork", 2, few, NOON) for _ in range(5)))
    assert sum(len(share) for share in shares) == 7
    assert await store.take_turns("upwork", 1, few, NOON + timedelta(hours=11, minutes=59)) == []
    assert await store.turns_taken("upwork", NOON.date()) == 7
    assert await store.take_turns("upwork", 1, few, NOON + timedelta(hours=12)) == [0]
    assert len(await store.take_turns("upwork", 20, few, NOON + timedelta(hours=13))) == 6


PATIENCE = Patience(failures=3, first=5, most=15, apart=600, longest=3600)


def failure(at=NOON, **more):
    return Failure(at, more.pop("error", "503"), **more)


async def test_an_operation_opens_after_so_many_failures_in_a_row_and_success_forgets_them(store):
    for number in (1, 2):
        found = await store.vendor_failed("upwork", "ReadContract", failure(), PATIENCE)
        assert (found.failures, found.is_open) == (number, False)
    assert await store.close_breakers("upwork", ["ReadContract"]) == []
    assert await store.breakers() == []

    for _ in range(3):
        await store.vendor_failed("upwork", "ReadContract", failure(error="50\0x"), PATIENCE)
    await store.vendor_failed("upwork", "FetchAttachment", failure(), PATIENCE)

    attachments, contracts = await store.breakers()
    assert (attachments.operation, attachments.is_open) == ("FetchAttachment", False)
    assert (contracts.opened_at, contracts.until, contracts.error) == (NOON, NOON + seconds(5), "50\ufffdx")
    assert await store.close_breakers("upwork") == ["ReadContract"]


async def test_failures_from_long_ago_do_not_count(store):
    for _ in range(2):
        await store.vendor_failed("upwork", "ReadContract", failure(), PATIENCE)
    later = NOON + seconds(601)
    found = await store.vendor_failed("upwork", "ReadContract", failure(later), PATIENCE)
    assert (found.failures, found.since) == (1, later)


async def test_failures_of_all_replicas_count_together(store):
    found = await asyncio.gather(
        *(store.vendor_failed("1099policy", "CreateJob", failure(), PATIENCE) for _ in range(6))
    )
    assert sorted(one.failures for one in found) == [1, 2, 3, 4, 5, 6]
    (breaker,) = await store.breakers()
    assert (breaker.failures, breaker.openings) == (6, 1), "what was under way opens nothing anew"


async def test_one_of_many_may_try_and_each_failed_try_doubles_the_wait_up_to_its_most(store):
    await store.vendor_failed("1099policy", "*", failure(at_once=True), PATIENCE)
    now = NOON
    assert await store.take_probe("1099policy", "*", now, now + seconds(60)) is False
    for wait in (5, 10, 15, 15):
        now += seconds(wait)
        taken = [await store.take_probe("1099policy", "*", now, now + seconds(60)) for _ in range(4)]
        assert taken == [True, False, False, False]
        await store.vendor_failed("1099policy", "*", failure(now, probe=True), PATIENCE)
    assert await store.take_probe("1099policy", "nothing", now, now) is False


async def test_the_vendors_wish_is_kept_up_to_the_longest(store):
    for operation, wish, kept in (("a", 2.0, 5), ("b", 900.0, 900), ("c", 1e9, 3600)):
        asked = failure(at_once=True, retry_after=wish)
        opened = await store.vendor_failed("upwork", operation, asked, PATIENCE)
        assert opened.until == NOON + seconds(kept)


async def test_a_wish_that_comes_late_is_kept_too_and_none_is_shortened(store):
    await store.vendor_failed("upwork", "a", failure(at_once=True), PATIENCE)
    for wish, until in ((60.0, 60), (30.0, 60), (None, 60)):
        late = failure(retry_after=wish)
        assert (await store.vendor_failed("upwork", "a", late, PATIENCE)).until == NOON + seconds(until)


async def test_a_try_that_found_nothing_to_try_is_free_for_the_next(store):
    await store.vendor_failed("upwork", "*", failure(at_once=True), PATIENCE)
    now = NOON + seconds(5)
    assert await store.take_probe("upwork", "*", now, now + seconds(60))
    await store.give_probe_back("upwork", "*", now)
    assert await store.take_probe("upwork", "*", now, now + seconds(60))


async def test_what_people_decided_is_kept_once_and_for_good(store, clock):
    assert await store.add_act("upwork", "pause", "token:1", "their maintenance\0", "request:a") is True
    assert await store.add_act("upwork", "pause", "token:1", "again", "request:a") is False
    clock.move(60)
    assert await store.add_act("upwork", "resume", "token:2", "it is over", "request:b") is True
    assert await store.add_act("1099policy", "pause", "local", "the key is changed", "request:a") is True

    latest, first = await store.acts_of("upwork", 10)
    assert (latest.number, latest.act, latest.actor, latest.at) == (2, "resume", "token:2", clock())
    assert (first.number, first.reason, first.at) == (1, "their maintenance\ufffd", NOON)
    assert [act.number for act in await store.acts_of("upwork", 1)] == [2]


async def test_what_is_paused_is_told_by_the_latest_act_of_each_operation(store, clock):
    for vendor, act, operation in (
        ("1099policy", "pause", "CreateJob"),
        ("1099policy", "pause", "*"),
        ("1099policy", "pause", "CreateQuote"),
        ("1099policy", "resume", "*"),
        ("upwork", "pause", "ReadContract"),
        ("1099policy", "resume", "CreateJob"),
        ("1099policy", "pause", "CreateJob"),
        ("1099policy", "resume", "CreateQuote"),
    ):
        clock.move(1)
        cause = f"request:{clock()}"
        assert await store.add_act(vendor, act, "token:1", "why", cause, operation) is True

    told = [(act.vendor, act.operation, act.number) for act in await store.pauses()]
    assert told == [("1099policy", "CreateJob", 6), ("upwork", "ReadContract", 1)]
    assert [act.operation for act in await store.acts_of("1099policy", 2)] == ["CreateQuote", "CreateJob"]


async def test_many_decisions_at_once_are_all_kept(store):
    kept = await asyncio.gather(
        *(store.add_act("upwork", "pause", "local", "why", f"request:{n}") for n in range(5))
    )
    assert kept == [True] * 5
    assert [act.number for act in await store.acts_of("upwork", 10)] == [5, 4, 3, 2, 1]


async def test_a_claim_leaves_closed_kinds_alone(store, clock):
    await store.append(append(OFFER, effects=(READ, JOB)))
    assert await store.claim_of(ADA, 60, clock(), {"CreateJob", "ReadContract"}) == []
    assert [one.step for one in await store.claim(10, 60, clock(), without={"CreateJob"})] == ["read"]


async def test_the_effect_tried_least_finds_out_for_the_others(store, clock):
    await store.append(append(OFFER, effects=(READ, JOB)))
    await store.append(append(OFFER, effects=(JOB,), stream="engagement:9002"))
    (tried,) = [one for one in await store.claim_of(ADA, 60, clock()) if one.step == "job"]
    await store.retry_later(tried, clock(), "503")

    probe = await store.claim_probe(["CreateJob"], 60, clock())
    assert (probe.stream_id, probe.attempt) == ("engagement:9002", 1)
    other = await store.claim_probe(["CreateJob"], 60, clock())
    assert (other.stream_id, other.attempt) == (ADA, 2)
    assert await store.claim_probe(["CreateJob"], 60, clock()) is None
    assert await store.claim_probe(["CreateQuote"], 60, clock()) is None


async def test_what_is_held_back_waits_without_an_attempt_and_can_still_find_out(store, clock):
    await store.append(append(OFFER, effects=(READ, JOB)))
    later = NOON + timedelta(minutes=10)
    await store.hold_back(["CreateJob"], clock(), later)

    assert [one.step for one in await store.claim(10, 60, clock())] == ["read"]
    (job,) = [row for row in await store.effects_of(ADA) if row.step == "job"]
    assert (job.status, job.attempt, job.wake_at) == ("waiting", 0, later)
    assert await store.waiting_by_channel() == {"upwork": 1, "1099policy": 1}
    probe = await store.claim_probe(["CreateJob"], 60, clock())
    assert probe.step == "job"
    assert await store.retry_later(probe, NOON, "503")
    await store.hold_back(["CreateJob"], clock(), later)
    await store.rouse(["CreateJob"], clock())
    assert [one.step for one in await store.claim(10, 60, clock())] == ["job"]


async def test_whether_any_call_of_some_kinds_waits(store, clock):
    await store.append(append(OFFER, effects=(READ, JOB)))
    assert await store.any_waits(["CreateQuote", "CreateJob"])
    assert not await store.any_waits(["CreateQuote"])
    (job,) = await store.claim_of(ADA, 60, clock(), {"ReadContract"})
    assert await store.any_waits(["CreateJob"]), "it is under way"
    await store.finish(job, "done")
    assert not await store.any_waits(["CreateJob"])
    assert not await store.any_waits([])


async def test_calls_that_fail_a_dozen_times_are_told_by_kind_with_the_oldest(store, clock):
    await store.append(append(OFFER, effects=(READ, JOB)))
    clock.move(60)
    await store.append(append(OFFER, effects=(JOB,), stream="engagement:9002"))
    assert await store.in_vain() == []
    for stream in (ADA, "engagement:9002"):
        for attempt in range(1, 12):
            (job,) = await store.claim_of(stream, 60, clock(), {"ReadContract"})
            assert job.attempt == attempt
            await store.retry_later(job, clock(), f"503 of {stream}")
    assert await store.in_vain() == [], "eleven times is not a dozen"

    for stream in ("engagement:9002", ADA):
        (job,) = await store.claim_of(stream, 60, clock(), {"ReadContract"})
    told = InVain("1099policy", "CreateJob", 2, NOON, ADA, f"503 of {ADA}")
    assert await store.in_vain() == [told]
    await store.finish(job, "done")
    (left,) = await store.in_vain()
    assert (left.count, left.stream_id) == (1, "engagement:9002")


def seconds(count):
    return timedelta(seconds=count)


async def test_of_many_who_saw_the_same_token_run_out_one_fetches_another(store):
    until = NOON + seconds(60)
    assert await store.shared_token("upwork:1") == SealedToken(0, None, None)
    turns = await asyncio.gather(
        *(store.take_token_turn("upwork:1", 0, f"r{n}", NOON, until) for n in range(5))
    )
    assert sorted(turns) == [False] * 4 + [True]
    owner = f"r{turns.index(True)}"

    await store.keep_token("upwork:1", "somebody else", b"theirs", until)
    await store.keep_token("upwork:1", owner, b"sealed", NOON + seconds(3600))

    assert await store.shared_token("upwork:1") == SealedToken(1, b"sealed", NOON + seconds(3600))
    assert await store.take_token_turn("upwork:1", 0, "late", NOON, until) is False
    assert await store.take_token_turn("upwork:1", 1, "next", NOON, until) is True
    assert (await store.shared_token("upwork:2")).number == 0


async def test_whoever_fails_to_fetch_or_is_gone_leaves_it_to_the_next(store):
    until = NOON + seconds(60)
    assert await store.take_token_turn("upwork:1", 0, "one", NOON, until)
    await store.give_token_turn_back("upwork:1", "other")
    assert not await store.take_token_turn("upwork:1", 0, "two", NOON, until)
    await store.give_token_turn_back("upwork:1", "one")
    assert await store.take_token_turn("upwork:1", 0, "two", NOON, until)
    assert await store.take_token_turn("upwork:1", 0, "heir", until, until + seconds(60))
    await store.keep_token("upwork:1", "two", b"late", until)
    assert (await store.shared_token("upwork:1")).sealed is None
