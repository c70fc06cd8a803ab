"""Gathering and Upwork's limit together, by a clock of their own: who waits how long, and for what."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from virtual_time import VirtualTime

from service.clients.gathering import MOST, Gathering
from service.clients.graphql import Found, Question
from service.store.memory import MemoryStore
from service.vendors.limiter import Limiter
from service.vendors.rate import UPWORK

DOCUMENT = "query Q($id: ID!) { contract(id: $id) { id } }"


@dataclass
class Upwork:
    """Answers at once whom the limit lets through; ``asked`` holds when, and for how many."""

    time: VirtualTime
    limiter: Limiter
    asked: list[tuple[float, int]] = field(default_factory=list)

    async def ask_in_turn(self, question: Callable[[], Question]) -> Found:
        await self.limiter.turn()
        ids = question().variables
        self.asked.append((self.time.now, len(ids)))
        return Found({name.replace("id", "contract"): {"id": id} for name, id in ids.items()}, ())


async def reading(arrivals: list[float]) -> tuple[Upwork, list[float]]:
    """Reads that come at these times, and how long each waited."""
    time = VirtualTime()
    shared = {"clock": time, "sleep": time.sleep, "shared_clock": time.shared}
    upwork = Upwork(time, Limiter(MemoryStore(time.shared), "upwork", UPWORK, **shared))  # type: ignore[arg-type]
    reads, began = Gathering(upwork), time.now  # type: ignore[arg-type]

    async def one(number: int, arrival: float) -> float:
        await time.sleep(arrival)
        found = await reads.ask(Question("Q", DOCUMENT, {"id": str(number)}))
        assert found.record("contract") == {"id": str(number)}
        return time.now - began - arrival

    async with time.passing(), asyncio.timeout(60):
        waited = await asyncio.gather(*(one(n, arrival) for n, arrival in enumerate(arrivals)))
    return upwork, waited


async def test_reads_that_find_a_free_turn_wait_for_nothing_and_nobody() -> None:
    upwork, waited = await reading([n * 0.25 for n in range(20)])
    assert max(waited) < 1e-6
    assert [times for _, times in upwork.asked] == [1] * 20


async def test_two_hundred_a_second_are_read_as_they_come() -> None:
    upwork, waited = await reading([n / 200 for n in range(1000)])
    assert max(waited) <= UPWORK.spacing + 1e-6, "nobody waits for more than the next turn"
    assert upwork.asked[0][1] == 1
    assert {times for _, times in upwork.asked[1:-1]} == {24}
    assert upwork.asked[-1][0] - upwork.asked[0][0] <= 5.1


async def test_a_backlog_goes_out_as_quickly_as_the_limit_lets_full_requests_through() -> None:
    upwork, waited = await reading([0.0] * 500)
    assert [times for _, times in upwork.asked] == [1, *[MOST] * 19, 24]
    assert max(waited) <= 20 * UPWORK.spacing + 1e-6
    assert 500 / max(waited) >= 200
