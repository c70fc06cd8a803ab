"""Appending: all or nothing, once for each cause, and only on top of what the writer saw."""

import asyncio

import pytest
from contracts.given import ADA, JOB, OFFER, READ, append, neighbours

from domain import events as e
from service.ports import Appended, EffectDone
from service.store.errors import NotStorable


async def test_an_append_moves_the_head_and_can_be_read_back(store, clock):
    done = await store.append(append(OFFER, e.JobCreated("j_1"), state="offered", status={"job_id": "j_1"}))

    assert done == Appended("appended", 2)
    head = await store.head(ADA)
    assert (head.version, head.state, head.status, head.updated_at) == (
        2,
        "offered",
        {"job_id": "j_1"},
        clock(),
    )
    first, second = await store.history(ADA)
    assert (first.event, second.event) == (OFFER, e.JobCreated("j_1"))
    assert (first.version, second.version) == (1, 2)
    assert first.recorded_at == second.recorded_at == clock()
    assert (first.effective_at, first.correlation, first.actor) == (
        1_777_000_000,
        "delivery-1",
        "webhook:upwork",
    )


async def test_a_stream_nobody_wrote_to_has_an_empty_head(store):
    head = await store.head("engagement:nobody")
    assert (head.version, head.state, head.status, head.updated_at) == (0, "", {}, None)
    assert await store.history("engagement:nobody") == []


async def test_a_reader_who_knows_the_version_is_told_only_when_it_has_moved(store):
    await store.append(append(OFFER))
    asked = [store.head_since(ADA, version) for version in (0, 1, 2)]
    behind, level, ahead = await asyncio.gather(*asked)
    assert level is None
    assert behind == ahead == await store.head(ADA)

    await store.append(append(e.JobCreated("j_1"), expected=1))
    moved = await store.head_since(ADA, 1)
    assert moved is not None
    assert moved.version == 2


async def test_a_reader_of_a_stream_nobody_wrote_to_is_told_so(store):
    assert await store.head_since("engagement:nobody", 0) is None
    gone = await store.head_since("engagement:nobody", 3)
    assert gone is not None
    assert (gone.version, gone.status) == (0, {})


async def test_a_writer_who_saw_too_little_gets_a_conflict_and_writes_nothing(store):
    await store.append(append(OFFER))

    late = append(e.JobCreated("j_1"), expected=0, effects=(JOB,), lookups=(("job", "j_1"),))
    assert await store.append(late) == Appended("conflict", 1)

    assert (await store.head(ADA)).version == 1
    assert await store.effects_of(ADA) == []
    assert await store.streams_of("job", "j_1") == []


async def test_a_writer_who_saw_too_much_gets_a_conflict_too(store):
    assert await store.append(append(OFFER, expected=3)) == Appended("conflict", 0)
    assert (await store.head(ADA)).version == 0


async def test_after_a_conflict_the_same_cause_may_try_again(store):
    await store.append(append(OFFER))
    assert (await store.append(append(e.JobCreated("j_1"), expected=0, cause="d-2"))).outcome == "conflict"
    assert await store.append(append(e.JobCreated("j_1"), expected=1, cause="d-2")) == Appended("appended", 2)


async def test_the_same_cause_appends_once(store):
    once = append(OFFER, cause="d-1", effects=(READ,))
    assert (await store.append(once)).outcome == "appended"
    assert await store.append(once) == Appended("duplicate", 1)
    again = append(e.JobCreated("j_1"), expected=1, cause="d-1", lookups=(("job", "j_1"),))
    assert await store.append(again) == Appended("duplicate", 1)

    assert len(await store.history(ADA)) == 1
    assert await store.streams_of("job", "j_1") == []


async def test_one_cause_may_reach_several_streams(store):
    assert (await store.append(append(OFFER, cause="d-1"))).outcome == "appended"
    assert (await store.append(append(OFFER, cause="d-1", stream="engagement:9002"))).outcome == "appended"


async def test_a_command_without_events_keeps_only_its_cause_and_look_ups(store):
    await store.append(append(OFFER))
    silent = append(
        expected=1, cause="d-2", lookups=(("policy", "p_1"),), effects=(READ,), state="x", status={"x": 1}
    )

    assert await store.append(silent) == Appended("appended", 1)

    assert await store.append(silent) == Appended("duplicate", 1)
    assert await store.streams_of("policy", "p_1") == [ADA]
    assert await store.effects_of(ADA) == []
    assert (await store.head(ADA)).state == "offered"


async def test_a_command_without_events_is_compared_with_the_version_as_well(store):
    await store.append(append(OFFER))
    assert await store.append(append(expected=0)) == Appended("conflict", 1)


async def test_a_stream_may_begin_with_a_command_without_events(store):
    assert await store.append(append(lookups=(("offer", "of_1"),))) == Appended("appended", 0)
    assert (await store.head(ADA)).updated_at is None
    assert await store.append(append(OFFER)) == Appended("appended", 1)


async def test_an_old_fence_makes_the_whole_append_stale(store, clock):
    await store.append(append(OFFER, effects=(READ,)))
    (first,) = await store.claim_of(ADA, 60, clock())
    (second,) = await store.claim_of(ADA, 60, clock.move(61))
    late = append(
        e.JobCreated("j_1"),
        expected=1,
        cause="effect:read",
        effects=(JOB,),
        lookups=(("job", "j_1"),),
        settles=EffectDone(ADA, "read", 1, first.fence, "done"),
    )

    assert await store.append(late) == Appended("stale", 1)

    assert (await store.head(ADA)).version == 1
    assert await store.streams_of("job", "j_1") == []
    assert [effect.step for effect in await store.effects_of(ADA)] == ["read"]
    in_time = append(
        e.JobCreated("j_1"),
        expected=1,
        cause="effect:read",
        settles=EffectDone(ADA, "read", 1, second.fence, "done"),
    )
    assert await store.append(in_time) == Appended("appended", 2)


async def test_a_conflict_settles_no_effect(store, clock):
    await store.append(append(OFFER, effects=(READ,)))
    (claimed,) = await store.claim_of(ADA, 60, clock())
    settles = EffectDone(ADA, "read", 1, claimed.fence, "done")

    assert (
        await store.append(append(e.JobCreated("j_1"), expected=7, settles=settles))
    ).outcome == "conflict"

    assert [effect.status for effect in await store.effects_of(ADA)] == ["running"]


async def test_an_append_settles_only_effects_of_its_own_stream(store):
    with pytest.raises(ValueError, match="its own stream"):
        await store.append(append(OFFER, settles=EffectDone("engagement:9002", "read", 1, 1, "done")))


async def test_look_ups_lead_to_every_stream_that_named_the_id(store):
    policy = ("policy", "p_1")
    await store.append(append(OFFER, stream="engagement:b", lookups=(policy, policy, ("offer", "of_1"))))
    await store.append(append(OFFER, stream="engagement:a", lookups=(policy,)))
    await store.append(append(e.JobCreated("j"), stream="engagement:a", expected=1, lookups=(policy,)))

    assert await store.streams_of("policy", "p_1") == ["engagement:a", "engagement:b"]
    assert await store.streams_of("offer", "of_1") == ["engagement:b"]
    assert await store.streams_of("quote", "p_1") == []
    both = ["engagement:b", "engagement:a", "engagement:b"]
    assert list(await store.streams_of_any(("offer", "policy", "quote"), "of_1")) == both[:1]
    assert list(await store.streams_of_any(("quote", "policy"), "p_1")) == both[1:]
    assert list(await store.streams_of_any((), "p_1")) == []


async def test_of_many_writers_at_one_version_exactly_one_wins(store):
    rivals = [append(OFFER, e.JobCreated(f"j_{n}")) for n in range(20)]

    outcomes = await asyncio.gather(*(store.append(rival) for rival in rivals))

    assert sorted(done.outcome for done in outcomes) == ["appended"] + ["conflict"] * 19
    assert {done.version for done in outcomes} == {2}


async def test_of_many_tries_of_one_cause_exactly_one_appends(store):
    once = append(OFFER, cause="d-1")
    outcomes = await asyncio.gather(*(store.append(once) for _ in range(20)))
    assert sorted(done.outcome for done in outcomes) == ["appended"] + ["duplicate"] * 19


async def test_many_streams_at_once_each_get_their_own_answer(store):
    streams = [f"engagement:{n}" for n in range(300)]
    await store.append(append(OFFER, stream=streams[7], cause="seen"))
    commands = [append(OFFER, stream=stream, cause="seen") for stream in streams]

    outcomes = await asyncio.gather(*(store.append(command) for command in commands))

    assert [n for n, done in enumerate(outcomes) if done.outcome == "duplicate"] == [7]
    assert {done.outcome for done in outcomes} == {"appended", "duplicate"}


@pytest.mark.parametrize(
    "bad",
    [
        {"stream": "engagement:\0"},
        {"stream": "engagement:\ud800"},
        {"stream": "engagement:" + "x" * 600},
        {"lookups": (("quote", "q" * 2000),)},
        {"lookups": (("quote", "q\0"),)},
        {"cause": "c" * 2000},
        {"status": {"name": "\ud800"}},
        {"status": {"cents": 2**70}},
    ],
    ids=lambda bad: next(iter(bad)),
)
async def test_what_can_never_be_kept_is_refused_alone(store, bad):
    good = [append(OFFER, stream=f"engagement:{n}") for n in range(4)]
    outcomes = await asyncio.gather(
        *(store.append(command) for command in [*good[:2], append(OFFER, **bad), *good[2:]]),
        return_exceptions=True,
    )

    assert isinstance(outcomes.pop(2), NotStorable)
    assert [done.outcome for done in outcomes] == ["appended"] * 4


async def test_text_of_any_kind_in_events_and_status_comes_back_as_it_was(store):
    words = 'NUL \0, quote ", backslash \\, newline \n, 漢字, 😀'
    event = e.HoldRaised("name", words, "fix")
    await store.append(append(event, status={"words": words}, stream="engagement:漢\n\\"))

    assert (await store.head("engagement:漢\n\\")).status == {"words": words}
    (recorded,) = await store.history("engagement:漢\n\\")
    assert recorded.event == event
    assert await store.verify_stream("engagement:漢\n\\") is None


async def test_asking_for_what_cannot_be_a_key_finds_nothing(store):
    for odd in ("\0", "\ud800", "x" * 5000, ""):
        assert (await store.head(odd)).version == 0
        assert await store.history(odd) == []
        assert await store.streams_of("offer", odd) == []
        assert list(await store.streams_of_any(("offer", "job"), odd)) == []
        assert await store.effects_of(odd) == []
        assert await store.delivery(odd) is None
        assert await store.file(odd) is None


async def test_time_never_steps_back_within_a_bucket(store, clock):
    noon = clock()
    (neighbour,) = neighbours(1)
    await store.append(append(OFFER))
    clock.move(-3600)
    await store.append(append(OFFER, stream=neighbour))

    (late,) = await store.history(neighbour)
    assert late.recorded_at == noon
