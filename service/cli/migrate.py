"""The commands that speak to the database itself: schema and read models."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

import asyncpg
import msgspec

from migrations import runner
from migrations.files import Step
from projections.rebuild import rebuild as build_anew
from service.cli.terminal import end, put, put_json, say
from service.settings import read

CONNECT_SECONDS, CLOSE_SECONDS = 10.0, 2.0


def _dsn() -> str:
    url = read(os.environ, need=frozenset({"database"})).database_url
    assert url is not None
    return url.reveal()


@asynccontextmanager
async def connection(patience: float | None = None) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """As the schema's owner; a statement may take as long as it needs, or ``patience`` seconds."""
    try:
        conn = await asyncpg.connect(_dsn(), timeout=CONNECT_SECONDS, command_timeout=patience)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        end(f"The database cannot be reached: {type(error).__name__}.")
    try:
        yield conn
    except TimeoutError:
        end("The database does not answer.")
    finally:
        with suppress(OSError, asyncpg.InterfaceError):
            await conn.close(timeout=CLOSE_SECONDS)


def _show(steps: Sequence[Step], word: str, as_json: bool) -> None:
    if as_json:
        put_json([{"version": step.version, "name": step.name} for step in steps])
        return
    for step in steps:
        put(f"{step.version:04d} {step.name}")
    say(f"{len(steps)} {word}.")


async def plan(as_json: bool) -> None:
    async with connection() as conn:
        _show(await runner.plan(conn), "to apply", as_json)


async def apply(as_json: bool) -> None:
    async with connection() as conn:
        waiting = partial(say, "Another coverd migrate apply is at work; this one waits for it.")
        _show(await runner.apply(conn, waiting=waiting), "applied", as_json)


async def verify(as_json: bool) -> None:
    async with connection() as conn:
        problems = [str(problem) for problem in await runner.verify(conn)]
        pending = [] if problems else await runner.plan(conn)
    if as_json:
        put_json({"problems": problems})
    for problem in problems:
        say(problem)
    if problems:
        end(f"{len(problems)} problems.")
    behind = f", and {len(pending)} wait for coverd migrate apply" if pending else ""
    say(f"What was applied is what the files say{behind}.")


async def rebuild(name: str, as_json: bool) -> None:
    async with asyncpg.create_pool(_dsn(), min_size=1, max_size=4) as pool:
        report = await build_anew(pool, name, say)
    if as_json:
        put_json(msgspec.to_builtins(report))
        return
    for table, compared in report.tables.items():
        put(f"{table}: {compared.old} rows before, {compared.new} now")
    say(f"{report.projection} is built anew" + ("." if report.same else "; some rows differ from before."))
