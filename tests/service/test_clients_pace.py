"""Upwork is never asked more than ten times in any second, whatever happens around it."""

import asyncio

import pytest

from service.clients.pace import Pace
from service.clients.upwork import PER_SECOND

INTERVAL = 1.1 / PER_SECOND


class Time:
    """A clock that moves only when somebody sleeps; each sleep may overrun, as on a busy machine."""

    def __init__(self, *overruns: float) -> None:
        self.now = 1000.0
        self._overruns = list(overruns)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds + (self._overruns.pop(0) if self._overruns else 0.0)
        await asyncio.sleep(0)


def most_in_a_second(starts: list[float]) -> int:
    return max(sum(1 for s in starts if t <= s < t + 1.0) for t in starts)


async def starts_of(pace: Pace, time: Time, count: int) -> list[float]:
    starts: list[float] = []

    async def one() -> None:
        await pace.turn()
        starts.append(time.now)

    await asyncio.gather(*(one() for _ in range(count)))
    return starts


@pytest.mark.parametrize(
    "overruns",
    [(), (0.0, 0.0, 2.0), (0.5,) * 3, (0.015, 0.0) * 20, (3.0, 0.001, 0.09, 0.0, 1.0)],
    ids=["on time", "one long stall", "stalls", "jitter", "mixed"],
)
async def test_no_second_sees_more_than_ten_starts(overruns: tuple[float, ...]) -> None:
    time = Time(*overruns)
    starts = await starts_of(Pace(INTERVAL, clock=time, sleep=time.sleep), time, 60)
    assert starts == sorted(starts)
    assert most_in_a_second(starts) <= PER_SECOND


async def test_a_restart_begins_no_second_burst() -> None:
    time = Time()
    before = await starts_of(Pace(INTERVAL, clock=time, sleep=time.sleep), time, 30)
    after = await starts_of(Pace(INTERVAL, clock=time, sleep=time.sleep), time, 30)
    assert most_in_a_second([*before, *after]) <= PER_SECOND


async def test_a_pause_saves_up_no_turns() -> None:
    time = Time()
    pace = Pace(INTERVAL, clock=time, sleep=time.sleep)
    first = await starts_of(pace, time, 5)
    time.now += 3600
    assert most_in_a_second([*first, *await starts_of(pace, time, 30)]) <= PER_SECOND


async def test_who_gives_up_waiting_takes_no_turn() -> None:
    time = Time()
    pace = Pace(INTERVAL, clock=time, sleep=time.sleep)
    waiting = asyncio.create_task(pace.turn())
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    begun = time.now
    await pace.turn()
    assert time.now - begun == pytest.approx(INTERVAL)


async def test_first_come_first_served() -> None:
    time = Time()
    pace = Pace(INTERVAL, clock=time, sleep=time.sleep)
    order: list[int] = []

    async def one(number: int) -> None:
        await pace.turn()
        order.append(number)

    await asyncio.gather(*(one(n) for n in range(20)))
    assert order == list(range(20))
