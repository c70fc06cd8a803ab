"""The feed: the whole log in one order, for readers who keep nothing but how far they have read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domain.codec import event_of
from domain.recorded import Recorded
from projections.feed import Told
from projections.filters import Where
from projections.statements import sql

if TYPE_CHECKING:
    from projections.statements import Connection, Reader


class PublicFeed:
    """One row an event, numbered from 1 without gaps, in the order in which they became visible here.

    It follows the other read models: whoever finds an event here finds it in them too, except where one
    of them is stopped. Its numbers are readers' cursors, so it is never folded again.
    """

    name = "feed"
    tables = {"feed": ("seq",)}  # noqa: RUF012
    follows = ("engagements", "freelancers")

    async def apply(self, conn: "Connection", revision: int, events: Sequence[Told]) -> None:
        if events:
            buckets = [str(event.bucket) for event in events]
            positions = [str(event.position) for event in events]
            await conn.execute(sql("feed_number"), len(events), buckets, positions)


@dataclass(frozen=True, slots=True)
class Numbered:
    """An event and its place in the feed."""

    seq: int
    recorded: Recorded


async def read_feed(
    conn: "Reader", after_seq: int, limit: int, stream_id: str | None = None
) -> list[Numbered]:
    """Up to ``limit`` events behind ``after_seq``, of one stream or of all.

    What is behind a number that was once read is all still to come: numbers become visible in their order.
    """
    where = Where(after_seq, limit)
    if stream_id is not None:
        where.add("stream_id = {}", stream_id)
    rows = await conn.fetch(where.put_into(sql("feed_page")), *where.arguments)
    return [_numbered(**row) for row in rows]


def _numbered(seq: int, type: str, data: str, **rest: Any) -> Numbered:
    return Numbered(seq, Recorded(type=type, event=event_of(type, data), **rest))


async def last_seq(conn: "Reader") -> int:
    """The number of the last event in the feed; 0 before the first."""
    seq: int = await conn.fetchval(sql("feed_last"))
    return seq
