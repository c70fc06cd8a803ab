"""Writes events straight into the log, as an append would leave them, and knows what they add up to."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from story import Story

from domain import events as e
from domain.codec import event_data
from domain.evolve import Entry
from domain.ids import bucket_of, engagement_stream, freelancer_stream

BEGINNING = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass
class Log:
    """Each event is recorded a second after the one before it."""

    conn: Any
    recorded: int = 0
    versions: dict[str, int] = field(default_factory=dict)

    async def tell(self, story: Story) -> None:
        """What is new in an engagement's story since it was told last."""
        stream = engagement_stream(story.engagement.engagement_id)
        await self.write(stream, story.entries[self.versions.get(stream, 0) :])

    async def interleave(self, stories: Iterable[Story]) -> None:
        """Several stories, an event of each in turn."""
        rest = [(engagement_stream(s.engagement.engagement_id), list(s.entries)) for s in stories]
        while rest := [(stream, entries) for stream, entries in rest if entries]:
            for stream, entries in rest:
                await self.write(stream, [entries.pop(0)])

    async def freelancer(self, id_: str, at: int, *events: e.FreelancerEvent) -> None:
        stream = freelancer_stream(id_)
        first = self.versions.get(stream, 0) + 1
        await self.write(stream, [Entry(v, at, event) for v, event in enumerate(events, first)])

    async def write(self, stream: str, entries: Iterable[Entry]) -> None:
        for entry in entries:
            data = msgspec.json.encode(event_data(entry.event)).decode()
            await self.raw(stream, entry.version, type(entry.event).__name__, data, entry.at)

    async def raw(self, stream: str, version: int, type_: str, data: str, at: int = 0) -> int:
        """Any row at all, at the next position of its bucket; the position."""
        bucket, self.recorded = bucket_of(stream), self.recorded + 1
        async with self.conn.transaction():
            position: int = await self.conn.fetchval(
                "UPDATE coverd.bucket_head SET position = position + 1 WHERE bucket = $1 RETURNING position",
                bucket,
            )
            await self.conn.execute(
                "INSERT INTO coverd.event (bucket, stream_id, version, position, type, schema, effective_at,"
                " recorded_at, cause, correlation, actor, data, hash)"
                " VALUES ($1, $2, $3, $4, $5, 1, $6, $7, 'c', 'c', 'test', $8, sha256(''))",
                *(bucket, stream, version, position, type_, at),
                *(BEGINNING + timedelta(seconds=self.recorded), data),
            )
        self.versions[stream] = version
        return position


def ids_of_bucket(bucket: int, count: int) -> list[str]:
    """Engagement ids whose streams share a bucket."""
    found = (f"e{n}" for n in range(1_000_000) if bucket_of(engagement_stream(f"e{n}")) == bucket)
    return [next(found) for _ in range(count)]
