"""`coverd up`: everything on one machine, from an empty folder to a serving system."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import asyncpg

from migrations import runner as migrations
from service.cli import sandboxes
from service.cli.serve import LEAVE_SECONDS
from service.cli.signals import stop_event
from service.cli.terminal import end, put, put_table, say
from service.compose import Service, serving
from service.config import EXAMPLE, ConfigFile
from service.demo.driver import DemoFailed, Driver, Peer
from service.demo.example import run_example
from service.demo.flows import FLOWS
from service.postgres import embedded
from service.settings import SANDBOX, Secret, Settings, read


@dataclass(frozen=True, slots=True)
class Options:
    port: int
    upwork_port: int
    ten99policy_port: int
    data_dir: Path
    demo: int
    example: bool


async def run(options: Options) -> None:
    stop = stop_event()
    began = time.monotonic()
    settings, faked = _settings(options)
    for port in (options.port, *(p for p in (options.upwork_port, options.ten99policy_port) if faked)):
        _free(settings.host, port)
    async with AsyncExitStack() as stack:
        settings = await _database(settings, stack)
        config = ConfigFile(settings.config, EXAMPLE if faked else {})
        service = await stack.enter_async_context(serving(settings, config))
        assert service.url is not None
        if faked:
            await stack.enter_async_context(
                sandboxes.child(
                    upwork_port=options.upwork_port if "upwork" in faked else None,
                    ten99policy_port=options.ten99policy_port if "1099policy" in faked else None,
                    callback=service.url,
                    state_dir=options.data_dir / "sandbox",
                )
            )
        say(f"coverd serves {service.url} ({time.monotonic() - began:.1f} s after the start)")
        if service.is_open:
            say("No API token is set, so only this machine is served (COVERD_API_TOKENS opens the door).")
        await _unless_stopped(_show(options, settings, service, faked), stop)
        await stop.wait()
        say("\nStopping.")
        await service.leave(LEAVE_SECONDS)


def _settings(options: Options) -> tuple[Settings, frozenset[str]]:
    """The environment's settings, with each vendor that isn't set replaced by its sandbox."""
    environment: dict[str, str] = dict(os.environ)
    faked = set()
    for vendor, url, port in (
        ("upwork", "COVERD_UPWORK", options.upwork_port),
        ("1099policy", "COVERD_TEN99POLICY", options.ten99policy_port),
    ):
        if not _set(environment, f"{url}_URL"):
            faked.add(vendor)
            environment[f"{url}_URL"] = f"http://127.0.0.1:{port}"
            for name, value in SANDBOX.items():
                if name.startswith(url) and not _set(environment, name):
                    environment[name] = value
    environment["COVERD_PORT"] = str(options.port)
    environment["COVERD_DATA_DIR"] = str(options.data_dir)
    return read(environment, need=frozenset({"vendors"})), frozenset(faked)


def _set(environment: Mapping[str, str], name: str) -> bool:
    return bool(environment.get(name) or environment.get(f"{name}_FILE"))


def _free(host: str, port: int) -> None:
    """Say at once which port is taken, before anything is started."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            end(f"Port {port} on {host} cannot be used ({error.strerror}): choose another.")


async def _database(settings: Settings, stack: AsyncExitStack) -> Settings:
    if settings.database_url is None:
        cluster = await stack.enter_async_context(
            embedded(settings.data_dir, say=say, bin_dir=settings.postgres_bin)
        )
        settings = replace(settings, database_url=Secret(cluster.dsn))
    assert settings.database_url is not None
    async with _connection(settings.database_url) as conn:
        for step in await migrations.apply(conn):
            say(f"Migrated to {step.version:04d} {step.name}")
    return settings


@asynccontextmanager
async def _connection(url: Secret) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    conn = await asyncpg.connect(url.reveal())
    try:
        yield conn
    finally:
        await conn.close()


async def _unless_stopped(work: object, stop: asyncio.Event) -> None:
    """Run the show; a signal in the middle of it ends it."""
    task = asyncio.ensure_future(work)  # type: ignore[call-overload]
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        task.cancel()
    waiting.cancel()
    results = await asyncio.gather(task, return_exceptions=True)
    if isinstance(results[0], DemoFailed):
        say(str(results[0]))
    elif isinstance(results[0], Exception):
        raise results[0]


async def _show(options: Options, settings: Settings, service: Service, faked: frozenset[str]) -> None:
    assert service.url is not None
    if len(faked) == 2 and (options.example or options.demo):
        async with aiohttp.ClientSession() as session:
            drive = Driver(
                Peer(session, service.url, _authorization(settings)),
                Peer(session, settings.upwork.url),
                Peer(session, settings.ten99policy.url),
            )
            if options.example:
                await run_example(drive, put)
            if options.demo:
                await demonstrate(drive, options.demo)
    elif options.example or options.demo:
        say("Real vendors are set, so nothing is acted out.")
    page = f"{service.url}/engagements/9001" if options.example and len(faked) == 2 else f"{service.url}/"
    put(f"Look at it: {page}")
    say("Ctrl-C stops everything.")


def _authorization(settings: Settings) -> dict[str, str]:
    """For our own requests: the token of the environment, which we were given in the clear."""
    for pair in os.environ.get("COVERD_API_TOKENS", "").split(","):
        scope, _, token = pair.strip().partition(":")
        if scope == "operate" and settings.api_tokens:
            return {"Authorization": f"Bearer {token}"}
    return {}


async def demonstrate(drive: Driver, number: int) -> None:
    """Drive ``number`` engagements of every kind through and print what became of each."""
    rows: list[tuple[str, ...]] = []
    for name, (flow, expected) in FLOWS.items():
        for _ in range(number):
            began = time.monotonic()
            engagement = await flow(drive)
            shown = await drive.until_state(engagement, expected)
            took = f"{(time.monotonic() - began) * 1000:.0f} ms"
            covered = {True: "yes", False: "no", None: "unknown"}[shown["covered"]]
            rows.append((name, engagement, shown["state"], covered, took))
            say(f"  {name}: {engagement} is {shown['state']}")
    put_table(("kind", "engagement", "state", "covered now", "took"), rows)
