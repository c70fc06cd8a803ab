"""The commands of auditors: take the log away, and check what was taken or what stands in the database."""

import getpass
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Literal
from uuid import uuid4

import asyncpg

from service.audit.buckets import over_all
from service.audit.check import Checker
from service.audit.export import NotExportable, Place, feed_header, log_header, pages
from service.audit.lines import Header
from service.audit.resume import broken_off, header_of
from service.cli.terminal import MISUSED, end, put_json, say
from service.clock import utc_now
from service.ports import Operation
from service.settings import read
from service.store.lines import ROLE
from service.store.postgres import PostgresStore

FAULTS_SHOWN = 100


def _dsn() -> str:
    url = read(os.environ, need=frozenset({"database"})).database_url
    assert url is not None
    return url.reveal()


@asynccontextmanager
async def _reader() -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    settings = {"role": ROLE, "timezone": "UTC", "jit": "off", "application_name": "coverd export"}
    conn = await asyncpg.connect(_dsn(), timeout=10, server_settings=settings)
    try:
        yield conn
    finally:
        await conn.close()


async def export(
    of: Literal["log", "feed"],
    buckets: Sequence[int] | None,
    cursor: str | None,
    after: Path | None,
    output: Path | None,
    resume: bool,
) -> None:
    """Raises `NotExportable`, `NotALine` and OSError."""
    if resume and (output is None or cursor or after):
        end("--resume goes on with an --output file, where that one stands.", MISUSED)
    async with _reader() as conn:
        with ExitStack() as stack:
            begun = _begun(output) if resume and output is not None else None
            header = begun[0] if begun else await _header(conn, of, buckets, cursor, after)
            reached = begun[1] if begun else None
            write = sys.stdout.buffer.write
            if output is not None:
                write = stack.enter_context(output.open("ab" if resume else "xb")).write
            await _write(conn, header, reached, write)
    if output is not None:
        say(f"{output} is complete; what is recorded later follows with --after {output}.")


def _begun(output: Path) -> tuple[Header, Place] | None:
    """What an export that was broken off holds, and where it stands; None where none was begun."""
    return broken_off(output) if output.exists() else None


async def _header(
    conn: "asyncpg.Connection[asyncpg.Record]",
    of: Literal["log", "feed"],
    buckets: Sequence[int] | None,
    cursor: str | None,
    after: Path | None,
) -> Header:
    before = header_of(after) if after else None
    if before is not None and before.of != of:
        raise NotExportable(why=f"{after} is an export of the {before.of}.")
    if of == "feed":
        return await feed_header(conn, utc_now, str(before.end) if before else cursor)
    begin = {bucket: last for bucket, (_, last) in before.buckets.items()} if before else {}
    if cursor is not None:
        bucket, position = _place(cursor)
        buckets = [b for b in (buckets or range(1024)) if b >= bucket]
        begin = {bucket: position}
    return await log_header(conn, utc_now, begin, buckets)


def _place(cursor: str) -> tuple[int, int]:
    bucket, _, position = cursor.partition(":")
    if not (bucket.isascii() and bucket.isdigit() and position.isascii() and position.isdigit()):
        raise NotExportable(why="A cursor of the log is BUCKET:POSITION, e.g. 17:420.")
    return int(bucket), int(position)


async def _write(
    conn: "asyncpg.Connection[asyncpg.Record]",
    header: Header,
    reached: Place | None,
    write: Callable[[bytes], object],
) -> None:
    async for page in pages(conn, header, reached):
        write(page)


async def verify_files(paths: Sequence[Path], as_json: bool) -> None:
    """The files in the order in which they were exported; exits with 1 where anything is wrong."""
    checker = Checker(keep=len(paths) > 1)
    faults: list[str] = []
    count = 0
    for path in paths:
        with sys.stdin.buffer if str(path) == "-" else path.open("rb") as file:
            for why in checker.file(file):
                count += 1
                if count <= FAULTS_SHOWN:
                    faults.append(f"{path}: {why}")
    told = checker.told
    if as_json:
        put_json(
            {"events": told.events, "unanchored": told.unanchored, "faults": faults, "fault_count": count}
        )
    _end(faults, count, f"{told.events} events are what was written.")
    if told.unanchored:
        say(f"{told.unanchored} streams begin before it: give the earlier files too, to check the joint.")


async def verify_log(as_json: bool, replay: bool) -> None:
    """Every bucket: each stream's chain, and a log without a hole. What was found is written down.

    ``replay``: each stream is also folded again, and its head must be what comes of it.
    """
    store = await PostgresStore.open(_dsn(), utc_now)
    try:
        operation = Operation(
            f"verify:{uuid4().hex}", "verify", f"command:{_user()}", None, {}, (), 0, utc_now()
        )
        await store.begin_operation(operation)
        heads = await store.heads_of_buckets()
        found = await over_all(heads, store.verify_buckets)
        if replay:
            found += await over_all(heads, store.replay_buckets)
        events = sum(heads.values())
        told = {"events": events, "buckets": len(heads), "faults": len(found)}
        await store.end_operation(operation.id, told)
    finally:
        await store.close()
    if as_json:
        shown = [{"stream": f.stream_id, "version": f.version, "why": f.why} for f in found]
        put_json({**told, "faults": shown})
    faults = [f"{f.stream_id}@{f.version}: {f.why}" for f in found]
    _end(faults, len(faults), f"{events} events in {len(heads)} buckets are what was written.")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _end(faults: Iterable[str], count: int, well: str) -> None:
    for fault in faults:
        say(fault)
    if count:
        end(f"{count} fault{'' if count == 1 else 's'}.")
    say(well)
