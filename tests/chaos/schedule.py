"""What is broken when: a seeded list of faults, each with how it is done and undone."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

import aiohttp
import psutil

from chaos.world import Program, World

Act = Callable[[], Awaitable[None]]

CALLS = (
    *("POST /api/v1/contractors", "POST /api/v1/jobs", "POST /api/v1/quotes", "POST /api/v1/apply/sessions"),
    *("POST /api/v1/assignments", "GET /api/v1/contractors*", "GET /api/v1/policies*", "* /api/v1/*"),
)
FAILURES = (
    *("status:503", "status:500", "status:429", "retry-after:1", "delay:700", "drop-before"),
    *("drop-after-commit", "truncate", "html", "html:502"),
)
HALTS = (2.0, 25.0)
"""Seconds that a process is frozen or cut off; the longer outlasts what it has leased of the inbox."""

LOSSES = ("lose", "duplicate", "reorder", "bad-signature")


@dataclass(frozen=True)
class Fault:
    """``undo`` brings back what ``do`` took away, after ``lasts`` seconds; None: it wears off by itself."""

    kind: str
    name: str
    do: Act
    undo: Act | None
    lasts: float


@dataclass(frozen=True)
class Recovery:
    """How long after a fault's end every process was ready and a delivery was processed, in seconds."""

    fault: str
    seconds: float


IN_TURN = "all in turn"
PROCESSES = (
    *("a replica killed", "a replica stopped", "a process frozen", "the worker ended", "all killed"),
    IN_TURN,
)
DATABASE = (
    *("Postgres stopped", "Postgres killed", "a session of Postgres killed", "Postgres frozen"),
    "a replica cut off",
)
WIRES = ("1099Policy", "1099Policy", "1099Policy", "Upwork", "webhooks", "webhooks")


def faults(world: World, vendors: "Vendors", random: Random) -> Iterator[Fault]:
    """Faults without an end; every kind comes up once before any comes up again."""
    while True:
        kinds = [*PROCESSES, *DATABASE, *WIRES]
        random.shuffle(kinds)
        for kind in kinds:
            yield _fault(kind, world, vendors, random)


def _fault(kind: str, world: World, vendors: "Vendors", random: Random) -> Fault:
    lasts = random.uniform(0.3, 2.0)
    match kind:
        case "a replica killed":
            return _ended(kind, [random.choice(world.replicas)], signal.SIGKILL, lasts)
        case "a replica stopped":
            return _ended(kind, [random.choice(world.replicas)], signal.SIGTERM, lasts)
        case "a process frozen":
            program = random.choice([*world.replicas, world.worker])
            return _halted(kind, program.name, lambda: [program.alive()], random.choice(HALTS))
        case "the worker ended":
            return _ended(kind, [world.worker], random.choice([signal.SIGKILL, signal.SIGTERM]), lasts)
        case "all killed":
            return _ended(kind, [*world.replicas, world.worker], signal.SIGKILL, lasts)
        case "all in turn":
            return _rolled(kind, world, vendors.session)
        case "Postgres stopped":
            return _crashed(kind, world, signal.SIGQUIT, lasts)
        case "Postgres killed":
            return _crashed(kind, world, signal.SIGKILL, lasts)
        case "a session of Postgres killed":
            return _session_killed(kind, world, random)
        case "Postgres frozen":
            return _halted(
                kind, "Postgres", lambda: [_postmaster(world), *_postmaster(world).children()], lasts
            )
        case "a replica cut off":
            return _cut_off(kind, world, random.choice(HALTS), silent=random.random() < 0.5)
        case "webhooks":
            what = random.choice(LOSSES)
            return vendors.fault(random.choice([world.upwork, world.ten99policy]), "*", what, 3)
        case "Upwork":
            what = random.choice(["status:503", "status:429", "html", "drop-before", "truncate"])
            return vendors.fault(world.upwork, "POST /graphql", what, 2)
        case _:
            what, call = random.choice(FAILURES), random.choice(CALLS)
            return vendors.fault(world.ten99policy, call, what, random.randint(1, 3))


async def _nothing() -> None:
    return None


def _ended(kind: str, programs: Sequence[Program], how: signal.Signals, lasts: float) -> Fault:
    async def do() -> None:
        await asyncio.gather(*(program.end(how) for program in programs))

    async def undo() -> None:
        await asyncio.gather(*(program.start() for program in programs))

    named = ", ".join(program.name for program in programs)
    return Fault(kind, f"{how.name} {named}", do, undo, lasts)


def _rolled(kind: str, world: World, session: aiohttp.ClientSession) -> Fault:
    async def do() -> None:
        for program in (*world.replicas, world.worker):
            await program.end(signal.SIGTERM)
            await program.start()
            await world.ready(session)

    return Fault(kind, "a rolling restart", do, _nothing, 0)


def _crashed(kind: str, world: World, how: signal.Signals, lasts: float) -> Fault:
    async def do() -> None:
        world.cluster.crash(how)

    async def undo() -> None:
        await world.cluster.stop()
        await world.cluster.start()

    return Fault(kind, f"{how.name} Postgres", do, undo, lasts)


def _session_killed(kind: str, world: World, random: Random) -> Fault:
    """Postgres itself then ends all the others and begins again."""

    async def do() -> None:
        random.choice(_sessions(world)).kill()

    return Fault(kind, "SIGKILL a session of Postgres", do, _nothing, 0)


def _halted(kind: str, name: str, which: Callable[[], list[psutil.Process]], lasts: float) -> Fault:
    halted: list[psutil.Process] = []

    async def do() -> None:
        halted.extend(which())
        for process in halted:
            with suppress(psutil.NoSuchProcess):
                process.suspend()

    async def undo() -> None:
        for process in halted:
            with suppress(psutil.NoSuchProcess):
                process.resume()

    return Fault(kind, f"SIGSTOP {name} for {lasts:.0f} s", do, undo, lasts)


def _cut_off(kind: str, world: World, lasts: float, *, silent: bool) -> Fault:
    """A silent wire breaks nothing: what was said meanwhile arrives at the end, when others have gone on."""

    async def do() -> None:
        if silent:
            world.wire.freeze()
        else:
            await world.wire.cut()

    async def undo() -> None:
        if silent:
            world.wire.thaw()
        else:
            await world.wire.mend()

    how = "silence" if silent else "no wire"
    return Fault(
        kind, f"{how} between {world.replicas[-1].name} and Postgres for {lasts:.0f} s", do, undo, lasts
    )


def _postmaster(world: World) -> psutil.Process:
    assert world.cluster.pid is not None
    return psutil.Process(world.cluster.pid)


def _sessions(world: World) -> list[psutil.Process]:
    """Those that serve a client; Postgres names its processes so."""
    return [child for child in _postmaster(world).children() if "127.0.0.1(" in " ".join(child.cmdline())]


class Vendors:
    """Orders faults at the sandboxes and takes them back."""

    def __init__(self, session: aiohttp.ClientSession, *urls: str) -> None:
        self.session = session
        self._urls = urls

    def fault(self, url: str, match: str, kind: str, times: int) -> Fault:
        async def do() -> None:
            order: dict[str, Any] = {"match": match, "kind": kind, "times": times}
            async with self.session.post(f"{url}/_control/faults", json=order) as answered:
                assert answered.status < 300, await answered.text()

        return Fault("vendor", f"{kind} ×{times} at {match}", do, None, 0)

    async def healed(self) -> None:
        for url in self._urls:
            async with self.session.delete(f"{url}/_control/faults") as answered:
                assert answered.status < 300
