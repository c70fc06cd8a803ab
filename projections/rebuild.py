"""Folding a read model again from the beginning of the log, while the old one serves and news arrives."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from projections import checkpoint, feed, revisions
from projections.checkpoint import Checkpoint
from projections.compare import Compared, compare
from projections.errors import NeverRebuilt, RebuildRunning, RebuildStopped, SwapBusy
from projections.fill import fill
from projections.projection import Rebuildable
from projections.registry import find
from projections.runner import utc_now
from projections.step import Job, drain

if TYPE_CHECKING:
    from projections.statements import Connection, Pool

_LOCK = 0x72656275696C64  # "rebuild"
_TRIES = 10
_BATCH = 500
_SAY_EVERY = 128  # buckets
_AT_ONCE = 32
"""So many buckets are compared in one statement."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a rebuild found: each table's rows in the old and the new revision.

    ``uncompared`` buckets never stood equally far in both: the old revision was stopped there, or busy.
    The new revision serves in any case, for it is what the log says.
    """

    projection: str
    replaced: int
    revision: int
    tables: dict[str, Compared]
    uncompared: int

    @property
    def same(self) -> bool:
        return not self.uncompared and all(table.same for table in self.tables.values())


async def rebuild(
    pool: "Pool", name: str, say: Callable[[str], None], now: Callable[[], datetime] = utc_now
) -> Report:
    """Build a new revision of read model ``name``, compare it with the old one, and let it serve.

    Runs as the tables' owner, over up to three connections. Raises `UnknownProjection`, `NeverRebuilt`,
    `RebuildRunning`, `RebuildStopped` and `SwapBusy`: then the old one serves on, and nothing of the new one
    is left.
    """
    projection = find(name)
    if not isinstance(projection, Rebuildable):
        raise NeverRebuilt(projection=projection.name)
    async with pool.acquire() as conn, _alone(conn):
        for left in await revisions.others(conn, projection):
            await revisions.drop(conn, projection, left)
        old = await revisions.live(conn, projection)
        work = _Rebuild(pool, conn, projection, old, old + 1, say, now)
        await revisions.create(conn, projection, work.new)
        try:
            report = await work.done()
        except BaseException:
            with suppress(Exception):  # a lost connection; the next rebuild clears up
                await revisions.drop(conn, projection, work.new)
            raise
        await revisions.drop(conn, projection, old)
        return report


@asynccontextmanager
async def _alone(conn: "Connection") -> AsyncIterator[None]:
    # The portable SQL of the store knows no advisory locks. A rebuild is a person's job on one
    # coordinator, over many transactions, and its lock must free itself when the program dies.
    if not await conn.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
        raise RebuildRunning
    try:
        yield
    finally:
        if not conn.is_closed():
            await conn.execute("SELECT pg_advisory_unlock($1)", _LOCK)


@dataclass(frozen=True, slots=True)
class _Rebuild:
    pool: "Pool"
    conn: "Connection"
    projection: Rebuildable
    old: int
    new: int
    say: Callable[[str], None]
    now: Callable[[], datetime]

    async def done(self) -> Report:
        self.say(f"{self.projection.name}: folding revision {self.new}; revision {self.old} serves on.")
        tables, uncompared = await self._compared()
        await self._swap()
        report = Report(self.projection.name, self.old, self.new, tables, uncompared)
        self.say(f"{self.projection.name}: revision {self.new} serves now. {_in_words(report)}")
        return report

    async def _catch_up(self, revision: int) -> None:
        behind = await feed.moved(self.conn, self.projection.name, revision, self.projection.follows)
        for count, bucket in enumerate(behind, start=1):
            at = Checkpoint(self.projection.name, revision, bucket.bucket)
            await drain(self.conn, Job(self.projection, at, bucket.head, True, self.now), _BATCH)
            if count % _SAY_EVERY == 0:
                self.say(f"{self.projection.name}: {count} of {len(behind)} buckets.")
        if revision == self.new:
            await self._refuse_stopped()

    def _say_filled(self, buckets: int) -> None:
        self.say(f"{self.projection.name}: {buckets} buckets folded.")

    async def _refuse_stopped(self) -> None:
        for found in await checkpoint.stopped(self.conn, self.projection.name, self.new):
            raise RebuildStopped(
                projection=self.projection.name,
                bucket=found.bucket,
                position=found.position,
                error=found.error,
            )

    async def _compared(self) -> tuple[dict[str, Compared], int]:
        """Bring both revisions to the same place and compare them, while the new one gets its indexes.

        What the log holds now is filled in without those: it takes a tenth of the time that news takes.
        """
        definitions = await revisions.loosen(self.conn, self.projection, self.new)
        await fill(self.pool, self.projection, self.new, self.now, self._say_filled)
        await self._catch_up(self.new)
        tightening = asyncio.create_task(self._tighten(definitions))
        try:
            compared = await self._compare()
            await tightening
        finally:
            tightening.cancel()
            await asyncio.gather(tightening, return_exceptions=True)
        return compared

    async def _tighten(self, definitions: Sequence[str]) -> None:
        async with self.pool.acquire() as conn:
            await revisions.tighten(conn, self.projection, self.new, definitions)

    async def _compare(self) -> tuple[dict[str, Compared], int]:
        total = {table: Compared() for table in self.projection.tables}
        waiting = await checkpoint.begun(self.conn, self.projection.name, self.new)
        for _ in range(_TRIES):
            parts = [waiting[at : at + _AT_ONCE] for at in range(0, len(waiting), _AT_ONCE)]
            waiting = [bucket for part in parts for bucket in await self._add(part, total)]
            if not waiting:
                break
            await self._catch_up(self.old)
            await self._catch_up(self.new)
        return total, len(waiting)

    async def _add(self, buckets: Sequence[int], total: dict[str, Compared]) -> list[int]:
        """Compare these; those in which the two have not come equally far are given back."""
        level, found = await compare(self.conn, self.projection, buckets, self.old, self.new)
        for table, rows in found.items():
            total[table] = total[table].plus(rows)
        return [bucket for bucket in buckets if bucket not in level]

    async def _swap(self) -> None:
        for _ in range(_TRIES):
            await self._catch_up(self.new)
            if await revisions.serve(self.conn, self.projection, self.old, self.new):
                return
        raise SwapBusy(projection=self.projection.name, tries=_TRIES)


def _in_words(report: Report) -> str:
    if report.same:
        rows = ", ".join(f"{table.new} in {name}" for name, table in report.tables.items())
        return f"It equals the old one row for row: {rows}."
    parts = [
        f"{name}: {table.old} rows before, {table.new} now, {table.only_new} of them new or changed"
        for name, table in report.tables.items()
        if not table.same
    ]
    if report.uncompared:
        parts.append(f"{report.uncompared} buckets could not be compared")
    return "; ".join(parts) + "."
