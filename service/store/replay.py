"""Folding every stream of a bucket again, and holding the result against the head that answers for it."""

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.json import Decoder

from domain.codec import event_of
from domain.errors import CoverdError
from domain.evolve import Entry, evolve, evolve_freelancer
from domain.ids import kind, subject
from domain.state import Engagement, Freelancer
from service.store.chain import Fault
from service.store.statements import sql

if TYPE_CHECKING:
    import asyncpg

    from service.store.lines import Connection

PAGE = 2000
_ENGAGEMENT, _FREELANCER = Decoder(Engagement), Decoder(Freelancer)


async def replay_bucket(conn: "Connection", bucket: int) -> list[Fault]:
    """The streams whose head is not what their events add up to, by this program's rules.

    Holds the folds of one bucket, and sees all as it was when it began.
    """
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        heads = await conn.fetch(sql("statuses_in"), bucket)
        folds = _Folds()
        cursor = await conn.cursor(sql("told"), bucket)
        while page := await cursor.fetch(PAGE):
            for row in page:
                folds.add(row)
    return [fault for head in heads if (fault := folds.compare(head))]


class _Folds(Struct):
    """What the events add up to so far, and where they cannot be folded."""

    engagements: dict[str, Engagement] = {}
    freelancers: dict[str, Freelancer] = {}
    faults: dict[str, Fault] = {}

    def add(self, row: "asyncpg.Record") -> None:
        stream_id, version, type_, effective_at, data = row
        try:
            entry = Entry(version, effective_at, event_of(type_, data))
            if kind(stream_id) == "engagement":
                known = self.engagements.get(stream_id) or Engagement(subject(stream_id))
                self.engagements[stream_id] = evolve(known, entry)
            else:
                before = self.freelancers.get(stream_id) or Freelancer(subject(stream_id))
                self.freelancers[stream_id] = evolve_freelancer(before, entry)
        except (CoverdError, LookupError, TypeError, ValueError) as error:
            why = f"event {version} cannot be folded: {type(error).__name__}"
            self.faults.setdefault(stream_id, Fault(stream_id, version, why))

    def compare(self, head: "asyncpg.Record") -> Fault | None:
        stream_id, version, state, status = head
        if stream_id in self.faults:
            return self.faults[stream_id]
        if kind(stream_id) == "engagement":
            folded = self.engagements.get(stream_id)
            same = folded == _ENGAGEMENT.decode(status) and folded is not None and folded.state == state
        else:
            same = self.freelancers.get(stream_id) == _FREELANCER.decode(status)
        return None if same else Fault(stream_id, version, "its head is not what its events add up to")
