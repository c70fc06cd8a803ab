"""What the processes share about the vendors: turns to ask them."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest
from contracts.given import NOON

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
