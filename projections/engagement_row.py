"""What one engagement's row holds: a pure function of the events folded so far."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from domain.attention import Attention, attention
from domain.codec import engagement_from, status_text
from domain.coverage import Span, spans
from domain.evolve import evolve
from domain.ids import bucket_of, engagement_stream, subject
from domain.state import Engagement
from projections.errors import AlreadyApplied
from projections.feed import Told
from projections.instants import epoch_text, storable, text


class Folded(Struct, frozen=True):
    """An engagement as far as this read model has come, with when its first and last events were recorded."""

    engagement: Engagement
    created_at: datetime
    updated_at: datetime

    @property
    def attention(self) -> tuple[Attention, ...]:
        return attention(self.engagement)


def restored(status: str, created_at: datetime, updated_at: datetime) -> Folded:
    """The fold as a row keeps it, ``status`` as JSON text."""
    return Folded(engagement_from(msgspec.json.decode(status)), created_at, updated_at)


def begun(event: Told) -> Folded:
    """The fold before an engagement's first event."""
    return Folded(Engagement(subject(event.stream_id)), event.recorded_at, event.recorded_at)


def folded(row: Folded, event: Told) -> Folded:
    """The fold after ``event``. Raises `AlreadyApplied`, and what `evolve` raises."""
    known = row.engagement.version
    if event.version <= known:
        raise AlreadyApplied(stream_id=event.stream_id, version=known, again=event.version)
    return Folded(evolve(row.engagement, event), row.created_at, event.recorded_at)


def bucket_text(engagement_id: str) -> str:
    """The engagement's bucket, as the text Postgres casts from."""
    return str(bucket_of(engagement_stream(engagement_id)))


COLUMNS = (
    "bucket",
    *("engagement_id", "version", "state", "client_id", "freelancer_id", "contractor_id", "title"),
    *("periods", "unknown_until", "attention_codes", "attention_count", "created_at", "updated_at", "status"),
)


def columns(row: Folded) -> tuple[str | None, ...]:
    """The row's values in the order of `COLUMNS`, each as the text Postgres casts from."""
    s, waiting = row.engagement, row.attention
    within = tuple(_within_contract(s))
    codes = sorted({item.code for item in waiting})
    return (
        bucket_text(s.engagement_id),
        s.engagement_id,
        str(s.version),
        s.state,
        storable(s.client_id),
        storable(s.freelancer_id),
        storable(s.contractor_id),
        storable(s.terms.title if s.terms else None),
        _periods(within),
        _unknown_until(within),
        "{" + ",".join(codes) + "}",
        str(len(waiting)),
        text(row.created_at),
        text(row.updated_at),
        status_text(s),
    )


def _periods(within: Sequence[Span]) -> str:
    """When the engagement is known to be covered, as a tstzmultirange: nothing after the contract's end."""
    ranges = (
        f"[{epoch_text(span.start)},{'' if span.end is None else epoch_text(span.end)})"
        for span in within
        if span.start is not None and span.is_known
    )
    return "{" + ",".join(ranges) + "}"


def _unknown_until(within: Sequence[Span]) -> str | None:
    """How long an active policy whose dates nobody knows leaves the answer open; None when none does.

    One that has a start and lost its end leaves it open before that start too: a row says less than `answer`.
    """
    ends = [span.end for span in within if not span.is_known]
    if not ends:
        return None
    known = [end for end in ends if end is not None]
    return epoch_text(max(known)) if len(known) == len(ends) else "infinity"


def _within_contract(s: Engagement) -> Iterator[Span]:
    for span in spans(s):
        end = min((t for t in (span.end, s.ended_at) if t is not None), default=None)
        if span.start is None or end is None or span.start < end:
            yield replace(span, end=end)
