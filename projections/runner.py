"""Keeps the read models up with the log: each event once, in order, whoever else runs beside.

One runner works through its buckets, many at once. More runners, here or on other machines, share
the buckets out among themselves by the locks on their checkpoints.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from projections import checkpoint, feed, together
from projections.checkpoint import Checkpoint, Lag, Stopped
from projections.errors import NotStopped
from projections.feed import Moved
from projections.projection import Projection
from projections.registry import ALL, find
from projections.step import Job, drain

if TYPE_CHECKING:
    from projections.statements import Connection, Pool

log = structlog.get_logger()


def utc_now() -> datetime:
    return datetime.now(UTC)


class Runner:
    """Applies new events to ``projections``: to the revisions that serve, or to ``revision`` alone.

    ``poll`` is how many seconds it waits at most before it looks again; `nudge` wakes it at once.
    ``on_advance`` is told after each round that applied anything.
    """

    def __init__(
        self,
        pool: "Pool",
        projections: Sequence[Projection] = ALL,
        *,
        revision: int | None = None,
        poll: float = 0.1,
        batch: int = 1000,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._pool = pool
        self._projections = projections
        self._revision = revision
        self._poll = poll
        self._batch = batch
        self._now = now
        self._woken = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self.on_advance: Callable[[], None] = lambda: None

    def nudge(self) -> None:
        """Something was appended: look now."""
        self._woken.set()

    def start(self) -> None:
        self._running = asyncio.create_task(self.run(), name="projections")

    async def stop(self) -> None:
        """What is half applied is rolled back, and applied by whoever runs next."""
        if self._running:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def run(self) -> None:
        """Keep up until cancelled. Stopped buckets are tried again once: the program may be a newer one."""
        resumed = False
        while True:
            self._woken.clear()
            try:
                if not resumed:
                    await self._resume_all()
                    resumed = True
                if await self._round(wait=False):
                    continue
            except Exception as problem:
                log.warning("projections_wait", error=type(problem).__name__)
            await self._rest()

    async def caught_up(self) -> None:
        """Return once everything that was in the log at the call is applied, except in stopped buckets."""
        await self._round(wait=True)

    async def lag(self) -> list[Lag]:
        """How far each projection is behind, for the metrics."""
        return [await checkpoint.lag(self._pool, projection.name) for projection in self._projections]

    async def lag_since(self) -> datetime | None:
        """When the oldest event was recorded that one of them has not applied yet."""
        return await checkpoint.lag_since(self._pool)

    async def stopped(self) -> list[Stopped]:
        """The buckets that met an event they cannot apply."""
        return [
            bucket
            for projection in self._projections
            for bucket in await checkpoint.stopped(self._pool, projection.name, self._revision)
        ]

    async def skip(self, name: str, bucket: int, position: int, reason: str, actor: str) -> None:
        """Leave out the event that bucket ``bucket`` of read model ``name`` is stopped at, and go on.

        Raises `NotStopped` when it is not stopped at ``position``.
        """
        projection = find(name).name
        async with self._pool.acquire() as conn:
            found = await checkpoint.stopped(conn, projection, self._revision)
            here = next((s for s in found if (s.bucket, s.position) == (bucket, position)), None)
            if here is None:
                raise NotStopped(projection=projection, bucket=bucket, position=position)
            await checkpoint.skip(conn, here, reason, actor, self._now())
        log.warning("event_skipped", projection=projection, bucket=bucket, position=position, actor=actor)
        self.nudge()

    async def resume(self, name: str, bucket: int) -> None:
        """Try the event that stopped this bucket again. Nothing when it is not stopped."""
        for found in await checkpoint.stopped(self._pool, find(name).name, self._revision):
            if found.bucket == bucket:
                await checkpoint.resume(self._pool, found)
        self.nudge()

    async def _resume_all(self) -> None:
        for bucket in await self.stopped():
            await checkpoint.resume(self._pool, bucket)

    async def _round(self, *, wait: bool) -> bool:
        """Apply all there is now; whether anything was. ``wait`` for buckets another runner works on."""
        moved = False
        async with self._pool.acquire() as conn:
            for projection in self._projections:
                behind = await feed.moved(conn, projection.name, self._revision, projection.follows)
                for part in together.parts(behind):
                    moved |= await self._apply(conn, projection, part, wait)
        if moved:
            self.on_advance()
        return moved

    async def _apply(
        self, conn: "Connection", projection: Projection, part: Sequence[Moved], wait: bool
    ) -> bool:
        """Together, and what cannot be applied so bucket by bucket."""
        if not wait:
            with suppress(together.Unapplied):
                return await together.advance(conn, projection, part, self._batch, self._now)
        worked = False
        for bucket in part:
            at = Checkpoint(projection.name, bucket.revision, bucket.bucket)
            worked |= await drain(conn, Job(projection, at, bucket.head, wait, self._now), self._batch)
        return worked

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._poll):
                await self._woken.wait()
