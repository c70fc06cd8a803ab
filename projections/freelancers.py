"""The projection of freelancers: who they are at 1099Policy, and since when they have opted in."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from domain.codec import freelancer_from, status_text
from domain.evolve import evolve_freelancer
from domain.ids import bucket_of, freelancer_stream, kind, subject
from domain.state import Freelancer
from projections.copying import copy_into
from projections.errors import AlreadyApplied
from projections.feed import Told
from projections.instants import from_epoch, storable
from projections.statements import sql

if TYPE_CHECKING:
    from projections.statements import Connection, Reader


@dataclass(frozen=True, slots=True)
class _Folded:
    freelancer: Freelancer
    created_at: datetime
    updated_at: datetime


class Freelancers:
    """One row a freelancer whose own stream has begun."""

    name = "freelancers"
    tables = {"freelancers": ("freelancer_id",)}  # noqa: RUF012
    follows = ()

    async def apply(self, conn: "Connection", revision: int, events: Sequence[Told]) -> None:
        mine = [event for event in events if kind(event.stream_id) == "freelancer"]
        if not mine:
            return
        ids = sorted({subject(event.stream_id) for event in mine})
        rows = await conn.fetch(sql("freelancers_folded", revision), list(map(_bucket, ids)), ids)
        folds = {row.freelancer.freelancer_id: row for row in (_restored(**row) for row in rows)}
        _fold(folds, mine)
        values = zip(*(_columns(folds[id_]) for id_ in ids), strict=True)
        await conn.execute(sql("freelancers_write", revision), *map(list, values))

    async def fill(self, conn: "Connection", revision: int, streams: AsyncIterator[Sequence[Told]]) -> None:
        rows: list[tuple[Any, ...]] = []
        async for events in streams:
            if kind(events[0].stream_id) == "freelancer":
                folds: dict[str, _Folded] = {}
                _fold(folds, events)
                rows += map(_columns, folds.values())
        await copy_into(conn, f"freelancers_r{revision}", _COLUMNS, rows)


def _bucket(freelancer_id: str) -> str:
    return str(bucket_of(freelancer_stream(freelancer_id)))


def _fold(folds: dict[str, _Folded], events: Iterable[Told]) -> None:
    for event in events:
        id_ = subject(event.stream_id)
        folds[id_] = _after(folds.get(id_), event)


def _restored(status: str, created_at: datetime, updated_at: datetime) -> _Folded:
    return _Folded(freelancer_from(msgspec.json.decode(status)), created_at, updated_at)


def _after(row: _Folded | None, event: Told) -> _Folded:
    row = row or _Folded(Freelancer(subject(event.stream_id)), event.recorded_at, event.recorded_at)
    known = row.freelancer.version
    if event.version <= known:
        raise AlreadyApplied(stream_id=event.stream_id, version=known, again=event.version)
    return _Folded(evolve_freelancer(row.freelancer, event), row.created_at, event.recorded_at)


_COLUMNS = (
    *("bucket", "freelancer_id", "version", "contractor_id", "opted_in_at", "created_at", "updated_at"),
    "status",
)


def _columns(row: _Folded) -> tuple[Any, ...]:
    s = row.freelancer
    return (
        bucket_of(freelancer_stream(s.freelancer_id)),
        s.freelancer_id,
        s.version,
        storable(s.contractor_id),
        None if s.opted_in_at is None else from_epoch(s.opted_in_at),
        row.created_at,
        row.updated_at,
        status_text(s),
    )


@dataclass(frozen=True, slots=True)
class FreelancerRow:
    """A freelancer as lists know them: ``opted_in_at`` None until a policy of theirs was active,
    ``engagement_ids`` the newest first, at most 200."""

    freelancer_id: str
    contractor_id: str | None
    opted_in_at: datetime | None
    engagement_ids: tuple[str, ...]


async def freelancer(conn: "Reader", freelancer_id: str) -> FreelancerRow | None:
    """None when neither the freelancer's own stream nor any engagement has named them."""
    bucket = bucket_of(freelancer_stream(freelancer_id))
    row = await conn.fetchrow(sql("freelancer"), bucket, freelancer_id)
    assert row is not None, "the statement gives a row whatever is known"
    if not row["known"] and not row["engagement_ids"]:
        return None
    return FreelancerRow(
        freelancer_id, row["contractor_id"], row["opted_in_at"], tuple(row["engagement_ids"])
    )
