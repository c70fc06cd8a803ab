"""Events, heads and look-ups in Postgres."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from domain.ids import bucket_of
from domain.recorded import Recorded
from service.ports import Append, Appended, Head, Lookup
from service.store import rows
from service.store.chain import Chain, Fault
from service.store.flush import AppendFlush, HeadsFlush, StreamsFlush, Wrote
from service.store.gather import Gatherer
from service.store.limits import check_append, storable
from service.store.lines import Line, on_pool
from service.store.log import Check, look_through
from service.store.replay import Replay
from service.store.tables import Tables
from service.store.verify import Verify

if TYPE_CHECKING:
    from service.store.lines import Pool

PAGE = 500

NO_VERSION = -1
"""What no stream is ever at."""

NO_STREAM = ""
"""What no stream is called."""


class PostgresEvents(Tables):
    """See `service.ports.Store`."""

    def __init__(
        self, pool: "Pool", clock: Callable[[], datetime], appends: Line, reads: Line, looks: Line
    ) -> None:
        Tables.__init__(self, pool, clock)
        self._appends: Gatherer[dict[str, Any], Wrote] = Gatherer(AppendFlush(appends, clock))
        self._heads: Gatherer[tuple[str, int], Head | None] = Gatherer(HeadsFlush(reads))
        self._streams: Gatherer[Lookup, list[str]] = Gatherer(StreamsFlush(looks))

    async def append(self, append: Append) -> Appended:
        """Raises `NotStorable` when this command can never be kept; others in its batch are not harmed.

        When the connection broke and the first try had gone through, the answer is `duplicate`.
        """
        check_append(append)
        command = rows.command(append)
        wrote = await self._appends.submit(command, append.stream_id, len(command["status"]))
        taken = [
            rows.taken(append, wanted, fence, wrote.at)
            for wanted in append.effects
            if (fence := wrote.fences.pop((wanted.step, wanted.generation), None)) is not None
        ]
        return Appended(wrote.outcome, wrote.version, tuple(taken))

    async def head(self, stream_id: str) -> Head:
        found = await self.head_since(stream_id, NO_VERSION)
        assert found is not None
        return replace(found, stream_id=stream_id)

    def head_since(self, stream_id: str, version: int) -> Awaitable[Head | None]:
        asked = stream_id if storable(stream_id) else NO_STREAM
        return self._heads.submit((asked, version), object(), 0)

    async def history(
        self, stream_id: str, after_version: int = 0, limit: int | None = None
    ) -> Sequence[Recorded]:
        if not storable(stream_id):
            return []
        found = await self._rows("history", bucket_of(stream_id), stream_id, after_version, limit)
        return [rows.recorded(row) for row in found]

    async def stream_history(self, stream_id: str) -> AsyncIterator[Recorded]:
        # Page by page rather than by a cursor: the log only grows, and a slow reader holds no connection.
        version = 0
        while page := await self.history(stream_id, version, PAGE):
            for recorded in page:
                yield recorded
            version = page[-1].version

    async def feed(self, bucket: int, after_position: int, limit: int = 500) -> Sequence[Recorded]:
        return [rows.recorded(row) for row in await self._rows("feed", bucket, after_position, limit)]

    async def heads_of_buckets(self) -> dict[int, int]:
        return {row["bucket"]: row["position"] for row in await self._rows("heads_of_buckets")}

    async def streams_of(self, kind: str, id: str) -> Sequence[str]:
        if not storable(kind) or not storable(id):
            return []
        return await self._streams.submit((kind, id), object(), 0)

    async def streams_of_any(self, kinds: Sequence[str], id: str) -> Sequence[str]:
        if not storable(id):
            return []
        buckets = [str(bucket_of(f"{kind}:{id}")) for kind in kinds]
        return [row["stream_id"] for row in await self._rows("streams_of_any", buckets, list(kinds), id)]

    async def verify_stream(self, stream_id: str) -> Fault | None:
        """The first fault in the stream's chain of hashes; None when it is as it was written."""
        head = await self._row("head", bucket_of(stream_id), stream_id)
        version, last = (head["version"], head["head_hash"]) if head else (0, bytes(32))
        return await self._verify(Chain(stream_id), version, last)

    async def verify_buckets(self, first: int, last: int) -> Sequence[Fault]:
        """Every stream of these buckets with a fault, and one more for a bucket where positions are missing.

        For a fault of the bucket itself ``stream_id`` is empty and ``version`` 0.
        """
        return await self._look_through("log", (first, last), Verify)

    async def replay_buckets(self, first: int, last: int) -> Sequence[Fault]:
        """Every stream of these buckets whose head is not what its events add up to, by today's rules."""
        return await self._look_through("told", (first, last), Replay)

    async def _look_through(
        self, statement: str, buckets: tuple[int, int], begin: Callable[[int], Check]
    ) -> Sequence[Fault]:
        return await on_pool(self._pool, lambda line: look_through(line, statement, buckets, begin))

    async def _verify(self, chain: Chain, version: int, last: bytes) -> Fault | None:
        # Only up to the head we saw: an append meanwhile is no fault.
        bucket = bucket_of(chain.stream_id)
        while chain.version < version:
            most = min(PAGE, version - chain.version)
            page = await self._rows("history", bucket, chain.stream_id, chain.version, most)
            if not page:
                break
            for row in page:
                if fault := chain.next(rows.link(row)):
                    return fault
        return chain.end(version, last)
