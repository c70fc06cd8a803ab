"""Events, heads and look-ups in memory."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from msgspec.structs import replace

from domain.codec import SCHEMA, event_data, event_from
from domain.events import Event
from domain.ids import bucket_of
from domain.recorded import Recorded
from service.ports import Append, Appended, Head
from service.store import rows
from service.store.chain import START, Chain, Fault, Link, event_hash
from service.store.limits import check_append
from service.store.memory_effects import MemoryEffects


@dataclass(slots=True)
class StoredStream:
    """A row of ``coverd.stream``; see migrations/0003_streams.sql."""

    version: int = 0
    state: str = ""
    status: str = "{}"
    head_hash: bytes = START
    updated_at: datetime | None = None


class MemoryEvents(MemoryEffects):
    """See `service.ports.Store`."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        MemoryEffects.__init__(self, clock)
        self._streams: dict[str, StoredStream] = {}
        self._log: dict[str, list[Link]] = defaultdict(list)
        self._buckets: dict[int, list[Link]] = defaultdict(list)
        self._accepted: set[tuple[str, str]] = set()
        self._vendor_ids: dict[tuple[str, str], set[str]] = defaultdict(set)

    async def append(self, append: Append) -> Appended:
        """Raises `NotStorable` when this command can never be kept."""
        check_append(append)
        rows.command(append)  # refuses what could not be sent, before anything is written
        now = self._clock()
        stream = self._streams.setdefault(append.stream_id, StoredStream())
        if (append.stream_id, append.cause) in self._accepted:
            return Appended("duplicate", stream.version)
        if append.expected != stream.version:
            return Appended("conflict", stream.version)
        if append.settles is not None and not self._settle(append.settles, now):
            return Appended("stale", stream.version)
        self._accepted.add((append.stream_id, append.cause))
        for lookup in append.lookups:
            self._vendor_ids[lookup].add(append.stream_id)
        taken = self._want(append, now) if append.events else ()
        if append.events:
            self._write(append, stream, now)
        return Appended("appended", stream.version, taken)

    async def head(self, stream_id: str) -> Head:
        stream = self._streams.get(stream_id, StoredStream())
        status = orjson.loads(stream.status)
        return Head(stream_id, stream.version, stream.state, status, stream.updated_at)

    async def head_since(self, stream_id: str, version: int) -> Head | None:
        now = await self.head(stream_id)
        return None if now.version == version else now

    async def history(
        self, stream_id: str, after_version: int = 0, limit: int | None = None
    ) -> Sequence[Recorded]:
        end = None if limit is None else after_version + limit
        return [_recorded(event) for event in self._log.get(stream_id, [])[after_version:end]]

    async def stream_history(self, stream_id: str) -> AsyncIterator[Recorded]:
        for event in self._log.get(stream_id, []):
            yield _recorded(event)

    async def feed(self, bucket: int, after_position: int, limit: int = 500) -> Sequence[Recorded]:
        found = self._buckets.get(bucket, [])[after_position : after_position + limit]
        return [_recorded(event) for event in found]

    async def heads_of_buckets(self) -> dict[int, int]:
        return {bucket: len(events) for bucket, events in sorted(self._buckets.items()) if events}

    async def streams_of(self, kind: str, id: str) -> Sequence[str]:
        return sorted(self._vendor_ids.get((kind, id), ()))

    async def streams_of_any(self, kinds: Sequence[str], id: str) -> Sequence[str]:
        return [stream for kind in kinds for stream in await self.streams_of(kind, id)]

    async def verify_stream(self, stream_id: str) -> Fault | None:
        """The first fault in the stream's chain of hashes; None when it is as it was written."""
        chain = Chain(stream_id)
        for event in self._log.get(stream_id, []):
            if fault := chain.next(event):
                return fault
        stream = self._streams.get(stream_id, StoredStream())
        return chain.end(stream.version, stream.head_hash)

    def _write(self, append: Append, stream: StoredStream, now: datetime) -> None:
        log = self._buckets[bucket_of(append.stream_id)]
        recorded_at = max(now, log[-1].recorded_at) if log else now
        for event in append.events:
            link = self._link(append, event, stream.version + 1, len(log) + 1, recorded_at)
            link = replace(link, hash=event_hash(stream.head_hash, link))
            log.append(link)
            self._log[append.stream_id].append(link)
            stream.version, stream.head_hash = link.version, link.hash
        stream.state, stream.status, stream.updated_at = append.state, rows.text(append.status), recorded_at

    def _link(self, append: Append, event: Event, version: int, position: int, recorded_at: datetime) -> Link:
        return Link(
            append.stream_id,
            version,
            position,
            type(event).__name__,
            SCHEMA,
            append.effective_at,
            recorded_at,
            append.cause,
            append.correlation,
            append.actor,
            rows.text(event_data(event)),
            START,
        )


def _recorded(event: Link) -> Recorded:
    return Recorded(
        event.stream_id,
        bucket_of(event.stream_id),
        event.version,
        event.position,
        event.type,
        event_from(event.type, orjson.loads(event.data)),
        event.recorded_at,
        event.effective_at,
        event.cause,
        event.correlation,
        event.actor,
        event.hash,
    )
