"""One run: the engagements live, the schedule breaks things, all is mended, and the books are closed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from random import Random

import aiohttp
import asyncpg

from chaos import books, schedule
from chaos.balancer import Balancer, balancer
from chaos.patient import KINDS, Patient, Stubborn
from chaos.report import Report
from chaos.senders import SENDERS, sending
from chaos.storm import Storm
from chaos.world import World, made
from service.demo.driver import DemoFailed, Peer

PATIENCE = 300.0
"""Seconds within which every engagement must have come to its state."""


@dataclass(frozen=True)
class Plan:
    """``engagements`` begin each with some fault, at most 12 at once; ``every``: seconds between two faults.

    At full load, ``load`` engagements live at once until the last is through, and senders never pause.
    """

    seed: int
    engagements: int
    faults: int
    load: int = 0
    every: float = 1.5
    replicas: int = 2

    @property
    def abreast(self) -> int:
        return self.load or 12

    @property
    def pause(self) -> float:
        """Seconds between two looks at one engagement: a hundred looks a second at most, or so."""
        return max(0.2, self.abreast / 100)


@dataclass(frozen=True)
class Aftermath:
    """What the books are closed over. ``lives``: engagement id → its kind and the state it must be in."""

    world: World
    drive: Patient
    front: Balancer
    lives: dict[str, tuple[str, str]]


async def _as_it_is(_: Aftermath) -> None:
    return None


async def run(
    plan: Plan,
    folder: Path,
    say: Callable[[str], None] = lambda _: None,
    spoil: Callable[[Aftermath], Awaitable[None]] = _as_it_is,
) -> Report:
    """Raises nothing for what goes wrong with the service: the report says it.

    ``spoil`` is for a test of the books themselves: it may falsify anything just before they are closed.
    """
    report = Report(plan.seed, plan.engagements)
    async with (
        balancer() as front,
        made(folder, front.url, plan.replicas) as world,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session,
    ):
        front.targets = [str(replica.url) for replica in world.replicas]
        await world.ready(session)
        drive = Patient(
            Stubborn(session, front.url, PATIENCE),
            Peer(session, world.upwork),
            Peer(session, world.ten99policy),
            PATIENCE,
            plan.pause,
        )
        say("everything runs; the storm begins")
        vendors = schedule.Vendors(session, world.upwork, world.ten99policy)
        storm = Storm(world, vendors, front, report, say, plan.faults)
        async with sending(front.url, SENDERS if plan.load else 0):
            breaking = asyncio.create_task(storm.rage(plan.seed, plan.every))
            lives = await _live(plan, drive, report, storm.begun, say)
            await _calm(breaking, report, say)
        await vendors.healed()
        await _settle(world, session, report, say)
        await spoil(Aftermath(world, drive, front, lives))
        report.complaints += world.complaints()
        await books.close(report, world, drive, front, lives)
    return report


async def _live(
    plan: Plan,
    drive: Patient,
    report: Report,
    begun: Sequence[asyncio.Event],
    say: Callable[[str], None],
) -> dict[str, tuple[str, str]]:
    """Every engagement's id, with its kind and the state it must be in. Each begins with some fault."""
    lives: dict[str, tuple[str, str]] = {}
    places = asyncio.Semaphore(plan.abreast)

    async def live(kind: str, fault: asyncio.Event) -> None:
        flow, expected = KINDS[kind]
        await fault.wait()
        async with places:
            try:
                lives[await flow(drive)] = (kind, expected)
            except (DemoFailed, TimeoutError) as error:
                report.complaints.append(f"a {kind} never came to its end: {error}")
            else:
                say(f"{len(lives):3} of {plan.engagements}: {kind} is {expected}")

    kinds = list(islice(cycle(KINDS), plan.engagements))
    random = Random(plan.seed)
    random.shuffle(kinds)
    faults = begun[:1] if plan.load else begun
    await asyncio.gather(*(live(kind, random.choice(faults)) for kind in kinds))
    return lives


async def _calm(breaking: "asyncio.Task[None]", report: Report, say: Callable[[str], None]) -> None:
    """Let the schedule come to its end: a run with few engagements still sees every fault."""
    if not breaking.done():
        say("all engagements are through; the rest of the schedule follows")
    try:
        await breaking
    except Exception as error:
        report.complaints.append(f"the schedule broke off: {type(error).__name__}: {error}")


async def _settle(
    world: World, session: aiohttp.ClientSession, report: Report, say: Callable[[str], None]
) -> None:
    """Everything is up: one sweep for what webhooks lost, then until nothing is left to do."""
    await world.ready(session)
    say("all faults are over; reconciling")
    code, _ = await world.coverd("reconcile", "--json")
    if code != 0:
        report.complaints.append(f"coverd reconcile ended with {code}")
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while await _left(world):
                await asyncio.sleep(0.5)


async def _left(world: World) -> int:
    """Deliveries and calls that are still to be dealt with."""
    connection = await asyncpg.connect(world.database_url)
    try:
        found: int = await connection.fetchval(
            """SELECT (SELECT count(*) FROM coverd.inbox
               WHERE outcome IS NULL OR outcome IN ('failed', 'parked'))
            + (SELECT count(*) FROM coverd.effect
               WHERE wake_at IS NOT NULL AND kind NOT IN ('WakeUp', 'WatchDeadline'))"""
        )
        return found
    finally:
        await connection.close()
