"""What is broken when: a seeded list of faults, each with how it is done and undone."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import aiohttp

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
LOSSES = ("lose", "duplicate", "reorder", "bad-signature")


@dataclass(frozen=True)
class Fault:
    """``undo`` brings back what ``do`` took away, after ``lasts`` seconds; None: it wears off by itself."""

    name: str
    do: Act
    undo: Act | None
    lasts: float


@dataclass(frozen=True)
class Recovery:
    """How long after a fault's end every replica was ready again, in seconds."""

    fault: str
    seconds: float


def faults(world: World, vendors: "Vendors", random: Random) -> Iterator[Fault]:
    """Faults without an end; every kind comes up once before any comes up again."""
    while True:
        kinds = ["kill", "kill", "roll", "worker", "database stops", "database dies", "vendor", "vendor"]
        kinds += ["vendor", "upwork", "webhooks", "webhooks"]
        random.shuffle(kinds)
        for kind in kinds:
            yield _fault(kind, world, vendors, random)


def _fault(kind: str, world: World, vendors: "Vendors", random: Random) -> Fault:
    lasts = random.uniform(0.3, 2.0)
    match kind:
        case "kill":
            return _ended(random.choice(world.replicas), signal.SIGKILL, lasts)
        case "roll":
            return _ended(random.choice(world.replicas), signal.SIGTERM, lasts)
        case "worker":
            return _ended(world.worker, random.choice([signal.SIGKILL, signal.SIGTERM]), lasts)
        case "database stops":
            return _database(world, signal.SIGQUIT, lasts)
        case "database dies":
            return _database(world, signal.SIGKILL, lasts)
        case "webhooks":
            what = random.choice(LOSSES)
            return vendors.fault(random.choice([world.upwork, world.ten99policy]), "*", what, 3)
        case "upwork":
            what = random.choice(["status:503", "status:429", "html", "drop-before", "truncate"])
            return vendors.fault(world.upwork, "POST /graphql", what, 2)
        case _:
            what, call = random.choice(FAILURES), random.choice(CALLS)
            return vendors.fault(world.ten99policy, call, what, random.randint(1, 3))


def _ended(program: Program, how: signal.Signals, lasts: float) -> Fault:
    async def do() -> None:
        await program.end(how)

    return Fault(f"{how.name} {program.name}", do, program.start, lasts)


def _database(world: World, how: signal.Signals, lasts: float) -> Fault:
    async def do() -> None:
        world.cluster.crash(how)

    async def undo() -> None:
        await world.cluster.stop()
        await world.cluster.start()

    return Fault(f"{how.name} Postgres", do, undo, lasts)


class Vendors:
    """Orders faults at the sandboxes and takes them back."""

    def __init__(self, session: aiohttp.ClientSession, *urls: str) -> None:
        self._session = session
        self._urls = urls

    def fault(self, url: str, match: str, kind: str, times: int) -> Fault:
        async def do() -> None:
            order: dict[str, Any] = {"match": match, "kind": kind, "times": times}
            async with self._session.post(f"{url}/_control/faults", json=order) as answered:
                assert answered.status < 300, await answered.text()

        return Fault(f"{kind} ×{times} at {match}", do, None, 0)

    async def healed(self) -> None:
        for url in self._urls:
            async with self._session.delete(f"{url}/_control/faults") as answered:
                assert answered.status < 300


async def ready(world: World, session: aiohttp.ClientSession, within: float = 60) -> float:
    """Wait until every replica says that it is ready: how long that took. Raises TimeoutError."""
    began = time.monotonic()
    vendors = (f"{url}/_control/clock" for url in (world.upwork, world.ten99policy))
    async with asyncio.timeout(within):
        for url in (*(f"{replica.url}/readyz" for replica in world.replicas), *vendors):
            while not await _answers(session, url):
                await asyncio.sleep(0.02)
    return time.monotonic() - began


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=5)) as answered:
            return answered.status == 200
    except (aiohttp.ClientError, TimeoutError, ConnectionError):
        return False
