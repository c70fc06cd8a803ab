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

    async def heard(self, name, at):  # type: ignore[no-untyped-def]
        self.notes += 1
        if self.away:
            raise StoreUnavailable(why="it is away")
        await super().heard(name, at)

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


async def test_nobody_is_silent_where_nobody_asks(store: Counting, clock: Clock) -> None:
    told = sources(store, clock, None)
    clock.move(10 * HOUR.total_seconds())
    assert await told.silent_since() is None
    assert await told.attention() == []
    await asyncio.gather(told.measure(), told.stop())
