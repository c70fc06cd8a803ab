"""What waits for a person on each engagement: noted when it appears, and when it clears."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from domain.attention import Attention
from domain.ids import bucket_of, engagement_stream
from projections.engagement_row import bucket_text
from projections.instants import from_epoch, storable
from projections.statements import sql

if TYPE_CHECKING:
    from projections.statements import Connection


@dataclass(frozen=True, slots=True)
class Key:
    """``step`` names the call that was given up, and is empty for what concerns no single call."""

    engagement_id: str
    code: str
    step: str


@dataclass(frozen=True, slots=True)
class Note:
    """``since`` is when it began as the facts tell; ``first_seen`` and ``last_seen`` when it was raised
    first and last, ``count`` times in all; ``cleared_at`` when it went away, None while it waits."""

    message: str
    clears: str
    since: datetime
    first_seen: datetime
    last_seen: datetime
    count: int
    cleared_at: datetime | None = None

    def says(self, item: Attention) -> bool:
        """Whether it waits in these very words."""
        words = (storable(item.message), storable(item.clears), from_epoch(item.since))
        return self.cleared_at is None and (self.message, self.clears, self.since) == words


class Notes:
    """The notes of some engagements, and which of them changed.

    What waits now is held against the notes themselves, so that a program that judges otherwise than
    the one before it sets each engagement right with its next event.
    """

    def __init__(self, known: dict[Key, Note]) -> None:
        self._known: dict[str, dict[Key, Note]] = {}
        for key, note in known.items():
            self._known.setdefault(key.engagement_id, {})[key] = note
        self.changed: dict[Key, Note] = {}

    def note(self, engagement_id: str, waiting: Sequence[Attention], at: datetime) -> None:
        """Note what appeared, changed or cleared with an event recorded ``at``."""
        known = self._known.get(engagement_id, {})
        if not (waiting or known):
            return
        items = {Key(engagement_id, item.code, storable(item.step) or ""): item for item in waiting}
        for key, note in known.items():
            if note.cleared_at is None and key not in items:
                self._set(key, replace(note, cleared_at=at))
        for key, item in items.items():
            before = known.get(key)
            if before is None or not before.says(item):
                self._set(key, _raised(before, item, at))

    def _set(self, key: Key, note: Note) -> None:
        self._known.setdefault(key.engagement_id, {})[key] = self.changed[key] = note


def _raised(known: Note | None, item: Attention, at: datetime) -> Note:
    """Raised again counts again; new words on what already waits do not."""
    since = from_epoch(item.since)
    waits_already = known is not None and known.cleared_at is None and known.since == since
    return Note(
        message=storable(item.message) or "",
        clears=storable(item.clears) or "",
        since=since,
        first_seen=known.first_seen if known else at,
        last_seen=at,
        count=(known.count if known else 0) + (0 if waits_already else 1),
    )


async def load(conn: "Connection", revision: int, engagement_ids: Sequence[str]) -> dict[Key, Note]:
    """Every note of these engagements, cleared ones too."""
    rows = await conn.fetch(
        sql("attention_noted", revision), list(map(bucket_text, engagement_ids)), engagement_ids
    )
    return {
        Key(row["engagement_id"], row["code"], row["step"]): Note(
            row["message"],
            row["clears"],
            row["since"],
            row["first_seen"],
            row["last_seen"],
            row["count"],
            row["cleared_at"],
        )
        for row in rows
    }


async def write(conn: "Connection", revision: int, notes: dict[Key, Note]) -> None:
    if not notes:
        return
    values = zip(*(columns(key, note) for key, note in notes.items()), strict=True)
    await conn.execute(sql("attention_write", revision), *map(list, values))


COLUMNS = (
    *("bucket", "engagement_id", "code", "step", "message", "clears", "since", "first_seen", "last_seen"),
    *("count", "cleared_at"),
)


def columns(key: Key, note: Note) -> tuple[Any, ...]:
    """The note's values in the order of `COLUMNS`, as the driver takes them."""
    return (
        bucket_of(engagement_stream(key.engagement_id)),
        key.engagement_id,
        key.code,
        key.step,
        note.message,
        note.clears,
        note.since,
        note.first_seen,
        note.last_seen,
        note.count,
        note.cleared_at,
    )
