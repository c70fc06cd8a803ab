"""The projection behind the lists of engagements and of what waits for a person."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from domain.ids import kind, subject
from domain.recorded import Recorded
from projections import attention, engagement_row
from projections.engagement_row import Folded
from projections.statements import sql

if TYPE_CHECKING:
    from projections.statements import Connection


class Engagements:
    """One row an engagement, and one for each thing on it that needs attention."""

    name = "engagements"
    tables = ("engagements", "attention")
    follows = ()
    rebuilds = True

    async def apply(self, conn: "Connection", revision: int, bucket: int, events: Sequence[Recorded]) -> None:
        mine = [event for event in events if kind(event.stream_id) == "engagement"]
        if not mine:
            return
        ids = sorted({subject(event.stream_id) for event in mine})
        rows = await _load(conn, revision, bucket, ids)
        notes = attention.Notes(await attention.load(conn, revision, bucket, ids))
        for event in mine:
            before = rows.get(subject(event.stream_id)) or engagement_row.begun(event)
            after = engagement_row.folded(before, event)
            notes.note(after.engagement.engagement_id, after.attention, event.recorded_at)
            rows[after.engagement.engagement_id] = after
        await _write(conn, revision, bucket, (rows[id_] for id_ in ids))
        await attention.write(conn, revision, bucket, notes.changed)


async def _load(conn: "Connection", revision: int, bucket: int, ids: Sequence[str]) -> dict[str, Folded]:
    rows = await conn.fetch(sql("engagements_folded", revision), bucket, ids)
    folds = (engagement_row.restored(**row) for row in rows)
    return {row.engagement.engagement_id: row for row in folds}


async def _write(conn: "Connection", revision: int, bucket: int, rows: Iterable[Folded]) -> None:
    values = zip(*(engagement_row.columns(row) for row in rows), strict=True)
    await conn.execute(sql("engagements_write", revision), bucket, *map(list, values))
