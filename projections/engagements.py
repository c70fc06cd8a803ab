"""The projection behind the lists of engagements and of what waits for a person."""

from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from domain.attention import attention as waiting_on
from domain.ids import engagement_stream, subject
from projections import attention, engagement_row
from projections.attention import Notes
from projections.copying import copy_into
from projections.engagement_row import Folded, bucket_text
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

    async def apply(self, conn: "Connection", revision: int, events: Sequence[Told]) -> None:
        mine = [event for event in events if event.stream_id.startswith(_MINE)]
        if not mine:
            return
        ids = sorted({subject(event.stream_id) for event in mine})
        rows = await _load(conn, revision, ids)
        notes = Notes(await attention.load(conn, revision, ids))
        _fold(rows, notes, mine)
        await _write(conn, revision, (rows[id_] for id_ in ids))
        await attention.write(conn, revision, notes.changed)

    async def fill(self, conn: "Connection", revision: int, streams: AsyncIterator[Sequence[Told]]) -> None:
        notes = Notes({})
        folds: list[tuple[Any, ...]] = []
        async for events in streams:
            rows: dict[str, Folded] = {}
            _fold(rows, notes, events)
            folds += map(engagement_row.columns, rows.values())
        await copy_into(conn, f"engagements_r{revision}", engagement_row.COLUMNS, folds)
        waiting = [attention.columns(key, note) for key, note in notes.changed.items()]
        await copy_into(conn, f"attention_r{revision}", attention.COLUMNS, waiting)


def _fold(rows: dict[str, Folded], notes: Notes, events: Iterable[Told]) -> None:
    for stream_id, group in groupby(events, key=attrgetter("stream_id")):
        if not stream_id.startswith(_MINE):
            continue
        told, id_ = list(group), subject(stream_id)
        row = rows.get(id_) or engagement_row.begun(told[0])
        engagement = row.engagement
        for event in told:
            engagement = engagement_row.after(engagement, event)
            notes.note(id_, waiting_on(engagement), event.recorded_at)
        rows[id_] = Folded(engagement, row.created_at, told[-1].recorded_at)


async def _load(conn: "Connection", revision: int, ids: Sequence[str]) -> dict[str, Folded]:
    rows = await conn.fetch(sql("engagements_folded", revision), list(map(bucket_text, ids)), ids)
    folds = (engagement_row.restored(**row) for row in rows)
    return {row.engagement.engagement_id: row for row in folds}


async def _write(conn: "Connection", revision: int, rows: Iterable[Folded]) -> None:
    await conn.execute(sql("engagements_write", revision), *engagement_row.arrays(rows))
