"""The revisions of a projection: making one, letting it serve, dropping it. For the tables' owner."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import asyncpg

from projections.projection import Projection
from projections.statements import sql

if TYPE_CHECKING:
    from projections.statements import Connection


async def live(conn: "Connection", projection: Projection) -> int:
    """The revision that serves."""
    revision: int = await conn.fetchval(sql("live"), projection.name)
    return revision


async def others(conn: "Connection", projection: Projection) -> list[int]:
    """Revisions that don't serve: being built, or left by a rebuild that died."""
    return [row["revision"] for row in await conn.fetch(sql("other_revisions"), projection.name)]


async def create(conn: "Connection", projection: Projection, revision: int) -> None:
    """Make empty tables, and checkpoints at the beginning of every bucket."""
    await conn.execute(f"SELECT coverd.create_{projection.name}($1)", revision)


async def loosen(conn: "Connection", projection: Projection, revision: int) -> list[str]:
    """Drop the indexes that only readers need, before many rows are written; what makes them again."""
    found = [row for table in projection.tables for row in await conn.fetch(sql("indexes", revision, table))]
    for row in found:
        await conn.execute(f"DROP INDEX {row['name']}")
    return [row["definition"] for row in found]


async def tighten(
    conn: "Connection", projection: Projection, revision: int, definitions: Sequence[str]
) -> None:
    """Make these indexes, and let the planner know the tables."""
    for definition in definitions:
        await conn.execute(definition)
    for table in projection.tables:
        await conn.execute(sql("analyze", revision, table))


async def serve(conn: "Connection", projection: Projection, old: int, new: int) -> bool:
    """Let ``new`` serve in place of ``old`` in one short transaction.

    False, with nothing changed, when ``new`` is behind ``old`` somewhere or a reader held on too long.
    """
    try:
        async with conn.transaction():
            # Whoever waits for our locks makes everybody behind them wait too.
            await conn.execute("SET LOCAL lock_timeout = '2s'")
            await conn.execute("SET LOCAL synchronous_commit = on")
            for table in projection.tables:
                # From here to the commit nothing can be added to the old tables and so be missed.
                await conn.execute(sql("hold", old, table))
            if await conn.fetchval(sql("is_behind"), projection.name, old, new):
                return False
            for table in projection.tables:
                await conn.execute(sql("serve", new, table))
            await conn.execute(sql("go_live"), projection.name, new)
    except asyncpg.LockNotAvailableError:
        return False
    return True


async def drop(conn: "Connection", projection: Projection, revision: int) -> None:
    """Remove a revision's checkpoints, after whoever is at work on them, and then its tables."""
    async with conn.transaction():
        await conn.execute(sql("unsubscribe"), projection.name, revision)
        for table in projection.tables:
            await conn.execute(sql("drop", revision, table))
