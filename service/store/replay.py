"""Folding every stream of a bucket again, and holding the result against the head that answers for it."""

from collections.abc import Callable, Iterable
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar

from msgspec.json import Decoder

from domain.codec import event_of, status_text
from domain.errors import CoverdError
from domain.evolve import Entry, evolve, evolve_freelancer
from domain.ids import kind, subject
from domain.state import Engagement, Freelancer
from service.store.chain import Fault
from service.store.statements import sql

if TYPE_CHECKING:
    import asyncpg

    from service.store.lines import Connection

_State = TypeVar("_State", Engagement, Freelancer)
_ENGAGEMENT, _FREELANCER = Decoder(Engagement), Decoder(Freelancer)


class Replay:
    """Finds the streams whose head is not what their events add up to, by this program's rules.

    Takes them stream after stream. Holds the folds of one bucket.
    """

    def __init__(self, bucket: int) -> None:
        self._bucket = bucket
        self._engagements: dict[str, Engagement] = {}
        self._freelancers: dict[str, Freelancer] = {}
        self._faults: dict[str, Fault] = {}

    def add(self, rows: "Iterable[asyncpg.Record]") -> None:
        for stream_id, events in groupby(rows, key=itemgetter(1)):
            if stream_id in self._faults:
                continue
            if kind(stream_id) == "engagement":
                known = self._engagements.get(stream_id) or Engagement(subject(stream_id))
                self._engagements[stream_id] = self._folded(stream_id, known, evolve, events)
            else:
                before = self._freelancers.get(stream_id) or Freelancer(subject(stream_id))
                self._freelancers[stream_id] = self._folded(stream_id, before, evolve_freelancer, events)

    async def end(self, conn: "Connection") -> list[Fault]:
        heads = await conn.fetch(sql("statuses_in"), self._bucket)
        return [fault for head in heads if (fault := self._compare(head))]

    def _folded(
        self,
        stream_id: str,
        state: _State,
        evolve: Callable[[_State, Entry], _State],
        events: "Iterable[asyncpg.Record]",
    ) -> _State:
        """The state after these events, or before the first that cannot be folded."""
        version = 0
        try:
            for _, _, version, type_, effective_at, data in events:
                state = evolve(state, Entry(version, effective_at, event_of(type_, data)))
        except (CoverdError, LookupError, TypeError, ValueError) as error:
            why = f"event {version} cannot be folded: {type(error).__name__}"
            self._faults[stream_id] = Fault(stream_id, version, why)
        return state

    def _compare(self, head: "asyncpg.Record") -> Fault | None:
        stream_id, version, state, status = head
        if stream_id in self._faults:
            return self._faults[stream_id]
        if kind(stream_id) == "engagement":
            folded = self._engagements.get(stream_id)
            same = _says(folded, status, _ENGAGEMENT) and folded is not None and folded.state == state
        else:
            same = _says(self._freelancers.get(stream_id), status, _FREELANCER)
        return None if same else Fault(stream_id, version, "its head is not what its events add up to")


def _says(folded: _State | None, status: str, decoder: Decoder[_State]) -> bool:
    """Whether the stored text is this state: to the letter as a rule, or written otherwise."""
    return folded is not None and (status_text(folded) == status or folded == decoder.decode(status))
