"""The gatherer: at once when idle, together when busy, each with its own answer."""

import asyncio
from collections.abc import Sequence

import pytest

from service.store import gather
from service.store.errors import StoreUnavailable
from service.store.flush import by_halves
from service.store.gather import Gatherer


class Line:
    """Takes batches, and answers each when the test lets it."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.busy = asyncio.Event()
        self.go = asyncio.Semaphore(0)

    async def __call__(self, items: Sequence[str]) -> Sequence[str | Exception]:
        self.batches.append(list(items))
        self.busy.set()
        await self.go.acquire()
        return [ValueError(item) if item == "bad" else item.upper() for item in items]

    async def taken(self) -> None:
        await self.busy.wait()
        self.busy.clear()


def submitted(gatherer: Gatherer[str, str], *items: str, size: int = 1) -> list[asyncio.Future[str]]:
    return [gatherer.submit(item, item[0], size) for item in items]


@pytest.fixture
def line() -> Line:
    return Line()


async def test_an_idle_line_sends_at_once_and_a_busy_one_gathers(line):
    gatherer = Gatherer(line)
    tasks = submitted(gatherer, "a")
    await line.taken()
    tasks += submitted(gatherer, "b", "c")
    await asyncio.sleep(0)
    tasks += submitted(gatherer, "d")
    await asyncio.sleep(0)
    for _ in range(2):
        line.go.release()
    assert await asyncio.gather(*tasks) == ["A", "B", "C", "D"]
    assert line.batches == [["a"], ["b", "c", "d"]]


async def test_a_second_item_of_a_key_waits_and_keeps_its_place(line):
    gatherer = Gatherer(line)
    tasks = submitted(gatherer, "a1", "a2", "b1", "a3", "b2")
    for _ in range(3):
        line.go.release()
    await asyncio.gather(*tasks)
    assert line.batches == [["a1", "b1"], ["a2", "b2"], ["a3"]]


async def test_a_batch_has_so_many_items_and_bytes_and_no_more(line, monkeypatch):
    monkeypatch.setattr(gather, "MOST_ITEMS", 3)
    monkeypatch.setattr(gather, "MOST_BYTES", 100)
    gatherer = Gatherer(line)
    tasks = submitted(gatherer, "a", "b", "c", "d")
    tasks += submitted(gatherer, "e", "f", size=60)
    tasks += submitted(gatherer, "g", size=500)
    for _ in range(4):
        line.go.release()
    await asyncio.gather(*tasks)
    assert line.batches == [["a", "b", "c"], ["d", "e"], ["f"], ["g"]]


async def test_each_item_gets_its_own_error(line):
    gatherer = Gatherer(line)
    tasks = submitted(gatherer, "a", "bad", "c")
    line.go.release()
    good, bad, better = await asyncio.gather(*tasks, return_exceptions=True)
    assert (good, better) == ("A", "C")
    assert isinstance(bad, ValueError)


async def test_a_caller_that_gives_up_harms_nobody(line):
    gatherer = Gatherer(line)
    first, second = submitted(gatherer, "a", "b")
    await line.taken()
    first.cancel()
    line.go.release()
    assert await second == "B"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_flush_that_breaks_fails_its_batch_and_not_the_next():
    async def flush(items: Sequence[str]) -> Sequence[str]:
        if "a" in items:
            raise RuntimeError("broken")
        return items

    gatherer: Gatherer[str, str] = Gatherer(flush)
    with pytest.raises(RuntimeError):
        await gatherer.submit("a", "a", 1)
    assert await gatherer.submit("b", "b", 1) == "b"


async def test_closing_sees_everything_through_and_takes_nothing_new(line):
    gatherer = Gatherer(line)
    tasks = submitted(gatherer, "a1", "a2")
    await line.taken()
    closing = asyncio.create_task(gatherer.close())
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable):
        await gatherer.submit("b", "b", 1)
    for _ in range(2):
        line.go.release()
    await closing
    assert await asyncio.gather(*tasks) == ["A1", "A2"]


async def test_culprits_are_found_by_halves_and_fail_alone():
    sent: list[int] = []

    async def send(items: Sequence[int]) -> Sequence[int]:
        sent.append(len(items))
        if {3, 200} & set(items):
            raise ValueError("one of these")
        return items

    outcomes = await by_halves(range(256), send)

    assert [n for n, outcome in enumerate(outcomes) if isinstance(outcome, ValueError)] == [3, 200]
    assert len(sent) < 40


async def test_when_the_store_is_away_nobody_is_searched_for():
    tries = 0

    async def send(_items: Sequence[int]) -> Sequence[int]:
        nonlocal tries
        tries += 1
        raise ConnectionResetError

    outcomes = await by_halves(range(8), send)
    assert tries == 1
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    assert len({id(outcome) for outcome in outcomes}) == 8
