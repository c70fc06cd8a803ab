"""Sources and cursors: who asks, how far it has come, when each was heard of; and what waits for an id."""

import asyncio
from datetime import timedelta

import pytest
from contracts.given import NOON, delivery
from msgspec.structs import replace

from service.ports import POLLED
from service.store.errors import NotStorable

MINUTE = timedelta(minutes=1)


async def test_polled_deliveries_and_webhooks_are_kept_once_together(store):
    first, _ = await store.receive(delivery("body:ev_1", source="1099policy"))

    kept = await store.receive_polled(
        [delivery("body:ev_1", source="1099policy"), delivery("body:ev_2", source="1099policy")]
    )

    assert kept[0] == (first, False)
    assert kept[1][1] is True
    assert await store.receive(delivery("body:ev_2", source="1099policy")) == (kept[1][0], False)


def webhook(header="msg_1", source="1099policy"):
    """Its header has an id, and its body another."""
    return delivery(f"header:{header}", source=source, also="body:ev_1")


def polled(id="ev_1", source="1099policy"):
    return delivery(f"body:{id}", source=source, verdict=POLLED)


async def test_what_a_webhook_brought_under_its_headers_id_is_not_kept_again_when_polled(store):
    first, _ = await store.receive(webhook())

    kept = await store.receive_polled([polled(), polled("ev_2"), polled(source="upwork")])

    assert kept[0] == (first, False)
    assert [new for _, new in kept] == [False, True, True]
    assert len(await store.deliveries()) == 3


async def test_what_was_polled_is_not_kept_again_when_its_webhook_comes_late(store):
    ((first, _),) = await store.receive_polled([polled()])

    assert await store.receive(webhook()) == (first, False)
    assert await store.receive(webhook()) == (first, False)
    assert (await store.receive(webhook(source="upwork")))[1] is True
    assert await store.receive_polled([polled()]) == [(first, False)]


async def test_two_webhooks_with_ids_of_their_own_are_two_whatever_their_bodies_say(store):
    first, _ = await store.receive(webhook("msg_1"))
    second, new = await store.receive(webhook("msg_2"))

    assert (new, first != second) == (True, True)
    assert await store.receive_polled([polled()]) == [(first, False)]
    plain, new = await store.receive(delivery("body:ev_1", source="1099policy"))
    assert (new, plain not in (first, second)) == (True, True)


async def test_many_at_once_each_find_their_own_copy(store):
    webhooks = [replace(webhook(f"msg_{n}"), also=f"body:ev_{n}") for n in range(20)]
    kept = await asyncio.gather(*map(store.receive, webhooks))

    again = await store.receive_polled([polled(f"ev_{n}") for n in range(20)])

    assert again == [(id, False) for id, _ in kept]


async def test_a_cursor_moves_with_the_deliveries_it_brings(store):
    assert await store.cursor("1099policy:events") is None
    await store.receive_polled([delivery("body:ev_1")], ("1099policy:events", "17"))
    assert await store.cursor("1099policy:events") == "17"
    await store.receive_polled([], ("1099policy:events", "18"))
    assert await store.cursor("1099policy:events") == "18"
    assert await store.cursor("upwork:offers") is None


async def test_a_cursor_stays_where_it_was_when_a_delivery_cannot_be_kept(store):
    await store.receive_polled([], ("1099policy:events", "17"))
    with pytest.raises(NotStorable):
        await store.receive_polled([delivery("body:ev_1"), delivery("no\0")], ("1099policy:events", "18"))
    assert await store.cursor("1099policy:events") == "17"
    assert await store.deliveries() == []


async def test_nothing_polled_is_nothing_kept(store):
    assert await store.receive_polled([]) == []


async def test_one_of_many_gets_the_turn_and_the_others_when_it_is_due_again(store, clock):
    await store.watch_source("upwork", NOON + MINUTE)
    assert await store.take_turn("upwork", "early", NOON, NOON + 2 * MINUTE) is False
    now, until = clock.move(60), NOON + 5 * MINUTE

    taken = await asyncio.gather(*(store.take_turn("upwork", f"r{n}", now, until) for n in range(8)))

    assert sorted(taken) == [False] * 7 + [True]
    assert await store.take_turn("upwork", "late", until - MINUTE, until) is False
    assert await store.take_turn("upwork", "heir", until, until + MINUTE) is True
    assert await store.take_turn("nobody", "me", until, until) is False


async def test_who_asks_keeps_the_turn_until_done_or_replaced(store):
    await store.watch_source("upwork", NOON)
    assert await store.take_turn("upwork", "me", NOON, NOON + MINUTE)
    assert await store.keep_turn("upwork", "me", NOON + 2 * MINUTE) is True
    assert await store.take_turn("upwork", "other", NOON + MINUTE, NOON + 3 * MINUTE) is False
    assert await store.take_turn("upwork", "other", NOON + 2 * MINUTE, NOON + 3 * MINUTE) is True
    assert await store.keep_turn("upwork", "me", NOON + 9 * MINUTE) is False
    await store.asked("upwork", NOON + 2 * MINUTE, None, NOON + 5 * MINUTE)
    assert await store.keep_turn("upwork", "other", NOON + 9 * MINUTE) is False
    assert await store.keep_turn("nobody", "me", NOON) is False


async def test_a_source_is_heard_by_webhooks_and_by_answers(store, clock):
    await store.watch_source("1099policy", NOON)
    await store.watch_source("1099policy", NOON + MINUTE)
    await store.heard("1099policy", NOON + MINUTE)
    await store.heard("1099policy", NOON)

    (source,) = await store.sources()
    assert (source.since, source.heard_at, source.asked_at, source.due_at) == (
        NOON,
        NOON + MINUTE,
        None,
        NOON,
    )

    await store.asked("1099policy", NOON + 2 * MINUTE, None, NOON + 7 * MINUTE)
    (source,) = await store.sources()
    assert (source.heard_at, source.asked_at) == (NOON + 2 * MINUTE, NOON + 2 * MINUTE)
    assert (source.failing_since, source.error, source.due_at) == (None, None, NOON + 7 * MINUTE)


async def test_a_source_fails_since_it_first_did_and_recovers_at_once(store):
    await store.watch_source("upwork", NOON)
    await store.asked("upwork", NOON, None, NOON)
    for minute in (1, 2):
        await store.asked("upwork", NOON + minute * MINUTE, f"try {minute}", NOON)

    (source,) = await store.sources()
    assert (source.failing_since, source.error) == (NOON + MINUTE, "try 2")
    assert (source.heard_at, source.asked_at) == (NOON, NOON)

    await store.asked("upwork", NOON + 3 * MINUTE, None, NOON)
    (source,) = await store.sources()
    assert (source.failing_since, source.error, source.asked_at) == (None, None, NOON + 3 * MINUTE)


HOUR = timedelta(hours=1)


async def test_a_silence_is_kept_from_the_last_word_to_the_next(store):
    await store.watch_source("1099policy", NOON)
    await store.asked("1099policy", NOON, None, NOON, HOUR)
    await store.heard("1099policy", NOON + MINUTE, HOUR)
    assert await store.silence_at("1099policy", NOON + 2 * HOUR) is None

    await store.asked("1099policy", NOON + 2 * HOUR, "it is away", NOON, HOUR)
    assert await store.silence_at("1099policy", NOON + 1.5 * HOUR) is None
    await store.asked("1099policy", NOON + 3 * HOUR, None, NOON, HOUR)

    since = NOON + MINUTE
    times = {HOUR: None, HOUR + MINUTE: since, 3 * HOUR - MINUTE: since, 3 * HOUR: None, MINUTE / 2: None}
    assert {t: await store.silence_at("1099policy", NOON + t) for t in times} == times
    assert await store.silence_at("upwork", NOON + 2 * HOUR) is None


async def test_a_webhook_in_a_silence_does_not_end_it_but_moves_its_beginning(store):
    await store.watch_source("1099policy", NOON)
    for hours in (2, 3):
        await store.heard("1099policy", NOON + hours * HOUR, HOUR)
    await store.heard("1099policy", NOON + 2.5 * HOUR, HOUR)
    await store.asked("1099policy", NOON + 4 * HOUR, None, NOON, HOUR)

    since = [await store.silence_at("1099policy", NOON + hours * HOUR) for hours in (1.5, 2.5, 3.5, 4)]
    assert since == [NOON, NOON + 2 * HOUR, NOON + 3 * HOUR, None]


async def test_who_answers_within_the_limit_is_never_silent(store):
    await store.watch_source("1099policy", NOON)
    for asked in range(0, 7201, 300):
        await store.asked("1099policy", NOON + timedelta(seconds=asked), None, NOON, HOUR)
    await store.asked("1099policy", NOON + 3 * HOUR, None, NOON, HOUR)
    await store.asked("1099policy", NOON + 9 * HOUR, None, NOON)
    await store.heard("1099policy", NOON + 19 * HOUR)
    for minute in range(0, 19 * 60, 5):
        assert await store.silence_at("1099policy", NOON + minute * MINUTE) is None


async def test_many_that_hear_it_again_at_once_keep_one_silence(store):
    await store.watch_source("1099policy", NOON)
    again = [NOON + timedelta(hours=24, seconds=n) for n in range(8)]
    await asyncio.gather(
        *(store.asked("1099policy", at, None, at, HOUR) for at in again),
        *(store.heard("1099policy", at, HOUR) for at in again),
    )

    assert await store.silence_at("1099policy", NOON + 23 * HOUR) == NOON
    assert await store.silence_at("1099policy", again[-1]) is None
    (source,) = await store.sources()
    assert source.heard_at == again[-1]


async def test_a_parked_delivery_wakes_when_what_it_waits_for_is_known(store, clock):
    later = clock() + timedelta(hours=1)
    ids = {}
    for name, waits_for in (("one", [("policy", "pl_1"), ("quote", "qt_1")]), ("two", [("policy", "pl_2")])):
        ids[name], _ = await store.receive(delivery(name))
        await store.settle_delivery(ids[name], "parked", "t", None, [], later, waits_for)

    assert await store.wake_waiting([("quote", "qt_9"), ("offer", "pl_1")]) == 0
    assert await store.wake_waiting([("quote", "qt_1"), ("offer", "of_1")]) == 1

    assert [one.id for one in await store.claim_deliveries(10, 60, clock())] == [ids["one"]]
    assert await store.wake_waiting([("quote", "qt_1")]) == 0
    assert await store.wake_waiting([]) == 0


async def test_what_was_settled_while_it_waited_is_not_woken(store, clock):
    id, _ = await store.receive(delivery())
    awaited = [("policy", "pl_1"), ("policy", "odd \0 id")]
    await store.settle_delivery(id, "parked", "t", None, [], clock() + timedelta(hours=1), awaited)
    await store.settle_delivery(id, "applied", "t", None, ["engagement:9001"])

    assert await store.wake_waiting([("policy", "pl_1"), ("policy", "odd \0 id")]) == 0
    assert await store.claim_deliveries(10, 60, clock.move(7200)) == []
