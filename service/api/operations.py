"""The routes across engagements: search, what waits for people, deliveries, freelancers."""

import re
from collections.abc import Sequence
from typing import Any, Literal, get_args

from aiohttp import web

from domain import commands as c
from domain.lifecycle import ENDED, LIVE
from projections.attention_list import AttentionRow
from projections.engagement_list import EngagementRow
from projections.errors import BadCursor
from service.api.engagements import cause_of, json_response
from service.api.keys import ACTOR, REQUEST_ID
from service.api.problems import Problem
from service.api.reading import json_object, limit, only, only_fields, text_field
from service.api.views import delivery_view
from service.clock import Clock, epoch, rfc3339
from service.handle import Handler, Origin
from service.ingest.process import PARKED_LONG, Processor
from service.lists import ReadModels, find_engagements, is_silent
from service.ports import DeliveryOutcome, Store, StoredDelivery
from service.sources import SILENT, Sources
from service.vendors.report import VendorReport

CLEARS = {
    "unusable": "Have the sender mend the body and send it again; it is kept here as it came.",
    "unknown_type": "Map the type under [aliases] in the configuration file, then replay the delivery.",
    "parked": "News that begins its engagement; or replay it once the engagement is known.",
    "failed": "Mend the cause, then replay the delivery.",
}
"""What makes an attention item about a delivery go away."""


DELIVERY_ID = re.compile(r"[0-9a-f]{3}-[0-9a-f]{32}")
NO_DELIVERY = f"{0:03x}-{0:032x}"

AFTER_DELIVERY = "delivery:"
"""How a cursor begins whose page ended among the deliveries."""

NO_FREELANCER = "No freelancer has this id here."


class OperationRoutes:
    def __init__(
        self,
        store: Store,
        handler: Handler,
        processor: Processor,
        lists: ReadModels,
        clock: Clock,
        sources: Sources,
        vendors: VendorReport,
    ) -> None:
        self._store = store
        self._handler = handler
        self._processor = processor
        self._lists = lists
        self._clock = clock
        self._sources = sources
        self._vendors = vendors

    async def engagements(self, request: web.Request) -> web.Response:
        only(request, "state", "covered", "client", "freelancer", "q", "cursor", "limit")
        query = request.query
        ids: Sequence[str] | None = None
        if "q" in query:
            ids = await find_engagements(self._store, query["q"].strip())
        now, silent_since = self._clock(), await self._sources.silent_since()
        rows, after = await self._page(
            self._lists.engagements(
                now=now,
                silent=is_silent(silent_since, now),
                state=_state(query.get("state")),
                covered=_covered(query.get("covered")),
                client=query.get("client"),
                freelancer=query.get("freelancer"),
                ids=ids,
                cursor=query.get("cursor"),
                limit=limit(request),
            )
        )
        return json_response({"items": [engagement_row_view(row) for row in rows], "next": after})

    async def attention(self, request: web.Request) -> web.Response:
        only(request, "code", "cursor", "limit")
        """Deliveries that reached no engagement first, then what waits on engagements."""
        size, code, cursor = limit(request), request.query.get("code"), request.query.get("cursor")
        silent = await self._sources.attention() if cursor is None and code in (None, SILENT) else []
        if cursor is None:
            vendors = await self._vendors.attention()
            silent += [item for item in vendors if code in (None, item["code"])]
        items: list[dict[str, Any]] = []
        if cursor is None or cursor.startswith(AFTER_DELIVERY):
            items = await self._of_deliveries(code, cursor)
            cursor = None
        after: str | None = f"{AFTER_DELIVERY}{items[size - 1]['delivery']}" if len(items) >= size else None
        items = items[:size]
        if len(items) < size:
            rows, after = await self._page(
                self._lists.attention(code=code, cursor=cursor, limit=size - len(items))
            )
            items += [_attention_row_view(row) for row in rows]
        groups = await self._lists.attention_by_code()
        return json_response(
            {
                "items": [*silent, *items],
                "next": after,
                "groups": [
                    {
                        "code": g.code,
                        "count": g.count,
                        "engagements": g.engagements,
                        "first_seen": rfc3339(g.first_seen),
                        "last_seen": rfc3339(g.last_seen),
                    }
                    for g in groups
                ],
            }
        )

    async def _of_deliveries(self, code: str | None, cursor: str | None) -> list[dict[str, Any]]:
        since = self._clock() - PARKED_LONG
        found = await self._store.deliveries_needing_attention(since)
        ids = [stored.id for stored in found]
        seen = cursor.removeprefix(AFTER_DELIVERY) if cursor else None
        left = found[ids.index(seen) + 1 :] if seen in ids else found if seen is None else []
        items = [delivery_attention(stored) for stored in left]
        return [item for item in items if code is None or item["code"] == code]

    async def deliveries(self, request: web.Request) -> web.Response:
        only(request, "source", "outcome", "cursor", "limit")
        query, size = request.query, limit(request)
        if query.get("source") not in (None, "upwork", "1099policy"):
            raise Problem(400, "source must be upwork or 1099policy.")
        if query.get("outcome") not in (None, *get_args(DeliveryOutcome)):
            raise Problem(400, f"outcome must be one of {', '.join(get_args(DeliveryOutcome))}.")
        if not DELIVERY_ID.fullmatch(query.get("cursor", NO_DELIVERY)):
            raise Problem(400, "This cursor is not one of ours; leave it out to begin anew.")
        found = await self._store.deliveries(
            query.get("source"), query.get("outcome"), query.get("cursor"), size + 1
        )
        after = found[size - 1].id if len(found) > size else None
        return json_response({"items": [delivery_view(d) for d in found[:size]], "next": after})

    async def delivery(self, request: web.Request) -> web.Response:
        only(request)
        return json_response(delivery_view(await self._stored(request)))

    async def replay(self, request: web.Request) -> web.Response:
        """Process a stored delivery again; what it already caused is not caused twice."""
        only(request)
        stored = await self._stored(request)
        await self._store.replay_delivery(stored.id)
        self._processor.soon(stored.id)
        return json_response({"delivery": stored.id}, status=202)

    async def _stored(self, request: web.Request) -> StoredDelivery:
        stored = await self._store.delivery(request.match_info["id"])
        if stored is None:
            raise Problem(404, "No delivery has this id.")
        return stored

    async def freelancer(self, request: web.Request) -> web.Response:
        only(request)
        found = await self._lists.freelancer(request.match_info["id"])
        if found is None:
            raise Problem(404, NO_FREELANCER)
        return json_response(
            {
                "freelancer_id": found.freelancer_id,
                "contractor": found.contractor_id,
                "opted_in_at": rfc3339(found.opted_in_at),
                "engagements": list(found.engagement_ids),
            }
        )

    async def name(self, request: web.Request) -> web.Response:
        """A person's decision on how a freelancer's name splits; held engagements go on with it."""
        only(request)
        body = await json_object(request)
        only_fields(body, "first_name", "last_name")
        first, last = text_field(body, "first_name", 100), text_field(body, "last_name", 100)
        freelancer_id, now = request.match_info["id"], epoch(self._clock())
        if not await self._is_known(freelancer_id):
            raise Problem(404, NO_FREELANCER)
        request_id = request[REQUEST_ID]
        origin = Origin(cause_of(request), request_id, request[ACTOR])
        await self._handler.freelancer(freelancer_id, c.DecideName(now, first, last), origin)
        resumed = await self._resume(freelancer_id, now, origin)
        return json_response({"freelancer_id": freelancer_id, "resumed": resumed}, status=202)

    async def _is_known(self, freelancer_id: str) -> bool:
        """Whether they have a stream of their own, or an engagement that names them."""
        known = (await self._handler.load_freelancer(freelancer_id)).version > 0
        return known or bool(await self._store.streams_of("freelancer", freelancer_id))

    async def _resume(self, freelancer_id: str, now: int, origin: Origin) -> list[str]:
        resumed = []
        for stream_id in await self._store.streams_of("freelancer", freelancer_id):
            engagement_id = stream_id.partition(":")[2]
            engagement = await self._handler.load(engagement_id)
            if {"name_unclear", "name_missing"} & engagement.holds.keys():
                command = c.RequestRetry(now, "the freelancer's name was decided")
                await self._handler.engagement(engagement_id, command, origin)
                resumed.append(engagement_id)
        return resumed

    async def _page(self, query: Any) -> Any:
        try:
            return await query
        except BadCursor:
            raise Problem(400, "This cursor is not one of ours; leave it out to begin anew.") from None


def _state(value: str | None) -> str | None:
    if value is not None and value not in (*LIVE, ENDED):
        raise Problem(400, f"state must be one of {', '.join((*LIVE, ENDED))}.")
    return value


def _covered(value: str | None) -> Literal["true", "false", "null"] | None:
    match value:
        case None | "true" | "false" | "null":
            return value
        case _:
            raise Problem(400, "covered must be true, false or null (unknown).")


def engagement_row_view(row: EngagementRow) -> dict[str, Any]:
    return {
        "engagement_id": row.engagement_id,
        "state": row.state,
        "covered": row.covered,
        "title": row.title,
        "client_id": row.client_id,
        "freelancer_id": row.freelancer_id,
        "attention": list(row.attention_codes),
        "version": row.version,
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
    }


def _attention_row_view(row: AttentionRow) -> dict[str, Any]:
    return {
        "engagement_id": row.engagement_id,
        "delivery": None,
        "code": row.code,
        "message": row.message,
        "since": rfc3339(row.since),
        "clears": row.clears,
        "step": row.step,
        "first_seen": rfc3339(row.first_seen),
        "last_seen": rfc3339(row.last_seen),
        "count": row.count,
    }


def delivery_attention(stored: StoredDelivery) -> dict[str, Any]:
    """An attention item about a delivery that has not reached an engagement."""
    outcome = stored.outcome or "failed"
    seen = rfc3339(stored.delivery.received_at)
    return {
        "engagement_id": None,
        "delivery": stored.id,
        "code": f"delivery_{outcome}",
        "message": f"{stored.delivery.source}: {stored.detail or 'it could not be used.'}",
        "since": seen,
        "clears": CLEARS.get(outcome, CLEARS["failed"]),
        "step": None,
        "first_seen": seen,
        "last_seen": seen,
        "count": 1,
    }
