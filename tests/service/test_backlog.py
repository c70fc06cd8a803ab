"""What a process has committed it also processes: in order, a few at a time, and after the senders."""

import asyncio
from datetime import UTC, datetime

import pytest

from service.ingest import backlog
from service.ingest.backlog import AT_ONCE, HURRY, Backlog
from service.ports import Delivery, StoredDelivery

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def stored(number: int, size: int = 1) -> StoredDelivery:
    delivery = Delivery("upwork", f"header:{number}", b"x" * size, {}, "ok", NOON)
    return StoredDelivery(f"d-{number}", delivery, None, None, None, (), None, 1)


class Work:
    """Processes a delivery when the test lets it."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.go = asyncio.Semaphore(0)
        self.senders = 0
        self.backlog = Backlog(self.process, lambda: self.senders)

    async def process(self, one: StoredDelivery) -> None:
        self.begun.append(one.id)
        await self.go.acquire()

    async def settle(self) -> None:
        """Until nothing goes on by itself."""
        for _ in range(10 * AT_ONCE):
            await asyncio.sleep(0)


async def test_deliveries_are_begun_in_their_order_and_only_so_many_at_once() -> None:
    work = Work()
    for number in range(AT_ONCE + 5):
        work.backlog.add(stored(number))
    await work.settle()
    assert work.begun == [f"d-{n}" for n in range(AT_ONCE)]
    for _ in range(3):
        work.go.release()
    await work.settle()
    assert work.begun == [f"d-{n}" for n in range(AT_ONCE + 3)]
    for _ in range(AT_ONCE + 2):
        work.go.release()
    await work.backlog.stop(10)
    assert len(work.begun) == AT_ONCE + 5


async def test_senders_who_wait_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "PACE", 3600.0)
    work = Work()
    work.senders = HURRY + 1
    work.backlog.add(stored(1))
    await work.settle()
    assert work.begun == []
    await work.backlog.stop(0)

    calm = Work()
    calm.senders = HURRY
    calm.backlog.add(stored(1))
    await calm.settle()
    assert calm.begun == ["d-1"]
    calm.go.release()
    await calm.backlog.stop(10)


async def test_in_a_hurry_it_still_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "PACE", 0.0)
    work = Work()
    work.senders = 100 * HURRY
    for number in range(3):
        work.backlog.add(stored(number))
    await work.settle()
    assert len(work.begun) == 3
    for _ in range(3):
        work.go.release()
    await work.backlog.stop(10)


async def test_there_is_room_only_for_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "MOST_BYTES", 10)
    work = Work()
    for number in range(AT_ONCE):
        work.backlog.add(stored(number))
    await work.settle()
    assert work.backlog.has_room
    work.backlog.add(stored(99, size=10))
    assert not work.backlog.has_room
    for _ in range(AT_ONCE + 1):
        work.go.release()
    await work.backlog.stop(10)
    assert work.backlog.has_room
