"""Ids of deliveries: ``<bucket>-<arrival>``, so that one look-up finds one and they sort by arrival."""

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.ids import BUCKETS, bucket_of
from service.ports import Delivery

LAST = UUID(int=(1 << 128) - 1)
"""Later than any arrival."""

LEASE = timedelta(seconds=20)
"""How long the process that took a delivery has to settle it before another may: so long a crash holds it up.

Two that settle the same one do no harm, and a process far behind loses its oldest to one that has time.
"""

DRAWN_AT_ONCE = 512
"""Random numbers; one at a time each would be a call to the system."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Arrivals:
    """Makes UUIDs of version 7 that only ever grow within this process, whatever its clock does."""

    def __init__(self) -> None:
        self._last = 0
        self._chance: list[int] = []

    def next(self, at: datetime) -> str:
        """The id of what arrives now, in 32 hex digits: milliseconds, microseconds within, and chance."""
        micros = max((at - _EPOCH) // _MICROSECOND, self._last + 1)
        self._last = micros
        milli, micro = divmod(micros, 1000)
        if not self._chance:
            self._chance = [*memoryview(secrets.token_bytes(8 * DRAWN_AT_ONCE)).cast("Q")]
        chance = self._chance.pop() >> 2
        return f"{milli << 80 | 7 << 76 | micro << 64 | 2 << 62 | chance:032x}"


def beginning(at: datetime) -> UUID:
    """Just before the first id of what arrives at this instant or later."""
    milli, micro = divmod((at - _EPOCH) // timedelta(microseconds=1), 1000)
    return UUID(int=max(milli << 80 | 7 << 76 | micro << 64 | 2 << 62, 1) - 1)


def bucket_of_delivery(delivery: Delivery) -> int:
    return bucket_of(f"{delivery.source}:{delivery.dedupe}")


def delivery_id(bucket: int, arrival: str) -> str:
    """``<bucket in 3 hex digits>-<arrival in 32>``."""
    return f"{bucket:03x}-{arrival}"


def parsed(delivery_id: str) -> tuple[int, UUID] | None:
    """A delivery's bucket and arrival; None for text that is no id of ours."""
    head, dash, tail = delivery_id.partition("-")
    try:
        bucket, arrival = int(head, 16), UUID(hex=tail)
    except ValueError:
        return None
    well_formed = dash and len(head) == 3 and len(tail) == 32 and 0 <= bucket < BUCKETS
    return (bucket, arrival) if well_formed else None
