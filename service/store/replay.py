"""Folding every stream of a bucket again, and holding the result against the head that answers for it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

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

_ENGAGEMENT, _FREELANCER = Decoder(Engagement), Decoder(Freelancer)


class Replay:
    """Finds the streams whose head is not what their events add up to, by this program's rules.

    Holds the folds of one bucket.
    """

    def __init__(self, bucket: int) -> None:
        self._bucket = bucket
        self._engagements: dict[str, Engagement] = {}
        self._freelancers: dict[str, Freelancer] = {}
        self._faults: dict[str, Fault] = {}

    def add(self, rows: "Iterable[asyncpg.Record]") -> None:
        for _, stream_id, version, type_, effective_at, data in rows:
            self._fold(stream_id, version, type_, effective_at, data)

    async def end(self, conn: "Connection") -> list[Fault]:
        heads = await conn.fetch(sql("statuses_in"), self._bucket)
        return [fault for head in heads if (fault := self._compare(head))]

    def _fold(self, stream_id: str, version: int, type_: str, effective_at: int, data: str) -> None:
        try:
            entry = Entry(version, effective_at, event_of(type_, data))
            if kind(stream_id) == "engagement":
                known = self._engagements.get(stream_id) or Engagement(subject(stream_id))
                self._engagements[stream_id] = evolve(known, entry)
            else:
                before = self._freelancers.get(stream_id) or Freelancer(subject(stream_id))
                self._freelancers[stream_id] = evolve_freelancer(before, entry)
        except (CoverdError, LookupError, TypeError, ValueError) as error:
            why = f"event {version} cannot be folded: {type(error).__name__}"
            self._faults.setdefault(stream_id, Fault(stream_id, version, why))

    def _compare(self, head: "asyncpg.Record") -> Fault | None:
        stream_id, version, state, status = head
        if stream_id in self._faults:
            return self._faults[stream_id]
        if kind(stream_id) == "engagement":
            folded = self._engagements.get(stream_id)
            same = folded == _ENGAGEMENT.decode(status) and folded is not None and folded.state == state
        else:
            same = self._freelancers.get(stream_id) == _FREELANCER.decode(status)
        return None if same else Fault(stream_id, version, "its head is not what its events add up to")
