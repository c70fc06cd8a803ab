"""How sources are doing: heard now and then written down, silent past a limit, speaking again at once."""

import asyncio
from datetime import timedelta

import pytest
from contracts.given import NOON, Clock

from service.metrics import Metrics
from service.ports import SourceState
from service.sources import NOTED_EVERY, TEN99POLICY, Sources, silent_since
from service.store.errors import StoreUnavailable
from service.store.memory import MemoryStore

HOUR = timedelta(hours=1)


class Counting(MemoryStore):
    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.notes = self.looks = 0
        self.away = False

    async def heard(self, name, at, limit=None):  # type: ignore[no-untyped-def]
        self.notes += 1
        if self.away:
            raise StoreUnavailable(why="it is away")
        await super().heard(name, at, limit)

    async def sources(self):  # type: ignore[no-untyped-def]
        self.looks += 1
        return await super().sources()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(clock: Clock) -> Counting:
    made = Counting(clock)
    await made.watch_source(TEN99POLICY, NOON)
    return made


def sources(store: Counting, clock: Clock, limit: timedelta | None = HOUR) -> Sources:
    return Sources(store, clock, Metrics(), limit)


async def test_many_webhooks_are_one_note_in_a_while(store: Counting, clock: Clock) -> None:
    told = sources(store, clock)
    for _ in range(50):
        told.heard(TEN99POLICY)
    await told.stop()
    assert store.notes == 1
    clock.move(NOTED_EVERY)
    told.heard(TEN99POLICY)
    await told.stop()
    assert store.notes == 2
    assert (await told.states())[0].heard_at == clock()


async def test_a_note_that_failed_is_taken_again_and_harms_nobody(store: Counting, clock: Clock) -> None:
    told = sources(store, clock)
    store.away = True
    told.heard(TEN99POLICY)
    await told.stop()
    store.away = False
    told.heard(TEN99POLICY)
    await told.stop()
    assert (await told.states())[0].heard_at == clock()


async def test_a_source_that_speaks_is_looked_at_once_and_a_silent_one_each_time(
    store: Counting, clock: Clock
) -> None:
    told = sources(store, clock)
    await store.asked(TEN99POLICY, clock(), None, NOON)
    assert [await told.silent_since() for _ in range(9)] == [None] * 9
    assert store.looks == 1

    clock.move(HOUR.total_seconds() + 1)
    assert await told.silent_since() == int(NOON.timestamp())
    await store.asked(TEN99POLICY, clock(), None, NOON)
    assert await told.silent_since() is None


@pytest.mark.parametrize(
    ("asked", "heard", "now", "since"),
    [
        (0, 0, 3600, None),
        (0, 0, 3601, 0),
        (0, 1800, 3601, 1800),
        (None, None, 3600, None),
        (None, None, 3601, 0),
        (None, 60, 3601, 60),
    ],
)
def test_silence_counts_from_the_last_word_once_the_last_answer_is_too_old(
    asked: int | None, heard: int | None, now: int, since: int | None
) -> None:
    def at(seconds: int | None):  # type: ignore[no-untyped-def]
        return None if seconds is None else NOON + timedelta(seconds=seconds)

    source = SourceState(TEN99POLICY, NOON, at(heard), at(asked), None, None, NOON)
    found = silent_since(source, at(now), HOUR)
    assert found == (None if since is None else int(NOON.timestamp()) + since)
    assert silent_since(source, at(now), None) is None


def seconds(after: float) -> int:
    return int(NOON.timestamp()) + int(after)


async def test_what_was_silent_at_a_time_stays_so_when_it_speaks_again(store: Counting, clock: Clock) -> None:
    told = sources(store, clock)
    await store.asked(TEN99POLICY, NOON, None, NOON, HOUR)
    clock.move(5400)
    told.heard(TEN99POLICY)
    await told.stop()
    clock.move(5400)
    times = (0, 3600, 3601, 5399, 5400, 10_799, 10_800, 99_999)

    async def at_each() -> list[int | None]:
        return [await told.silent_since(NOON + timedelta(seconds=after)) for after in times]

    early = [None, None, seconds(0), seconds(0)]
    assert await at_each() == [*early, *[seconds(5400)] * 4]
    await store.asked(TEN99POLICY, clock(), None, NOON, HOUR)
    assert await at_each() == [*early, seconds(5400), seconds(5400), None, None]
    assert await told.silent_since() is None
    clock.move(HOUR.total_seconds() + 1)
    assert await at_each() == [*early, seconds(5400), seconds(5400), None, seconds(10_800)]


async def test_what_is_kept_is_told_where_nobody_asks_any_more(store: Counting, clock: Clock) -> None:
    await store.asked(TEN99POLICY, NOON, None, NOON, HOUR)
    now = clock.move(7200)
    await store.asked(TEN99POLICY, now, None, now, HOUR)
    assert await sources(store, clock, None).silent_since(NOON + 1.5 * HOUR) == seconds(0)


class AnsweredMeanwhile(Counting):
    async def silence_at(self, name, at):  # type: ignore[no-untyped-def]
        """What `sources` told just now is no longer true."""
        await self.asked(name, self._clock(), None, NOON, HOUR)
        return await super().silence_at(name, at)


async def test_a_silence_that_ends_while_it_is_looked_for_is_found(clock: Clock) -> None:
    store = AnsweredMeanwhile(clock)
    await store.watch_source(TEN99POLICY, NOON)
    now = clock.move(7200)
    await store.heard(TEN99POLICY, now, HOUR)
    assert await sources(store, clock).silent_since(NOON + 1.5 * HOUR) == seconds(0)


async def test_nobody_is_silent_where_nobody_asks(store: Counting, clock: Clock) -> None:
    told = sources(store, clock, None)
    clock.move(10 * HOUR.total_seconds())
    assert await told.silent_since() is None
    assert await told.attention() == []
    await asyncio.gather(told.measure(), told.stop())
