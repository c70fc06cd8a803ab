"""What one engagement's row holds: a pure function of the events folded so far."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from asyncpg import Range
from msgspec import Struct
from msgspec.structs import replace

from domain.attention import attention
from domain.codec import engagement_from, status_text
from domain.coverage import Span, spans
from domain.evolve import evolve
from domain.ids import bucket_of, engagement_stream, subject
from domain.state import Engagement
from projections.errors import AlreadyApplied
from projections.feed import Told
from projections.instants import INFINITY, from_epoch, storable


class Folded(Struct, frozen=True):
    """An engagement as far as this read model has come, with when its first and last events were recorded."""

    engagement: Engagement
    created_at: datetime
    updated_at: datetime


def restored(status: str, created_at: datetime, updated_at: datetime) -> Folded:
    """The fold as a row keeps it, ``status`` as JSON text."""
    return Folded(engagement_from(msgspec.json.decode(status)), created_at, updated_at)


def begun(event: Told) -> Folded:
    """The fold before an engagement's first event."""
    return Folded(Engagement(subject(event.stream_id)), event.recorded_at, event.recorded_at)


def after(engagement: Engagement, event: Told) -> Engagement:
    """The engagement after ``event``. Raises `AlreadyApplied`, and what `evolve` raises."""
    if event.version <= engagement.version:
        raise AlreadyApplied(stream_id=event.stream_id, version=engagement.version, again=event.version)
    return evolve(engagement, event)


def bucket_text(engagement_id: str) -> str:
    """The engagement's bucket, as the text Postgres casts from."""
    return str(bucket_of(engagement_stream(engagement_id)))


COLUMNS = (
    "bucket",
    *("engagement_id", "version", "state", "client_id", "freelancer_id", "contractor_id", "title"),
    *("periods", "unknown_until", "attention_codes", "attention_count", "created_at", "updated_at", "status"),
)


def columns(row: Folded) -> tuple[Any, ...]:
    """The row's values in the order of `COLUMNS`, as the driver takes them."""
    s, waiting = row.engagement, attention(row.engagement)
    within = tuple(_within_contract(s))
    codes = sorted({item.code for item in waiting})
    return (
        bucket_of(engagement_stream(s.engagement_id)),
        s.engagement_id,
        s.version,
        s.state,
        storable(s.client_id),
        storable(s.freelancer_id),
        storable(s.contractor_id),
        storable(s.terms.title if s.terms else None),
        _periods(within),
        _unknown_until(within),
        codes,
        len(waiting),
        row.created_at,
        row.updated_at,
        status_text(s),
    )


def arrays(rows: Iterable[Folded]) -> list[list[Any]]:
    """The values of many rows, column by column; a value that is several is the text Postgres casts from."""
    given = [list(column) for column in zip(*map(columns, rows), strict=True)]
    given[_PERIODS] = ["{" + ",".join(map(_text, periods)) + "}" for periods in given[_PERIODS]]
    given[_CODES] = ["{" + ",".join(codes) + "}" for codes in given[_CODES]]
    return given


_PERIODS, _CODES = COLUMNS.index("periods"), COLUMNS.index("attention_codes")


def _text(period: "Range[datetime]") -> str:
    start, end = period.lower, period.upper
    return f"[{'' if start is None else start.isoformat()},{'' if end is None else end.isoformat()})"


def _periods(within: Sequence[Span]) -> "list[Range[datetime]]":
    """When the engagement is known to be covered: nothing after the contract's end."""
    return [
        Range(from_epoch(span.start), None if span.end is None else from_epoch(span.end))
        for span in within
        if span.start is not None and span.is_known
    ]


def _unknown_until(within: Sequence[Span]) -> datetime | None:
    """How long an active policy whose dates nobody knows leaves the answer open; None when none does.

    One that has a start and lost its end leaves it open before that start too: a row says less than `answer`.
    """
    ends = [span.end for span in within if not span.is_known]
    if not ends:
        return None
    known = [end for end in ends if end is not None]
    return from_epoch(max(known)) if len(known) == len(ends) else INFINITY


def _within_contract(s: Engagement) -> Iterator[Span]:
    for span in spans(s):
        end = min((t for t in (span.end, s.ended_at) if t is not None), default=None)
        if span.start is None or end is None or span.start < end:
            yield replace(span, end=end)
