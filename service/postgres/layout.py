"""Where things lie in a data directory, and the short folder outside it for the socket."""

import hashlib
import os
import secrets
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .account import Account
from .errors import DataDirectoryUnreachable, PasswordMissing

_LOG_LIMIT = 1 << 20  # bytes; one older log is kept


@dataclass(frozen=True, slots=True)
class Layout:
    """`root` is ours; only `cluster` in it belongs to the server's account."""

    root: Path

    @property
    def cluster(self) -> Path:
        return self.root / "postgres"

    @property
    def lock(self) -> Path:
        return self.root / "postgres.lock"

    @property
    def password_file(self) -> Path:
        return self.root / "postgres.password"

    @property
    def log(self) -> Path:
        return self.root / "postgres.log"

    def last_words(self, lines: int = 12) -> str:
        """The end of the server's log, for an error message."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return "".join(f"\n  {line}" for line in text.splitlines()[-lines:]) or "(nothing)"

    def turn_log(self) -> None:
        """Start a new log when the old one has grown."""
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))

    def password(self) -> str:
        """The password of both roles, made on first use and readable by us alone. Raises PasswordMissing."""
        try:
            return self.password_file.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            if self.cluster.exists():
                raise PasswordMissing(self.password_file) from None
        password = secrets.token_urlsafe(24)
        new = self.password_file.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as f:
            f.write(f"{password}\n")
        new.replace(self.password_file)
        return password

    def new_cluster(self, account: Account) -> Path:
        """An empty folder for initdb, to be renamed to `cluster` once whole; half-made ones are removed."""
        for half_made in self.root.glob("postgres.new-*"):
            shutil.rmtree(half_made, ignore_errors=True)
        new = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=self.root))
        account.own(new)
        return new


def name_for(folder: Path, account: Account) -> str:
    """How a program of `account` that was started in `folder` can name that folder.

    A root user's data may lie under folders that are closed to others. On Linux the name `/proc/self/cwd`
    leads there without passing through them, so no mode needs to change. Raises DataDirectoryUnreachable.
    """
    if account.can_enter(folder):
        return str(folder)
    if sys.platform.startswith("linux"):
        return "/proc/self/cwd"
    raise DataDirectoryUnreachable(folder, account.name)


def socket_folder(root: Path, account: Account) -> Path:
    """A private folder of `account` whose path is short enough for a socket (about 100 bytes)."""
    digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
    folder = Path("/tmp") / f"coverd-{account.uid}-{digest}"
    try:
        folder.mkdir(mode=0o700)
        account.own(folder)
    except FileExistsError:
        if not _private(folder, account):  # somebody else's: leave it alone
            folder = Path(tempfile.mkdtemp(prefix="coverd-", dir="/tmp"))
            account.own(folder)
    for left in folder.iterdir():
        left.unlink()
    return folder


def _private(folder: Path, account: Account) -> bool:
    status = folder.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == account.uid and not status.st_mode & 0o077
