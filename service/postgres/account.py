"""Whom the server runs as: ourselves, or, when we are root, an unprivileged account that exists."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from .errors import NoAccount


class SpawnAs(TypedDict, total=False):
    """The arguments of `subprocess.Popen` that change the account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """A user and its group; `foreign` when it is not the one we run as, so that files must be given to it."""

    name: str
    uid: int
    gid: int
    foreign: bool

    def spawn_as(self) -> SpawnAs:
        if not self.foreign:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give `path`, which we made, to this account."""
        if self.foreign:
            os.chown(path, self.uid, self.gid)

    def can_enter(self, directory: Path) -> bool:
        """Whether every folder down to `directory` lets this account through (by mode bits alone)."""
        if not self.foreign:
            return True
        whole = directory.resolve()
        return all(self._may_search(folder) for folder in (*whole.parents, whole))

    def _may_search(self, folder: Path) -> bool:
        status = folder.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & 0o100)
        if status.st_gid == self.gid:
            return bool(status.st_mode & 0o010)
        return bool(status.st_mode & 0o001)


def choose(cluster: Path, setting: str | None = None) -> Account:
    """The account for the cluster in folder `cluster`: an existing cluster keeps its owner.

    As root, in this order: the cluster's owner, `setting`, `postgres`, `nobody`. Raises NoAccount.
    """
    if os.geteuid() != 0:
        return Account(_name_of(os.geteuid()), os.geteuid(), os.getegid(), foreign=False)
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return Account(_name_of(owner.st_uid), owner.st_uid, owner.st_gid, foreign=True)
    names = [setting] if setting else ["postgres", "nobody"]
    for name in names:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid, foreign=True)
    raise NoAccount(", ".join(names))


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
