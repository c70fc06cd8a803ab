"""The storm: one fault after another; each is undone, and recovered from, before the next."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from random import Random

from chaos import canary, schedule
from chaos.balancer import Balancer
from chaos.report import Report
from chaos.world import World


@dataclass
class Storm:
    """``begun`` holds an event for its beginning and one for each of its ``faults``."""

    world: World
    vendors: schedule.Vendors
    front: Balancer
    report: Report
    say: Callable[[str], None]
    faults: int
    begun: list[asyncio.Event] = field(init=False)

    def __post_init__(self) -> None:
        self.begun = [asyncio.Event() for _ in range(self.faults + 1)]

    async def rage(self, seed: int, every: float) -> None:
        """A fault at most ``every`` seconds after the one before. In the end all have begun in any case."""
        random = Random(seed)
        first, *others = self.begun
        first.set()
        try:
            faults = islice(schedule.faults(self.world, self.vendors, random), self.faults)
            for fault, begun in zip(faults, others, strict=True):
                await asyncio.sleep(random.uniform(0.3, 1.0) * every)
                begun.set()
                await self._break(fault)
        finally:
            for begun in others:
                begun.set()

    async def _break(self, fault: schedule.Fault) -> None:
        self.say(f"  ! {fault.name}")
        self.report.faults.append(fault.name)
        self.front.during = fault.name
        unanswered = self.front.unanswered
        await fault.do()
        if fault.kind == schedule.IN_TURN and (more := self.front.unanswered - unanswered):
            self.report.complaints.append(f"no replica took {more} requests during {fault.name}")
        if fault.undo is not None:
            await asyncio.sleep(fault.lasts)
            began = time.monotonic()
            await fault.undo()
            await self._recovered(fault, began)

    async def _recovered(self, fault: schedule.Fault, began: float) -> None:
        session = self.vendors.session
        try:
            await self.world.ready(session)
            await canary.sings(session, self.front.url)
        except TimeoutError:
            self.report.complaints.append(f"not working again a minute after {fault.name}")
        else:
            self.report.recoveries.append(schedule.Recovery(fault.kind, time.monotonic() - began))
