"""Reading the numbered SQL files: `0001_name.sql`, `0002_…`, each opening with a comment that says why."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from .errors import BadFile, GapInFiles

HERE = Path(__file__).parent
_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_WHY = re.compile(r"\s*--\s*\S")
# BEGIN without a semicolon opens a block of plpgsql, which is welcome.
_TRANSACTION = re.compile(r"^\s*(begin|start|commit|rollback)(\s+(work|transaction))?\s*;", re.I | re.M)


@dataclass(frozen=True, slots=True)
class Step:
    """One migration file: its number from 1, its name, its text and the text's SHA-256 in hex."""

    version: int
    name: str
    sql: str
    checksum: str

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
    return Step(int(named[1]), named[2], sql, hashlib.sha256(sql.encode()).hexdigest())
