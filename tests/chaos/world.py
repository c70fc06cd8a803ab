"""What is broken: one Postgres, both sandboxes, replicas and a worker, each a process on loopback."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import asyncpg
import psutil
from contracts.wire import Wire, wire_to

from migrations import runner
from service.postgres import CRASH_TEST, Cluster
from service.settings import SANDBOX

CONFIGURATION = """
[clients]
"*" = "en_abc123"
[categories]
"Web, Mobile & Software Dev" = "SOFTWARE_ENGINEERING_CONTRACT"
[contractor]
proxy_email_domain = "relay.yourdomain.com"
[job]
name = "Contract {id} — {title}"
"""

ENDS_WITHIN = 10.0
"""Seconds: what is promised of SIGTERM."""

COVERD = (sys.executable, "-c", "from service.cli.app import main; main()")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Program:
    """One process that can be killed and started again the same way; its output goes to ``log``."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    url: str | None = None
    process: asyncio.subprocess.Process | None = None
    complaints: list[str] = field(default_factory=list)

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.returncode is None

    def alive(self) -> psutil.Process:
        assert self.process is not None
        return psutil.Process(self.process.pid)

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *COVERD, *self.arguments, env=dict(self.environment), stdout=log, stderr=log
            )

    async def end(self, how: signal.Signals) -> int:
        """Send the signal and wait; the exit code. One that does not end is killed, and complained about."""
        assert self.process is not None
        if not self.runs:
            self.complaints.append(f"{self.name} had ended by itself, with {self.process.returncode}")
            return self.process.returncode or 0
        self.process.send_signal(how)
        try:
            code = await asyncio.wait_for(self.process.wait(), ENDS_WITHIN)
        except TimeoutError:
            self.complaints.append(f"{self.name} did not end within {ENDS_WITHIN} s of {how.name}")
            self.process.kill()
            return await self.process.wait()
        if how is signal.SIGTERM and code != 0:
            self.complaints.append(f"{self.name} ended with {code} after SIGTERM")
        return code


@dataclass
class World:
    """Everything that runs. ``replicas`` serve and work, ``worker`` only works.

    The last replica reaches Postgres through ``wire``.
    """

    cluster: Cluster
    wire: Wire
    database_url: str
    upwork: str
    ten99policy: str
    replicas: list[Program]
    worker: Program
    environment: dict[str, str]
    folder: Path
    programs: list[Program] = field(default_factory=list)

    async def ready(self, session: aiohttp.ClientSession, within: float = 60) -> None:
        """Wait until every process says that it is ready, and the vendors answer. Raises TimeoutError."""
        vendors = (f"{url}/_control/clock" for url in (self.upwork, self.ten99policy))
        async with asyncio.timeout(within):
            for url in (*(f"{program.url}/readyz" for program in (*self.replicas, self.worker)), *vendors):
                while not await _answers(session, url):
                    await asyncio.sleep(0.02)

    def complaints(self) -> list[str]:
        """What the processes did that none should."""
        ended = [f"{program.name} ended by itself" for program in self.programs if not program.runs]
        return [*ended, *(told for program in self.programs for told in program.complaints)]

    async def coverd(self, *words: str) -> tuple[int, bytes]:
        """Run a command beside the service: its exit code and what it printed."""
        process = await asyncio.create_subprocess_exec(
            *COVERD,
            *words,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        told, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, told


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=5)) as answered:
            return answered.status == 200
    except (aiohttp.ClientError, TimeoutError, ConnectionError):
        return False


@asynccontextmanager
async def made(folder: Path, callback: str, replicas: int) -> AsyncIterator[World]:
    """All of it running; ``callback`` is where the sandboxes send their webhooks."""
    configuration = _configured(folder)
    async with AsyncExitStack() as stack:
        cluster = Cluster(folder / "data", CRASH_TEST, port=free_port())
        stack.push_async_callback(cluster.stop)
        await cluster.start()
        connection = await asyncpg.connect(cluster.dsn)
        await runner.apply(connection)
        await connection.close()
        upwork, ten99policy = free_port(), free_port()
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("COVERD_")},
            **SANDBOX,
            "COVERD_DATABASE_URL": cluster.dsn,
            "COVERD_CONFIG": str(configuration),
            "COVERD_POLL_SECONDS": "15",
            "COVERD_UPWORK_URL": f"http://127.0.0.1:{upwork}",
            "COVERD_TEN99POLICY_URL": f"http://127.0.0.1:{ten99policy}",
        }
        wire = await stack.enter_async_context(wire_to(cluster.dsn))
        ports = ("--upwork-port", str(upwork), "--ten99policy-port", str(ten99policy))
        vendors = _program(folder, "sandboxes", ("sandbox", *ports, "--callback", callback), environment)
        serving = [
            _program(folder, f"replica-{n}", ("serve",), environment, "COVERD_PORT") for n in range(replicas)
        ]
        serving[-1].environment = {**serving[-1].environment, "COVERD_DATABASE_URL": wire.url}
        worker = _program(folder, "worker", ("serve", "--role", "worker"), environment, "COVERD_METRICS_PORT")
        world = World(
            cluster,
            wire,
            cluster.dsn,
            environment["COVERD_UPWORK_URL"],
            environment["COVERD_TEN99POLICY_URL"],
            serving,
            worker,
            environment,
            folder,
            [vendors, *serving, worker],
        )
        for program in world.programs:
            await program.start()
            stack.push_async_callback(program.end, signal.SIGTERM)
        yield world


def _configured(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "coverd.toml"
    path.write_text(CONFIGURATION)
    return path


def _program(
    folder: Path,
    name: str,
    arguments: tuple[str, ...],
    environment: Mapping[str, str],
    answers_at: str | None = None,
) -> Program:
    """``answers_at``: the setting that says on which port it answers."""
    log = folder / f"{name}.log"
    if answers_at is None:
        return Program(name, arguments, environment, log)
    port = str(free_port())
    return Program(name, arguments, {**environment, answers_at: port}, log, f"http://127.0.0.1:{port}")
