"""One owner per data directory, and what a dead owner may have left in it."""

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import DataDirectoryInUse, LeftoverServer

_TICK = 0.01  # seconds between looks at a leftover server


@contextmanager
def owned(lock: Path) -> Iterator[None]:
    """Hold the data directory that `lock` lies in. The kernel lets go of it however this process ends.

    Raises DataDirectoryInUse, naming the process that holds it.
    """
    with lock.open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise DataDirectoryInUse(lock.parent, file.read().strip() or "unknown") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


async def settle(cluster: Path, say: Callable[[str], None], within: float = 30.0) -> None:
    """End a Postgres left running in the folder `cluster`, which we own, and remove a misleading pid file.

    A server outlives its owner for a moment on Linux, and for good elsewhere, when the owner is killed.
    Raises LeftoverServer when it does not stop `within` seconds.
    """
    pid_file = cluster / "postmaster.pid"
    if not pid_file.exists():
        return
    noted = _noted_pid(pid_file)
    if living := servers_in(cluster):
        say(f"Waiting for a Postgres of an earlier run to stop (process {noted or living[0]}).")
        if noted in living:
            _ask_to_stop(noted)
        await _all_gone(cluster, within)
    # A dead process's file is left to Postgres: it first checks that nobody uses the shared memory. A live
    # process is a stranger that got the number since, and Postgres would believe it to be a server.
    if noted is None or _exists(noted):
        pid_file.unlink(missing_ok=True)


def servers_in(cluster: Path) -> list[int]:
    """The process ids of every Postgres process that works in the folder `cluster`."""
    if sys.platform.startswith("linux"):
        return list(_from_proc(cluster))
    return list(_from_ps(cluster))


async def _all_gone(cluster: Path, within: float) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while living := servers_in(cluster):
        if loop.time() >= deadline:
            raise LeftoverServer(cluster, living[0])
        await asyncio.sleep(_TICK)


def _from_proc(cluster: Path) -> Iterator[int]:
    home = cluster.stat()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            works_in = (entry / "cwd").stat()
            name = (entry / "comm").read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            continue  # gone meanwhile, or another user's
        if os.path.samestat(home, works_in) and name == "postgres":
            yield int(entry.name)


def _from_ps(cluster: Path) -> Iterator[int]:
    listing = subprocess.run(["ps", "-axo", "pid=,command="], capture_output=True, text=True, check=True)
    for line in listing.stdout.splitlines():
        pid, _, command = line.strip().partition(" ")
        if f"-D {cluster} " in f"{command} " and "postgres" in command:
            yield int(pid)


def _noted_pid(pid_file: Path) -> int | None:
    try:
        return abs(int(pid_file.read_text(encoding="utf-8", errors="replace").split("\n", 1)[0]))
    except (ValueError, OSError):
        return None


def _ask_to_stop(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGINT)
    except ProcessLookupError:
        return


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
