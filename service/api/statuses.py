"""The current answer for an engagement, kept ready as bytes while neither its stream nor time has moved on.

Each time the stream's version is read from the store, so an answer is never older than the question.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from domain.codec import engagement_from
from domain.coverage import answer
from domain.errors import NotKnown
from domain.ids import engagement_stream
from domain.react import wanted
from domain.state import Engagement
from service.api.views import engagement_view
from service.clock import Clock, epoch
from service.ports import Head, Store
from service.sources import Silence, never, never_silent

REMEMBERED = 16_384
"""So many answers are kept, about 2 KB each."""

FRESH_SECONDS = 5
"""An answer shown again may miss a cancellation by so much: about what a webhook is late anyway. Who asks
every second is spared four questions of five by it."""

FOR_EVER = 1 << 62

FIRST_INSTANT = 946_684_800
"""Epoch seconds, in the year 2000: a smaller number in a state is a count, a version or a sum."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer as JSON and its ETag, right for ``version`` from one epoch second up to before another.

    ``rests``: cover is known, and nothing is under way whose outcome will change the answer.
    """

    version: int
    silent_since: int | None
    starts_at: int
    ends_at: int
    tag: str
    body: bytes
    rests: bool

    def cache_control(self, now: float, silent_in: float) -> str:
        """How long whoever asked may show this answer again: until time alone changes it and never for long,
        since news may come at any moment; not at all where it does not rest.

        ``now`` is epoch seconds with their fraction; in ``silent_in`` seconds cover becomes unknown unless
        1099Policy is heard of. What is left is rounded down, so that no answer outlives its instant.
        """
        lasts = min(self.ends_at - now, silent_in, FRESH_SECONDS) if self.rests else 0
        return f"private, max-age={max(int(lasts), 0)}, must-revalidate"

    def holds(self, now: int, silent_since: int | None) -> bool:
        return self.silent_since == silent_since and self.starts_at <= now < self.ends_at


class Statuses:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        silence: Silence = never_silent,
        silent_in: Callable[[], float] = never,
    ) -> None:
        """``silent_in``: seconds until ``silence`` would set in."""
        self._store = store
        self._clock = clock
        self._silence = silence
        self._silent_in = silent_in
        self._shown: OrderedDict[str, Shown] = OrderedDict()

    async def of(self, engagement_id: str) -> Shown:
        """The answer now. Raises `NotKnown`."""
        while True:
            silent = await self._silence()
            kept = self._kept(engagement_id, silent)
            known = kept.version if kept else 0
            head = await self._store.head_since(engagement_stream(engagement_id), known)
            if head is not None:
                kept = None
                if head.version:
                    kept = self._keep(engagement_id, show(head, epoch(self._clock()), silent))
            if kept is None:
                raise NotKnown(engagement_id=engagement_id)
            if kept.holds(epoch(self._clock()), silent):
                return kept

    def cache_control(self, shown: Shown) -> str:
        return shown.cache_control(self._clock().timestamp(), self._silent_in())

    def _kept(self, engagement_id: str, silent: int | None) -> Shown | None:
        kept = self._shown.get(engagement_id)
        if kept is None or not kept.holds(epoch(self._clock()), silent):
            return None
        self._shown.move_to_end(engagement_id)
        return kept

    def _keep(self, engagement_id: str, shown: Shown) -> Shown:
        self._shown[engagement_id] = shown
        self._shown.move_to_end(engagement_id)
        if len(self._shown) > REMEMBERED:
            self._shown.popitem(last=False)
        return shown


def show(head: Head, now: int, silent_since: int | None) -> Shown:
    """The answer for a stream that has begun, ``now`` in epoch seconds."""
    engagement = engagement_from(head.status)
    edges = _instants(head.status)
    return Shown(
        version=head.version,
        silent_since=silent_since,
        starts_at=max((edge for edge in edges if edge <= now), default=-FOR_EVER),
        ends_at=min((edge for edge in edges if edge > now), default=FOR_EVER),
        tag=_tag(engagement, sum(edge <= now for edge in edges), silent_since),
        body=orjson.dumps(engagement_view(engagement, now, head.updated_at, silent_since)),
        rests=answer(engagement, now, silent_since).covered is not None and not _is_under_way(engagement),
    )


def _is_under_way(engagement: Engagement) -> bool:
    """Whether a call is asked for now; timers, and what was given up until a person acts, are not."""
    return any(w.due_at is None and w.step not in engagement.parked for w in wanted(engagement))


def _instants(value: Any) -> set[int]:
    """Every instant a state names: by time alone the answer changes at no other. A sum that looks like one
    does no harm."""
    if isinstance(value, dict):
        return set[int]().union(*map(_instants, value.values()))
    if isinstance(value, list):
        return set[int]().union(*map(_instants, value))
    return {value} if type(value) is int and value >= FIRST_INSTANT else set()


def _tag(engagement: Engagement, passed: int, silent_since: int | None) -> str:
    """Changes with every event, with every edge that time passes, and when silence sets in."""
    unheard = "" if silent_since is None else f"-s{silent_since}"
    return f'"{engagement.version}-{passed}{unheard}"'
