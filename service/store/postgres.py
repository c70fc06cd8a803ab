"""The store on Postgres."""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from domain.ids import bucket_of
from service.store.errors import as_unavailable
from service.store.limits import storable
from service.store.lines import PROMPT, USUAL, Bounds, Line, close_pool, open_pool
from service.store.postgres_effects import PostgresEffects
from service.store.postgres_events import PostgresEvents
from service.store.postgres_inbox import PostgresInbox
from service.store.postgres_operations import PostgresOperations
from service.store.postgres_sources import PostgresSources
from service.store.postgres_survey import PostgresSurvey
from service.store.postgres_vendors import PostgresVendors
from service.store.probe import Probe

if TYPE_CHECKING:
    from service.store.lines import Pool

CONNECTIONS = 10


class PostgresStore(
    PostgresEvents,
    PostgresEffects,
    PostgresInbox,
    PostgresSources,
    PostgresVendors,
    PostgresOperations,
    PostgresSurvey,
):
    """Every promise of `service.ports.Store`. Make one with `open`, and `close` it."""

    def __init__(
        self,
        pool: "Pool",
        clock: Callable[[], datetime],
        appends: Line,
        receipts: Line,
        reads: Line,
        looks: Line,
        probe: Probe,
    ) -> None:
        PostgresEvents.__init__(self, pool, clock, appends, reads, looks)
        PostgresInbox.__init__(self, pool, clock, receipts, probe.refused)
        PostgresSources.__init__(self, pool, clock)
        self._lines = appends, receipts, reads, looks
        self._probe = probe

    @classmethod
    async def open(
        cls,
        dsn: str,
        clock: Callable[[], datetime],
        *,
        connections: int = CONNECTIONS,
        bounds: Bounds = USUAL,
    ) -> "PostgresStore":
        """Connect to a migrated database as the role ``coverd_app``; ``clock`` gives aware times.

        Uses up to ``connections`` of a pool and five lines of its own. Raises `StoreUnavailable`, or the
        driver's error when the login may not act as that role.
        """
        with as_unavailable():
            pool = await open_pool(dsn, connections, bounds)
        lines = Line(dsn, bounds), Line(dsn, PROMPT), Line(dsn, bounds), Line(dsn, bounds)
        return cls(pool, clock, *lines, Probe(Line(dsn, PROMPT), clock))

    async def put_file(self, content: bytes) -> str:
        digest = sha256(content).hexdigest()
        await self._value("put_file", bucket_of(digest), digest, content, self._clock())
        return digest

    async def file(self, sha256: str) -> bytes | None:
        found: bytes | None = (
            await self._value("file", bucket_of(sha256), sha256) if storable(sha256) else None
        )
        return found

    async def ready(self) -> None:
        await self._probe()

    async def close(self) -> None:
        """Sees appends and deliveries in flight through, then lets go of every connection."""
        await self._appends.close()
        await self._receipts.close()
        await self._probe.close()
        await self._heads.close()
        await self._streams.close()
        for line in self._lines:
            await line.close()
        await close_pool(self._pool)
