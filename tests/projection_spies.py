"""Projections that watch, crash or refuse, around one that works."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from projections.engagements import Engagements
from projections.feed import Told
from projections.runner import Runner

Places = list[tuple[int, int]]


@dataclass
class Spy:
    """Remembers the bucket and position of what it applied; ``after`` may raise once it has written."""

    after: Callable[[Sequence[Told]], None] = lambda events: None
    applied: Places = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    real: Engagements = field(default_factory=Engagements)
    name = Engagements.name
    tables = Engagements.tables
    follows = Engagements.follows

    async def apply(self, conn: Any, revision: int, events: Sequence[Told]) -> None:
        await self.real.apply(conn, revision, events)
        self.after(events)
        self.applied += [(event.bucket, event.position) for event in events]
        self.came.set()


def once(problem: Exception) -> Callable[[Sequence[Told]], None]:
    """Raise ``problem`` the first time only."""
    left = [problem]

    def raise_it(_: Sequence[Told]) -> None:
        if left:
            raise left.pop()

    return raise_it


def refusing(*types: str) -> Callable[[Sequence[Told]], None]:
    """Raise for every event of these types."""

    def refuse(events: Sequence[Told]) -> None:
        for event in events:
            if event.type in types:
                raise ValueError(f"no {event.type} here\nsecret@example.com")

    return refuse


@asynccontextmanager
async def running(runner: Runner) -> AsyncIterator[None]:
    runner.start()
    try:
        yield
    finally:
        await runner.stop()
