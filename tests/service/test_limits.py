"""Upwork is asked ten times in any second and 300 times in any minute at most, by all processes together."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from contracts.given import NOON
from virtual_time import VirtualTime

from service.clients.http import Crowded, Spent
from service.store.memory import MemoryStore
from service.store.postgres import PostgresStore
from service.vendors.limiter import BLOCK, Limiter
from service.vendors.rate import UPWORK, Rate


class Timed:
    """A replica's way to the store: no time passes on it, unless ``slow`` says how much each way."""

    def __init__(self, store: PostgresStore | MemoryStore, time: VirtualTime) -> None:
        self.store = store
        self.time = time
        self.slow = 0.0
        self.trips = 0

    async def turns_taken(self, name: str, day: date) -> int:
        return await self.store.turns_taken(name, day)

    async def take_turns(self, name: str, want: int, rate: Rate, now: datetime | None) -> Sequence[float]:
        self.trips += 1
        self.time.busy += 1
        try:
            self.time.now += self.slow
            turns = await self.store.take_turns(name, want, rate, self.time.shared())
            self.time.now += self.slow
            return turns
        finally:
            self.time.busy -= 1


def limiter(way: Timed, name: str = "upwork") -> Limiter:
    return Limiter(way, name, UPWORK, clock=way.time, sleep=way.time.sleep)  # type: ignore[arg-type]


@asynccontextmanager
async def replicas(database_url: str, time: VirtualTime, count: int = 2) -> AsyncIterator[list[Timed]]:
    stores = [await PostgresStore.open(database_url, time.shared, connections=1) for _ in range(count)]
    try:
        yield [Timed(store, time) for store in stores]
    finally:
        for store in stores:
            await store.close()


async def ask(limiters: Sequence[Limiter], time: VirtualTime, each: int, callers: int = 8) -> list[float]:
    """When the vendor was asked: ``each`` times by every limiter, by several callers side by side."""
    starts: list[float] = []

    async def one(mine: Limiter) -> None:
        for _ in range(each // callers):
            await mine.turn()
            starts.append(time.now)

    async with time.passing(), asyncio.timeout(60):
        await asyncio.gather(*(one(mine) for mine in limiters for _ in range(callers)))
    return starts


def most_within(seconds: float, starts: Sequence[float]) -> int:
    ordered, most, first = sorted(starts), 0, 0
    for last, start in enumerate(ordered):
        while start - ordered[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


async def test_two_replicas_together_keep_the_second_and_the_minute_and_use_them(database_url: str) -> None:
    time = VirtualTime()
    async with replicas(database_url, time) as ways:
        starts = await ask([limiter(way) for way in ways], time, each=320)
    assert len(starts) == 640
    assert 6 <= most_within(1, starts) <= 10
    assert 240 <= most_within(60, starts) <= 300
    assert max(starts) - min(starts) <= 640 * UPWORK.interval - UPWORK.slack + 1


async def test_processes_that_do_not_share_their_turns_would_break_the_limit(database_url: str) -> None:
    time = VirtualTime()
    async with replicas(database_url, time) as ways:
        starts = await ask([limiter(ways[0], "one"), limiter(ways[1], "other")], time, each=64)
    assert most_within(1, starts) > 10


async def test_restarts_and_turns_that_were_leased_and_lost_begin_no_burst(database_url: str) -> None:
    time = VirtualTime()
    starts: list[float] = []
    async with replicas(database_url, time) as ways:
        for _ in range(12):
            crashed = [asyncio.create_task(limiter(ways[0]).turn()) for _ in range(3)]
            await asyncio.sleep(0)
            for task in crashed:
                task.cancel()
            await asyncio.gather(*crashed, return_exceptions=True)
            starts += await ask([limiter(way) for way in ways], time, each=32)
    assert most_within(1, starts) <= 10
    assert most_within(60, starts) <= 300


async def test_many_callers_share_a_round_trip(database_url: str) -> None:
    time = VirtualTime()
    async with replicas(database_url, time, 1) as (way,):
        await ask([limiter(way)], time, each=80, callers=BLOCK)
        assert way.trips <= 80 / BLOCK + BLOCK


@pytest.mark.parametrize("slow", [0.02, 0.09, 0.3])
async def test_a_slow_answer_makes_no_turn_early_or_late(slow: float) -> None:
    """By the store's clock, which read its time half-way, each start is within its turn."""
    time = VirtualTime()
    ways = [Timed(MemoryStore(time.shared), time) for _ in range(2)]
    ways[1].store = ways[0].store
    ways[1].slow = slow
    both = ask([limiter(way) for way in ways], time, each=40)
    if slow * 2 > UPWORK.grace:
        with pytest.raises(Crowded):
            await both
        return
    starts = await both
    assert most_within(1, starts) <= 10


async def test_whoever_finds_no_turn_in_time_is_sent_away() -> None:
    time = VirtualTime()
    store = MemoryStore(time.shared)
    hours = replace(UPWORK, horizon=1e9)
    await store.take_turns("upwork", 1000, hours, time.shared())
    async with time.passing():
        with pytest.raises(Crowded, match="Upwork could not be asked"):
            await limiter(Timed(store, time)).turn()


async def test_when_the_day_is_spent_everybody_is_sent_away_at_once_until_the_next() -> None:
    time = VirtualTime()
    few = replace(UPWORK, a_day=3)
    way = Timed(MemoryStore(time.shared), time)
    mine = [Limiter(way, "upwork", few, clock=time, sleep=time.sleep, shared_clock=time.shared) for _ in "ab"]  # type: ignore[arg-type]
    async with time.passing():
        turns = await asyncio.gather(*(one.turn() for one in mine * 4), return_exceptions=True)
        assert sorted(type(turn).__name__ for turn in turns) == ["NoneType"] * 3 + ["Spent"] * 5
        began, trips = time.now, way.trips
        with pytest.raises(Spent, match="the 3 requests of the day are spent") as spent:
            await mine[0].turn()
        assert (time.now, way.trips) == (began, trips + 1), "nobody waits, and nobody asks on and on"
        assert spent.value.retry_after is not None
        midnight = time.shared() + timedelta(seconds=spent.value.retry_after)
        assert (midnight.hour, midnight.minute, midnight.second) == (0, 0, 0)
        time.now += spent.value.retry_after
        await mine[0].turn()


async def test_who_gives_up_waiting_holds_nobody_up() -> None:
    time = VirtualTime()
    mine = limiter(Timed(MemoryStore(lambda: NOON), time))
    async with time.passing():
        given_up = [asyncio.create_task(mine.turn()) for _ in range(20)]
        await asyncio.sleep(0)
        for task in given_up:
            task.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)
        before = time.now
        await mine.turn()
        assert time.now - before <= BLOCK * UPWORK.spacing
