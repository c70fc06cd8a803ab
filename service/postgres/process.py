"""Starting Postgres programs as direct children that never outlive us, and waiting for them."""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from .account import Account

_PR_SET_PDEATHSIG = 1
_KEPT_FROM_ENVIRONMENT = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_TICK = 0.005  # seconds between looks at a child


def spawn(
    arguments: Sequence[str | Path],
    account: Account,
    *,
    cwd: Path | str,
    output: IO[bytes] | int,
    when_we_die: signal.Signals,
) -> subprocess.Popen[bytes]:
    """Start a program as `account`, in its own session so that a Ctrl-C at the terminal reaches us first.

    Linux sends `when_we_die` when the calling thread ends: call it on a thread that lives as long as the
    child should. Raises OSError when the account cannot run the program.
    """
    return subprocess.Popen(
        arguments,
        cwd=cwd,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        umask=0o077,
        preexec_fn=_die_with_parent(when_we_die),
        **account.spawn_as(),
    )


async def exited(
    child: subprocess.Popen[bytes], within: float = float("inf"), look_every: float = _TICK
) -> bool:
    """Wait up to `within` seconds for `child` to end; False when it still runs."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while child.poll() is None:
        if loop.time() >= deadline:
            return False
        await asyncio.sleep(look_every)
    return True


async def finished(child: subprocess.Popen[bytes]) -> int:
    """Wait for `child`, return its status; when cancelled, end it first."""
    try:
        await exited(child)
    finally:
        end(child, signal.SIGTERM)
    return child.returncode


def end(child: subprocess.Popen[bytes], with_signal: signal.Signals, grace: float = 5.0) -> None:
    """Make sure that `child` is gone: ask, wait up to `grace` seconds, then kill. Blocks."""
    if child.poll() is not None:
        return
    child.send_signal(with_signal)
    try:
        child.wait(grace)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _environment() -> dict[str, str]:
    # Nothing of ours: a PGOPTIONS or PGPORT would change the server, and secrets are none of its business.
    kept = {name: os.environ[name] for name in _KEPT_FROM_ENVIRONMENT if name in os.environ}
    return {"LC_ALL": "C", "TZ": "UTC", **kept}


def _die_with_parent(with_signal: signal.Signals) -> Callable[[], None] | None:
    """What the child does between fork and exec. It runs after the change of account, which would undo it."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def ask_the_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, int(with_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask_the_kernel
