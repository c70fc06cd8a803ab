"""The web pages: the list by what needs attention, one engagement with its answer, and the look of errors."""

import re
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import quote

from aiohttp import web

from domain.attention import attention
from domain.errors import NotKnown
from domain.ids import engagement_stream
from domain.lifecycle import AWAITING_OPT_IN, ENDED, LIVE
from projections.errors import BadCursor
from service.api.keys import SIGNED_IN
from service.api.problems import Problem
from service.api.waiting import CLEARS
from service.clock import Clock, epoch
from service.handle import Handler
from service.ingest.process import PARKED_LONG
from service.lists import find_engagements
from service.ports import Store, StoredDelivery
from service.sources import Silence, never_silent
from service.trouble import Trouble
from service.web import facts, labels
from service.web.answers import told
from service.web.filters import Filters, filters_of
from service.web.lists import Lists, Row
from service.web.machine import drawing
from service.web.rendering import STATIC, error_page, page, static_response
from service.web.timeline import entries, path

__all__ = ["Pages", "error_page"]

NAMING = {"name_unclear", "name_missing"}
"""Holds that a person's decision on the freelancer's name settles."""

PER_PAGE = 50
DELIVERIES = 20
EVENTS_SHOWN = 1000


class Pages:
    """Handlers for ``/``, ``/engagements/{id}`` and ``/static/{name}``."""

    def __init__(
        self,
        store: Store,
        handler: Handler,
        lists: Lists,
        clock: Clock,
        silence: Silence = never_silent,
        vendors: Callable[[], Awaitable[Sequence[Trouble]]] | None = None,
    ) -> None:
        """``vendors`` gives the attention items about those that are paused or failing."""
        self._store = store
        self._handler = handler
        self._lists = lists
        self._clock = clock
        self._silence = silence
        self._vendors = vendors

    async def index(self, request: web.Request) -> web.Response:
        """The engagements, those that wait for a person first."""
        filters, now = filters_of(request), self._clock()
        counts = await self._lists.counts(now, await self._silence())
        ids = await find_engagements(self._store, filters.q) if filters.q else None
        first = filters.cursor is None
        waiting, more_waiting, others, more = await self._rows(filters, ids)
        return page(
            "index.html",
            signed_in=request.get(SIGNED_IN, False),
            now=now,
            counts=counts,
            filters=filters,
            states=(*LIVE, ENDED),
            waiting=waiting,
            all_waiting=filters.with_(attention="yes") if more_waiting and not filters.attention else None,
            others=others,
            next_page=filters.with_(cursor=more) if more else None,
            vendors=await self._vendors() if self._vendors and first else (),
            deliveries=await self._deliveries() if first and not filters.any else (),
            clears=CLEARS,
            origin=_origin(request),
        )

    async def _rows(
        self, filters: Filters, ids: Sequence[str] | None
    ) -> tuple[Sequence[Row], bool, Sequence[Row], str | None]:
        """What waits for a person and whether there is more of it; the others and their next page."""
        now, silent_since = self._clock(), await self._silence()

        async def rows(attention: bool, cursor: str | None) -> tuple[Sequence[Row], str | None]:
            if ids is not None and not ids:
                return (), None
            try:
                return await self._lists.engagements(
                    now=now,
                    state=filters.state,
                    covered=filters.covered,
                    ids=ids,
                    attention=attention,
                    cursor=cursor,
                    limit=PER_PAGE,
                    silent_since=silent_since,
                )
            except BadCursor:
                raise Problem(400, "This page link is not one of ours; begin anew without it.") from None

        if filters.attention:
            waiting, more = await rows(True, filters.cursor)
            return waiting, more is not None, (), more
        others, more = await rows(False, filters.cursor)
        if filters.cursor is not None:
            return (), False, others, more
        waiting, more_waiting = await rows(True, None)
        return waiting, more_waiting is not None, others, more

    async def _deliveries(self) -> Sequence[StoredDelivery]:
        parked_before = self._clock() - PARKED_LONG
        return await self._store.deliveries_needing_attention(parked_before, DELIVERIES)

    async def engagement(self, request: web.Request) -> web.Response:
        """One engagement: the answer, what waits, the way it went, and everything that happened.

        Raises `NotKnown`.
        """
        engagement_id = request.match_info["id"]
        s = await self._handler.load(engagement_id)
        if s.version == 0:
            raise NotKnown(engagement_id=engagement_id)
        stream_id, now = engagement_stream(engagement_id), self._clock()
        history = await self._store.history(stream_id, limit=s.version)
        timeline = entries(history)
        walked = path(timeline)
        shown = timeline[-EVENTS_SHOWN:]
        answer = told(s, epoch(now), history, await self._silence())
        return page(
            "engagement.html",
            signed_in=request.get(SIGNED_IN, False),
            now=now,
            s=s,
            url_id=quote(engagement_id, safe=""),
            url_freelancer=quote(s.freelancer_id or "", safe="") if NAMING & s.holds.keys() else None,
            title=(s.terms.title if s.terms else None) or f"Engagement {engagement_id}",
            answer=answer,
            evidence=[x for x in shown if x.version in answer.evidence],
            attention=attention(s),
            next=labels.waiting_for(s, answer.covered),
            session_url=s.session_url if s.state == AWAITING_OPT_IN else None,
            drawing=drawing(walked),
            walked=walked,
            pay=facts.pay(s),
            window=facts.window(s),
            ids=facts.ids(s),
            periods=facts.periods(s, epoch(now)),
            skipped=facts.skipped(s, history),
            calls=facts.open_calls(s, await self._store.effects_of(stream_id)),
            timeline=shown,
            left_out=len(timeline) - len(shown),
            updated_at=history[-1].recorded_at,
        )

    async def static(self, request: web.Request) -> web.Response:
        """One of the pages' own files."""
        name = request.match_info["name"]
        if name not in STATIC:
            raise Problem(404, "No such file.")
        return static_response(name)


_PLAIN_HOST = re.compile(r"[A-Za-z0-9.\-\[\]:]{1,100}")


def _origin(request: web.Request) -> str:
    """Where this service is reached, for examples to copy; never anything a shell could trip over."""
    host = request.host if _PLAIN_HOST.fullmatch(request.host) else "127.0.0.1:8080"
    return f"{request.scheme}://{host}"
