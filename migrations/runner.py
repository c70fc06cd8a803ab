"""Brings a database to the newest schema: numbered files, forward only, each in its own transaction except
those that build indexes beside running traffic.

The database remembers what it was given in `schema_migration`. Every function takes a direct connection of
the schema's owner, with no transaction pooler between, because the lock below belongs to a session.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

from .errors import Ahead, Behind, Changed, Failed, GapInDatabase, MigrationError
from .files import HERE, Step, file_name, read

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]

Problem: TypeAlias = MigrationError

LOCK_MS = 1000
"""How long a file waits for a lock: all who want the table meanwhile wait behind it."""

LOCK_TRIES = 20
PAUSE_SECONDS = 2.0
"""How often it tries in all, and how long it lets the others through in between."""

TURN_SECONDS = 0.1
"""How often one who finds another at work looks again."""

_LOCK = 0x636F76657264  # "coverd"
_TABLE = """
CREATE TABLE IF NOT EXISTS public.schema_migration (
  version    int         PRIMARY KEY,
  name       text        NOT NULL,
  checksum   text        NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  took_ms    int         NOT NULL
)"""


@dataclass(frozen=True, slots=True)
class _Applied:
    version: int
    name: str
    checksum: str


async def plan(connection: Connection, directory: Path = HERE) -> list[Step]:
    """What `apply` would do, oldest first. Raises what `verify` would return first."""
    return _pending(read(directory), await _applied(connection))


async def apply(
    connection: Connection, directory: Path = HERE, waiting: Callable[[], None] = lambda: None
) -> list[Step]:
    """Bring the database to the newest version; return the files that were applied now.

    Two callers at once wait for each other; ``waiting`` is called, once, by the one who does. Raises what
    `verify` would return first, before anything is changed, and Failed, whose file was rolled back while the
    files before it stay.
    """
    steps = read(directory)
    async with _alone(connection, waiting):
        await connection.execute(_TABLE)
        pending = _pending(steps, await _applied(connection))
        for step in pending:
            await _perform(connection, step)
    return pending


async def verify(connection: Connection, directory: Path = HERE) -> list[Problem]:
    """Every disagreement between the files and the database's memory of them; pending files are none."""
    try:
        steps = read(directory)
    except MigrationError as problem:
        return [problem]
    return _disagreements(steps, await _applied(connection))


async def current(connection: Connection) -> int:
    """The newest version that was applied, 0 for none."""
    return max((row.version for row in await _applied(connection)), default=0)


async def require_current(connection: Connection, directory: Path = HERE) -> None:
    """For the start of a service: raises Behind, Ahead, or another MigrationError unless the schema fits."""
    steps = read(directory)
    applied = await _applied(connection)
    if pending := _pending(steps, applied):
        raise Behind(pending[0].file, len(applied), len(steps))


async def _applied(connection: Connection) -> list[_Applied]:
    if await connection.fetchval("SELECT to_regclass('public.schema_migration')") is None:
        return []
    rows = await connection.fetch(
        "SELECT version, name, checksum FROM public.schema_migration ORDER BY version"
    )
    return [_Applied(row["version"], row["name"], row["checksum"]) for row in rows]


def _pending(steps: Sequence[Step], applied: Sequence[_Applied]) -> list[Step]:
    if problems := _disagreements(steps, applied):
        raise problems[0]
    return list(steps[len(applied) :])


def _disagreements(steps: Sequence[Step], applied: Sequence[_Applied]) -> list[Problem]:
    known = {row.version: row for row in applied}
    newest = max(known, default=0)
    problems: list[Problem] = []
    for step in steps:
        row = known.pop(step.version, None)
        if row is None and step.version < newest:
            problems.append(GapInDatabase(step.file, newest))
        if row is not None and (row.name, row.checksum) != (step.name, step.checksum):
            problems.append(Changed(file_name(row.version, row.name)))
    problems += [Ahead(file_name(row.version, row.name), len(steps)) for row in known.values()]
    return problems


async def _perform(connection: Connection, step: Step) -> None:
    try:
        if step.concurrent:
            await _beside_traffic(connection, step)
        else:
            await _in_one_piece(connection, step)
    except asyncpg.PostgresConnectionError:
        raise  # whether the commit got through is not known
    except asyncpg.PostgresError as problem:
        raise Failed(step.file, _place(step.sql, problem.position), str(problem)) from problem


async def _in_one_piece(connection: Connection, step: Step) -> None:
    for left in reversed(range(LOCK_TRIES)):
        try:
            async with connection.transaction():
                began = time.perf_counter()
                await connection.execute(f"SET LOCAL lock_timeout = {LOCK_MS}")
                await connection.execute(step.sql)
                await _remember(connection, step, began)
            return
        except asyncpg.LockNotAvailableError:
            if left == 0:
                raise
            await asyncio.sleep(PAUSE_SECONDS)


async def _beside_traffic(connection: Connection, step: Step) -> None:
    """Broken off, it is not remembered and runs again from its beginning."""
    began = time.perf_counter()
    for statement in step.concurrent:
        await connection.execute(statement)
    await _remember(connection, step, began)


async def _remember(connection: Connection, step: Step, began: float) -> None:
    took_ms = round((time.perf_counter() - began) * 1000)
    await connection.execute(
        "INSERT INTO public.schema_migration (version, name, checksum, took_ms) VALUES ($1, $2, $3, $4)",
        *(step.version, step.name, step.checksum, took_ms),
    )


def _place(sql: str, position: str | None) -> str:
    """Where Postgres saw the fault, which it counts in characters from 1 and does not always say."""
    if not position:
        return ""
    line = sql.count("\n", 0, int(position) - 1) + 1
    return f" at line {line}"


@asynccontextmanager
async def _alone(connection: Connection, waiting: Callable[[], None]) -> AsyncIterator[None]:
    # The portable SQL of the store knows no advisory locks; this runner is not part of it, talks to one
    # coordinator, and needs a lock that spans transactions and frees itself when its holder dies.
    # Nobody waits inside a statement: its snapshot would keep an index from being built beside it.
    told = False
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
        if not told:
            waiting()
        told = True
        await asyncio.sleep(TURN_SECONDS)
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)
