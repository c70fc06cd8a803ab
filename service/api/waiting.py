"""Everything that waits for a person, wherever it stands: item by item, or one line a cause.

Vendors come first, then deliveries that reached no engagement, then what waits on engagements.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from domain.attention import UNMOVED_BY_RETRY
from projections.attention_list import AttentionCause, AttentionRow, cursor_behind
from projections.errors import BadCursor
from service.api.reading import DELIVERY_ID
from service.clock import Clock, rfc3339
from service.ingest.process import PARKED_LONG
from service.lists import ReadModels
from service.ports import DeliveryCause, Store, StoredDelivery
from service.sources import NAMES, Sources
from service.trouble import Trouble
from service.vendors.report import VendorReport

CLEARS = {
    "unusable": "Have the sender mend the body and send it again; it is kept here as it came.",
    "unknown_type": "Map the type under [aliases] in the configuration file, then replay the delivery.",
    "parked": "News that begins its engagement; or replay it once the engagement is known.",
    "failed": "Mend the cause, then replay the delivery.",
}
"""What makes an attention item about a delivery go away."""

WORDS = {
    "unusable": "deliveries that cannot be used",
    "unknown_type": "deliveries nobody here knows",
    "parked": "deliveries that belong to no known engagement",
    "failed": "deliveries that failed here",
}

Item = dict[str, Any]
"""An item as the API shows it."""

Placed = tuple[str, Item]
"""An item with the cursor of the page that begins behind it."""

OF_VENDOR, OF_DELIVERY = "vendor:", "delivery:"
"""How the cursors behind vendors and deliveries begin; those behind engagements hold no colon."""


@dataclass(frozen=True, slots=True)
class Cause:
    """All that waits for one reason, ``count`` items first and last raised at these times.

    ``step`` is what the steps of calls given up begin with; ``engagement_id`` or ``delivery`` names one of
    them. ``retryable``: the calls are made again when a person asks for it.
    """

    code: str
    cause: str
    clears: str
    step: str | None
    count: int
    engagements: int
    first_seen: datetime
    last_seen: datetime
    engagement_id: str | None = None
    delivery: str | None = None
    retryable: bool = False


class Waiting:
    """Each method may raise `StoreUnavailable`, and `BadCursor` for a cursor that was not made here."""

    def __init__(
        self, store: Store, lists: ReadModels, sources: Sources, vendors: VendorReport, clock: Clock
    ) -> None:
        self._store = store
        self._lists = lists
        self._sources = sources
        self._vendors = vendors
        self._clock = clock

    async def page(self, code: str | None, cursor: str | None, limit: int) -> tuple[list[Item], str | None]:
        """Up to ``limit`` items behind ``cursor``, and the cursor behind the last of them if more follow."""
        begin, after = _place(cursor)
        parts: tuple[Callable[[str | None, str | None, int], Awaitable[Sequence[Placed]]], ...]
        parts = (self._of_vendors, self._of_deliveries, self._of_engagements)
        asked = (part(code, None if n else after, limit + 1) for n, part in enumerate(parts[begin:]))
        found = [placed for part in await asyncio.gather(*asked) for placed in part]
        shown = found[:limit]
        return [item for _, item in shown], shown[-1][0] if len(found) > limit else None

    async def _of_vendors(self, code: str | None, after: str | None, limit: int) -> Sequence[Placed]:
        found = [(f"{OF_VENDOR}{t.name}:{t.code}", vendor_item(t)) for t in await self._troubles(code)]
        return [placed for placed in found if after is None or placed[0] > after][:limit]

    async def _troubles(self, code: str | None) -> list[Trouble]:
        of_sources, of_vendors = await asyncio.gather(self._sources.attention(), self._vendors.attention())
        found = [*of_sources, *of_vendors]
        return sorted((t for t in found if code in (None, t.code)), key=lambda t: (t.name, t.code))

    async def _of_deliveries(self, code: str | None, after: str | None, limit: int) -> Sequence[Placed]:
        outcome = None if code is None else code.removeprefix("delivery_")
        if code is not None and (outcome == code or outcome not in CLEARS):
            return []
        seen = after.removeprefix(OF_DELIVERY) if after else None
        found = await self._store.deliveries_needing_attention(self._parked_before, limit, outcome, seen)
        return [(f"{OF_DELIVERY}{stored.id}", delivery_item(stored)) for stored in found]

    async def _of_engagements(self, code: str | None, after: str | None, limit: int) -> Sequence[Placed]:
        rows, _ = await self._lists.attention(code=code, cursor=after, limit=limit)
        return [(cursor_behind(row), engagement_item(row)) for row in rows]

    @property
    def _parked_before(self) -> datetime:
        return self._clock() - PARKED_LONG

    async def causes(self, code: str | None = None) -> list[Cause]:
        """One line a cause, the most frequent first; of those on engagements the first two hundred."""
        deliveries = map(_of_delivery, await self._store.delivery_causes(self._parked_before))
        found = [
            *map(_of_vendor, await self._troubles(code)),
            *(cause for cause in deliveries if code in (None, cause.code)),
            *map(_of_engagements, await self._lists.attention_by_cause(code)),
        ]
        return sorted(found, key=lambda cause: (-cause.count, cause.code, cause.cause))


def _place(cursor: str | None) -> tuple[int, str | None]:
    """In which part a page begins, and behind what in it. Raises `BadCursor`."""
    if cursor is None:
        return 0, None
    if cursor.startswith(OF_VENDOR):
        return 0, cursor
    if cursor.startswith(OF_DELIVERY):
        if not DELIVERY_ID.fullmatch(cursor.removeprefix(OF_DELIVERY)):
            raise BadCursor
        return 1, cursor
    return 2, cursor


def _item(code: str, message: str, clears: str, first_seen: datetime, last_seen: datetime) -> Item:
    """What about a vendor or a delivery waits since it was first seen."""
    return {
        "engagement_id": None,
        "delivery": None,
        "code": code,
        "message": message,
        "since": rfc3339(first_seen),
        "clears": clears,
        "step": None,
        "first_seen": rfc3339(first_seen),
        "last_seen": rfc3339(last_seen),
        "count": 1,
    }


def vendor_item(trouble: Trouble) -> Item:
    seen = trouble.first_seen, trouble.last_seen
    item = _item(trouble.code, trouble.message, trouble.clears, *seen)
    return {**item, "since": rfc3339(trouble.since), "count": trouble.count}


def delivery_item(stored: StoredDelivery) -> Item:
    """About a delivery that has not reached an engagement."""
    outcome, seen = stored.outcome or "failed", stored.delivery.received_at
    message = f"{stored.delivery.source}: {stored.detail or 'it could not be used.'}"
    item = _item(f"delivery_{outcome}", message, CLEARS.get(outcome, CLEARS["failed"]), seen, seen)
    return {**item, "delivery": stored.id}


def engagement_item(row: AttentionRow) -> Item:
    item = _item(row.code, row.message, row.clears, row.first_seen, row.last_seen)
    about = {"engagement_id": row.engagement_id, "step": row.step, "since": rfc3339(row.since)}
    return {**item, **about, "count": row.count}


def _of_vendor(trouble: Trouble) -> Cause:
    seen = trouble.first_seen, trouble.last_seen
    return Cause(trouble.code, trouble.message, trouble.clears, None, trouble.count, 0, *seen)


def _of_delivery(found: DeliveryCause) -> Cause:
    what = f" of type {found.type}" if found.type else ""
    return Cause(
        code=f"delivery_{found.outcome}",
        cause=f"{NAMES.get(found.source, found.source)}: {WORDS[found.outcome]}{what}",
        clears=CLEARS.get(found.outcome, CLEARS["failed"]),
        step=None,
        count=found.count,
        engagements=0,
        first_seen=found.first_seen,
        last_seen=found.last_seen,
        delivery=found.latest,
    )


def _of_engagements(row: AttentionCause) -> Cause:
    return Cause(
        row.code,
        row.cause,
        row.clears,
        row.step,
        row.count,
        row.engagements,
        row.first_seen,
        row.last_seen,
        engagement_id=row.longest,
        retryable=row.code not in UNMOVED_BY_RETRY,
    )


def cause_view(cause: Cause) -> dict[str, Any]:
    seen = {"first_seen": rfc3339(cause.first_seen), "last_seen": rfc3339(cause.last_seen)}
    return {**asdict(cause), **seen}
