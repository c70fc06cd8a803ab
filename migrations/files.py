"""Reading the numbered SQL files: `0001_name.sql`, `0002_…`, each opening with a comment that says why.

A file that builds or drops indexes CONCURRENTLY, beside running traffic, holds nothing else, because Postgres
does that outside of transactions only. It first drops what it builds: a build that broke off leaves an index
behind that is of no use.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from .errors import BadFile, GapInFiles

HERE = Path(__file__).parent
_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_WHY = re.compile(r"\s*--\s*\S")
# BEGIN without a semicolon opens a block of plpgsql, which is welcome.
_CONCURRENT = re.compile(
    r"(?P<drop>DROP)\s+INDEX\s+CONCURRENTLY\s+IF\s+EXISTS\s+(?P<dropped>[\w.]+)"
    r"|CREATE\s+(UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?P<built>\w+)\s+ON\s+.*",
    re.I | re.S,
)
_TRANSACTION = re.compile(r"^\s*(begin|start|commit|rollback)(\s+(work|transaction))?\s*;", re.I | re.M)


@dataclass(frozen=True, slots=True)
class Step:
    """One migration file: its number from 1, its name, its text and the text's SHA-256 in hex."""

    version: int
    name: str
    sql: str
    checksum: str

    @property
    def concurrent(self) -> tuple[str, ...]:
        """The statements to run one by one, outside of a transaction; none where the file is like most."""
        bare = re.sub(r"--[^\n]*", "", self.sql)
        if not re.search(r"\bINDEX\s+CONCURRENTLY\b", bare, re.I):
            return ()
        return tuple(part.strip() for part in bare.split(";") if part.strip())

    @property
    def file(self) -> str:
        return file_name(self.version, self.name)


def file_name(version: int, name: str) -> str:
    """How the file of this version is called."""
    return f"{version:04d}_{name}.sql"


def read(directory: Path = HERE) -> list[Step]:
    """Every migration in `directory`, oldest first. Raises BadFile and GapInFiles."""
    steps = [_step(path) for path in sorted(directory.glob("*.sql"))]
    for expected, step in enumerate(steps, start=1):
        if step.version != expected:
            raise GapInFiles(step.file, expected)
    return steps


def _step(path: Path) -> Step:
    named = _NAME.fullmatch(path.name)
    if not named:
        raise BadFile(path.name, "its name is not like 0001_what_it_does.sql")
    try:
        # Line ends become LF here, so a checkout on another system keeps its checksums.
        sql = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as problem:
        raise BadFile(path.name, "it is not UTF-8") from problem
    if not _WHY.match(sql):
        raise BadFile(path.name, "it does not open with a `--` comment that says why it exists")
    if control := _TRANSACTION.search(sql):
        line = sql.count("\n", 0, control.start(1)) + 1
        raise BadFile(path.name, f"line {line} controls the transaction, which the runner does for each file")
    step = Step(int(named[1]), named[2], sql, hashlib.sha256(sql.encode()).hexdigest())
    _check_concurrent(step)
    return step


def _check_concurrent(step: Step) -> None:
    """Raises BadFile unless it may be broken off anywhere and run again."""
    dropped: set[str] = set()
    for statement in step.concurrent:
        found = _CONCURRENT.fullmatch(statement)
        if not found:
            raise BadFile(step.file, "beside CONCURRENTLY it does more than drop and build indexes")
        if found["drop"]:
            dropped.add(found["dropped"].rpartition(".")[2])
        elif found["built"] not in dropped:
            raise BadFile(step.file, f"it builds {found['built']} without dropping it first")
