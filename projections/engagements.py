"""The projection behind the lists of engagements and of what waits for a person."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING

from domain.ids import bucket_of, engagement_stream, subject
from projections import attention, engagement_row
from projections.attention import Notes
from projections.copying import copy_into
from projections.engagement_row import Folded
from projections.feed import Told
from projections.statements import sql

if TYPE_CHECKING:
    from projections.statements import Connection

_MINE = engagement_stream("")


class Engagements:
    """One row an engagement, and one for each thing on it that needs attention."""

    name = "engagements"
    tables = {"engagements": ("engagement_id",), "attention": ("engagement_id", "code", "step")}  # noqa: RUF012
    follows = ()

    async def apply(self, conn: "Connection", revision: int, bucket: int, events: Sequence[Told]) -> None:
        mine = [event for event in events if event.stream_id.startswith(_MINE)]
        if not mine:
            return
        ids = sorted({subject(event.stream_id) for event in mine})
        rows = await _load(conn, revision, bucket, ids)
        notes = Notes(await attention.load(conn, revision, bucket, ids))
        _fold(rows, notes, mine)
        await _write(conn, revision, bucket, (rows[id_] for id_ in ids))
        await attention.write(conn, revision, bucket, notes.changed)

    async def fill(self, conn: "Connection", revision: int, pages: AsyncIterator[Sequence[Told]]) -> None:
        rows: dict[str, Folded] = {}
        notes = Notes({})
        async for events in pages:
            _fold(rows, notes, events)
        folds = ((_bucket(id_), *engagement_row.columns(row)) for id_, row in rows.items())
        await copy_into(conn, f"engagements_r{revision}", ("bucket", *engagement_row.COLUMNS), folds)
        waiting = (
            (_bucket(key.engagement_id), *attention.columns(key, n)) for key, n in notes.changed.items()
        )
        await copy_into(conn, f"attention_r{revision}", ("bucket", *attention.COLUMNS), waiting)


def _bucket(engagement_id: str) -> str:
    return str(bucket_of(engagement_stream(engagement_id)))


def _fold(rows: dict[str, Folded], notes: Notes, events: Iterable[Told]) -> None:
    for event in events:
        if not event.stream_id.startswith(_MINE):
            continue
        id_ = subject(event.stream_id)
        rows[id_] = row = engagement_row.folded(rows.get(id_) or engagement_row.begun(event), event)
        notes.note(id_, row.attention, event.recorded_at)


async def _load(conn: "Connection", revision: int, bucket: int, ids: Sequence[str]) -> dict[str, Folded]:
    rows = await conn.fetch(sql("engagements_folded", revision), bucket, ids)
    folds = (engagement_row.restored(**row) for row in rows)
    return {row.engagement.engagement_id: row for row in folds}


async def _write(conn: "Connection", revision: int, bucket: int, rows: Iterable[Folded]) -> None:
    values = zip(*(engagement_row.columns(row) for row in rows), strict=True)
    await conn.execute(sql("engagements_write", revision), bucket, *map(list, values))
