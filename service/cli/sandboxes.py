"""`coverd sandbox`: the two vendor sandboxes in one process, and the same as a child of `coverd up`."""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from service.cli.signals import stop_event
from service.cli.terminal import say
from service.sandbox import ten99policy, upwork

READY = "sandboxes ready"

AGAIN_SECONDS = 2.0
"""After a start that failed."""


async def run(
    *,
    upwork_port: int | None,
    ten99policy_port: int | None,
    callback: str | None,
    state_dir: Path | None,
    host: str = "127.0.0.1",
    until_stdin_closes: bool = False,
) -> None:
    """Serve until a signal comes, or until the parent that holds stdin is gone."""
    stop = stop_event()
    watcher = asyncio.create_task(_parent_gone(stop)) if until_stdin_closes else None
    runners = []
    if state_dir is not None:
        await asyncio.to_thread(state_dir.mkdir, parents=True, exist_ok=True)
    if ten99policy_port is not None:
        options = ten99policy.Ten99PolicyOptions(
            callback=callback, state_path=state_dir / "1099policy.json" if state_dir else None
        )
        runners.append(await _serve(ten99policy.make_app(options), host, ten99policy_port))
        say(f"1099Policy sandbox: http://{host}:{ten99policy_port}/api/v1 (key t9k_test_sandbox)")
    if upwork_port is not None:
        facing = upwork.UpworkOptions(
            callback=callback, state_path=state_dir / "upwork.json" if state_dir else None
        )
        runners.append(await _serve(upwork.make_app(facing), host, upwork_port))
        say(f"Upwork sandbox: http://{host}:{upwork_port}/graphql (client sandbox-client)")
    sys.stdout.write(READY + "\n")
    sys.stdout.flush()
    try:
        await stop.wait()
    finally:
        if watcher:
            watcher.cancel()
        for runner in runners:
            await runner.cleanup()


async def _serve(app: web.Application, host: str, port: int) -> web.AppRunner:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner


async def _parent_gone(stop: asyncio.Event) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while await reader.read(1024):
        pass
    stop.set()


class SandboxesFailed(Exception):
    """The sandboxes did not start."""


@asynccontextmanager
async def child(
    *, upwork_port: int | None, ten99policy_port: int | None, callback: str, state_dir: Path
) -> AsyncIterator[None]:
    """The sandboxes in a process of their own, which ends when this one does, however it ends. Killed, it is
    started again where it was, with what it had kept."""
    arguments = ["--callback", callback, "--state-dir", str(state_dir), "--until-stdin-closes"]
    arguments += ["--upwork-port", str(upwork_port)] if upwork_port else ["--only", "1099policy"]
    arguments += ["--ten99policy-port", str(ten99policy_port)] if ten99policy_port else ["--only", "upwork"]
    running = [await _begun(arguments)]
    keeping = asyncio.create_task(_keep(running, arguments), name="sandboxes")
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await _ended(running[0])


async def _keep(running: list[Process], arguments: Sequence[str]) -> None:
    """``running`` holds the process that runs now."""
    while True:
        status = await running[0].wait()
        say(f"The sandboxes ended (status {status}); they are started again.")
        try:
            running[0] = await _begun(arguments)
        except SandboxesFailed as failed:
            say(str(failed))
            await asyncio.sleep(AGAIN_SECONDS)


async def _begun(arguments: Sequence[str]) -> Process:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", "sandbox", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
        env=dict(os.environ),
    )
    assert process.stdout is not None
    try:
        line = await process.stdout.readline()
    except asyncio.CancelledError:
        await _ended(process)
        raise
    if line.decode().strip() != READY:
        await _ended(process)
        raise SandboxesFailed("The sandboxes did not start; their reason stands above.")
    return process


async def _ended(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), 10)
    except TimeoutError:
        process.kill()
        await process.wait()
