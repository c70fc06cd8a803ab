"""A process is killed at any one of its calls to the store, before or after it took effect.

Nothing is lost by it, and nothing is done twice, above all not at the vendors.
"""

import inspect
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest
from orders.flows import FLOWS, Flow, Script, first_time, returning, written
from orders.harness import LEASE, POLITE, Clock, Delivered, Outcome, World

from service.store.memory import MemoryStore

SIMPLE = (first_time, returning)

REPEATED = ("read", "download", "find_contractor", "policies_of", "policy", "read_assignments")
"""Readings, which the next process has to repeat."""


class Killed(BaseException):
    """Nothing that is ours catches it, and after it nothing of the process runs."""


class Mortal:
    """The store as one process sees it, which is killed at its call number ``at``.

    ``after``: what it asked for is done, and it never hears so.
    """

    def __init__(self, store: MemoryStore, at: int | None = None, *, after: bool = False) -> None:
        self._store = store
        self._at = at
        self._after = after
        self._dead = False
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if not inspect.iscoroutinefunction(method):
            return method

        async def call(*given: Any, **named: Any) -> Any:
            self.calls.append(name)
            here = len(self.calls) == self._at
            self._die_if(here and not self._after)
            answer = await method(*given, **named)
            self._die_if(here)
            return answer

        return call

    def _die_if(self, now: bool) -> None:
        self._dead = self._dead or now
        if self._dead:
            raise Killed


async def lived(flow: Flow, at: int | None = None, *, after: bool = False) -> tuple[Outcome, list[str]]:
    """The polite order, and one killing in it; what came of it, and the calls of the first process."""
    clock = Clock(min(n.at for n in (*flow.prelude, *flow.news)))
    store = MemoryStore(clock)
    mortal = Mortal(store, at, after=after)
    world = World(mortal, clock, flow, POLITE, Random(0))  # type: ignore[arg-type]

    async def survived(work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Killed:
            world.begin(store)
            clock.reach(clock.at + LEASE)
            await work()  # whoever got no answer asks again, and a new process begins with a sweep

    for news in (*flow.prelude, *flow.news):
        await survived(lambda news=news: world._say(Delivered(news)))  # type: ignore[misc]
        await survived(world._quiet)
    await survived(world._finish)
    world.begin(store)
    return await world._outcome(), mortal.calls


async def assert_every_crash_is_survived(make: Callable[[Script], str]) -> None:
    flow = written(make, "c")
    polite, calls = await lived(flow)
    assert polite.engagements[-1]["state"] == flow.state
    for number, call in enumerate(calls, 1):
        for after in (False, True):
            killed, _ = await lived(flow, number, after=after)
            where = f"killed {'after' if after else 'before'} call {number}, {call}"
            assert killed.engagements == polite.engagements, where
            assert set(killed.inbox) == {"applied"}, where
            assert deeds(killed) == deeds(polite), where


def deeds(outcome: Outcome) -> dict[Any, int]:
    return {call: times for call, times in outcome.calls.items() if call[1] not in REPEATED}


@pytest.mark.parametrize("make", SIMPLE, ids=lambda make: make.__name__)
async def test_every_crash_of_a_simple_life_is_survived(make: Callable[[Script], str]) -> None:
    await assert_every_crash_is_survived(make)


@pytest.mark.slow
@pytest.mark.parametrize(
    "make", [make for make in FLOWS if make not in SIMPLE], ids=lambda make: make.__name__
)
async def test_every_crash_of_any_other_life_is_survived(make: Callable[[Script], str]) -> None:
    await assert_every_crash_is_survived(make)
