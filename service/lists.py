"""The read models as the API and the pages ask them, over a pool of connections."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import asyncpg

from projections.attention_list import (
    AttentionCause,
    AttentionGroup,
    AttentionRow,
    Retryable,
    attention_by_cause,
    attention_by_code,
    count_retryable,
    list_attention,
    list_retryable,
)
from projections.engagement_list import (
    EngagementRow,
    count_engagements,
    count_states,
    count_uncovered,
    list_engagements,
    live_engagements,
)
from projections.freelancers import FreelancerRow, freelancer
from service.clock import epoch
from service.counted import Counted, Moment
from service.handle import Handler
from service.ports import Store
from service.store.errors import as_unavailable
from service.web.lists import Counts, Row, row_of

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]

SEARCHED = (
    *("offer", "term", "freelancer", "contractor", "job", "quote", "session"),
    *("policy", "assignment", "certificate", "delivery"),
)
"""The kinds of ids a search looks through, besides the engagement's own."""


async def find_engagements(store: Store, text: str) -> list[str]:
    """The ids of the engagements that an id of any kind leads to."""
    found = [text] if (await store.head(f"engagement:{text}")).version else []
    streams = await store.streams_of_any(SEARCHED, text)
    found += [s.partition(":")[2] for s in streams if s.startswith("engagement:")]
    if not found:
        delivery = await store.delivery(text)
        found = [s.partition(":")[2] for s in delivery.streams] if delivery else []
    return list(dict.fromkeys(found))


WAITING = Moment(few=200, each=0.001, most=2.0)
"""For how long it is kept how much waits for a person."""

ALL = Moment(few=20_000, each=0.000_02, most=30.0)
"""And how many engagements there are of each kind."""


def is_silent(silent_since: int | None, at: datetime) -> bool:
    """Whether ``at`` lies where nothing is known of 1099Policy; see `domain.coverage.answer`."""
    return silent_since is not None and epoch(at) > silent_since


class ReadModels:
    """Lists for people and services. Each method may raise `StoreUnavailable`."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._groups = Counted[Sequence[AttentionGroup]](WAITING, _items)
        self._causes = Counted[Sequence[AttentionCause]](WAITING, _items)
        self._counts = Counted[dict[str, int]](ALL, _engagements)

    async def engagements(self, **filters: Any) -> tuple[list[EngagementRow], str | None]:
        """See `projections.engagement_list.list_engagements`."""
        with as_unavailable():
            return await list_engagements(self._pool, **filters)

    async def counts(self, now: datetime, silent: bool = False) -> dict[str, int]:
        """See `projections.engagement_list.count_engagements`; of very many as they were a moment ago."""
        with as_unavailable():
            return await self._counts.get(silent, lambda: count_engagements(self._pool, now, silent))

    async def states(self) -> dict[str, int]:
        """See `projections.engagement_list.count_states`."""
        with as_unavailable():
            return await count_states(self._pool)

    async def uncovered(self, now: datetime, silent: bool = False) -> dict[str, int]:
        """See `projections.engagement_list.count_uncovered`."""
        with as_unavailable():
            return await count_uncovered(self._pool, now, silent)

    async def live(self, after: tuple[datetime, str] | None, limit: int) -> list[tuple[datetime, str]]:
        """See `projections.engagement_list.live_engagements`."""
        with as_unavailable():
            return await live_engagements(self._pool, after, limit)

    async def attention(self, **filters: Any) -> tuple[list[AttentionRow], str | None]:
        """See `projections.attention_list.list_attention`."""
        with as_unavailable():
            return await list_attention(self._pool, **filters)

    async def attention_by_code(self) -> Sequence[AttentionGroup]:
        """Counted now; where much waits, a moment ago."""
        with as_unavailable():
            return await self._groups.get(None, lambda: attention_by_code(self._pool))

    async def attention_by_cause(self, code: str | None = None, limit: int = 200) -> Sequence[AttentionCause]:
        """The same by cause."""
        with as_unavailable():
            return await self._causes.get((code, limit), lambda: attention_by_cause(self._pool, code, limit))

    async def count_retryable(self, asked: Retryable) -> tuple[int, int]:
        """See `projections.attention_list.count_retryable`."""
        with as_unavailable():
            return await count_retryable(self._pool, asked)

    async def retryable(self, asked: Retryable, limit: int) -> Sequence[tuple[str, tuple[str, ...]]]:
        """See `projections.attention_list.list_retryable`."""
        with as_unavailable():
            return await list_retryable(self._pool, asked, limit)

    async def freelancer(self, freelancer_id: str) -> FreelancerRow | None:
        with as_unavailable():
            return await freelancer(self._pool, freelancer_id)


def _items(found: Sequence[AttentionGroup] | Sequence[AttentionCause]) -> int:
    return sum(group.count for group in found)


def _engagements(counts: dict[str, int]) -> int:
    return counts["covered"] + counts["not_covered"] + counts["unknown"]


class PageLists:
    """The same lists with what the pages show beside each row, folded from the engagement's own head."""

    def __init__(self, lists: ReadModels, handler: Handler) -> None:
        self._lists = lists
        self._handler = handler

    async def engagements(
        self, *, now: datetime, silent_since: int | None = None, **filters: Any
    ) -> tuple[Sequence[Row], str | None]:
        """See `service.web.lists.Lists`."""
        rows, after = await self._lists.engagements(now=now, silent=is_silent(silent_since, now), **filters)
        heads = await asyncio.gather(*(self._handler.load(row.engagement_id) for row in rows))
        return [
            row_of(head, now, row.updated_at, silent_since) for head, row in zip(heads, rows, strict=True)
        ], after

    async def counts(self, now: datetime, silent_since: int | None = None) -> Counts:
        found = await self._lists.counts(now, is_silent(silent_since, now))
        return Counts(**found)
