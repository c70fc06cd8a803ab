"""The database: reachable, current, safe, and with room to grow."""

import shutil
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from migrations import runner
from migrations.errors import MigrationError
from service.clock import Clock
from service.doctor.check import Check, fail, first_line, graded, ok, spoken, warn
from service.store.lines import ROLE

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

OLDEST = 15
A_PROCESS = 24
"""Connections that one more process of coverd may open."""

UNSAFE = ("fsync", "full_page_writes", "synchronous_commit")
FIX_UNSAFE = "Set it on: without it a delivery that was accepted can be lost with the machine's power."


async def opened(dsn: str) -> "tuple[Connection | None, list[Check]]":
    """A connection as the owner of the schema, and how it went."""
    began = time.monotonic()
    try:
        conn = await asyncpg.connect(dsn, timeout=10, server_settings={"application_name": "coverd doctor"})
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, ValueError) as error:
        said = f"It cannot be reached: {type(error).__name__}: {first_line(error)}."
        return None, [fail("database", said, "Check COVERD_DATABASE_URL, the server and the network.")]
    took = (time.monotonic() - began) * 1000
    version = conn.get_server_version()
    if version.major < OLDEST:
        fix = f"Upgrade to Postgres {OLDEST} or newer."
        return conn, [fail("database", f"It is Postgres {version.major}.", fix)]
    return conn, [ok("database", f"Postgres {version.major} answers; connecting took {took:.0f} ms.")]


async def schema(conn: "Connection") -> Sequence[Check]:
    try:
        problems = await runner.verify(conn)
        pending = [] if problems else await runner.plan(conn)
    except MigrationError as error:
        problems, pending = [error], []
    if problems:
        return [fail("schema", str(problem), "See coverd migrate verify.") for problem in problems]
    if pending:
        return [fail("schema", f"{len(pending)} migrations are not applied.", "Run coverd migrate apply.")]
    return [ok("schema", "Every migration is applied.")]


async def role(conn: "Connection") -> Sequence[Check]:
    may = await conn.fetchval(
        "SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = $1", ROLE
    )
    if may:
        return [ok("role", f"This login may act as {ROLE}, which cannot change the log.")]
    return [fail("role", f"This login may not act as {ROLE}.", f"As an administrator: GRANT {ROLE} TO it.")]


async def clock(conn: "Connection", ours: Clock) -> Sequence[Check]:
    before = ours()
    theirs: datetime = await conn.fetchval("SELECT clock_timestamp()")
    middle = before + (ours() - before) / 2
    skew = abs((theirs.astimezone(UTC) - middle).total_seconds())
    said = f"The clocks of this machine and of Postgres differ by {spoken(skew)}."
    return [graded("clock", skew, 2, 60, said, "Run NTP on both: signatures are refused from 5 min on.")]


async def safety(conn: "Connection") -> Sequence[Check]:
    found = [(name, await conn.fetchval(f"SHOW {name}")) for name in UNSAFE]
    checks = [fail("durability", f"{name} is off.", FIX_UNSAFE) for name, value in found if value == "off"]
    if await conn.fetchval("SHOW autovacuum") == "off":
        checks.append(warn("durability", "autovacuum is off.", "Set it on: the tables grow without end."))
    age = await conn.fetchval("SELECT age(datfrozenxid) FROM pg_database WHERE datname = current_database()")
    if age > 1_000_000_000:
        said = f"{age:,} transactions have passed since the last freeze."
        checks.append(warn("durability", said, "Find out what holds autovacuum up before two billion."))
    return checks or [ok("durability", "Commits are on disk before they are told of.")]


async def connections(conn: "Connection") -> Sequence[Check]:
    most = int(await conn.fetchval("SHOW max_connections"))
    reserved = int(await conn.fetchval("SHOW superuser_reserved_connections"))
    used = await conn.fetchval("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
    free = most - reserved - used
    said = f"{used} of {most} connections are open; a process of coverd opens up to {A_PROCESS}."
    if free >= A_PROCESS:
        return [ok("connections", said)]
    return [warn("connections", said, "Raise max_connections, or run fewer processes.")]


async def room(conn: "Connection", known: Path | None = None) -> Sequence[Check]:
    """Where the data lies on this machine its disk can be looked at; ``known`` where we put it there."""
    size = await conn.fetchval("SELECT pg_size_pretty(pg_database_size(current_database()))")
    folder = known or await _folder(conn)
    if folder is None:
        return [ok("disk", f"The database holds {size}; its disk cannot be seen from here.")]
    usage = shutil.disk_usage(folder)
    share = 1 - usage.free / usage.total
    said = (
        f"The database holds {size}; {share:.0%} of its disk is used, {usage.free / 2**30:.0f} GiB are free."
    )
    return [graded("disk", share, 0.85, 0.95, said, "Make room before Postgres stops.")]


async def _folder(conn: "Connection") -> Path | None:
    """Where the data lies, if that is on this machine and may be known."""
    here = "SELECT inet_server_addr() IS NULL OR inet_server_addr() << '127.0.0.0/8'"
    if not await conn.fetchval(here):
        return None
    try:
        folder = Path(await conn.fetchval("SHOW data_directory"))
    except asyncpg.InsufficientPrivilegeError:
        return None
    return folder if _reachable(folder) else None


def _reachable(folder: Path) -> bool:
    try:
        return folder.exists()
    except OSError:
        return False
