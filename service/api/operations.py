"""The routes across engagements: search, freelancers, and what people asked of many at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, get_args

from aiohttp import web

from domain import commands as c
from domain.lifecycle import ENDED, LIVE
from projections.engagement_list import EngagementRow
from projections.errors import BadCursor
from projections.pages import cursor_after, place
from service.api.engagements import cause_of, json_response, key_of
from service.api.keys import ACTOR, REQUEST_ID
from service.api.problems import Problem
from service.api.reading import json_object, limit, only, only_fields, text_field
from service.clock import Clock, epoch, rfc3339
from service.handle import Handler, Origin
from service.lists import ReadModels, find_engagements, is_silent
from service.operate import By, Counted
from service.ports import Act, Operation, Store
from service.sources import Sources

NO_FREELANCER = "No freelancer has this id here."


class OperationRoutes:
    def __init__(
        self,
        store: Store,
        handler: Handler,
        lists: ReadModels,
        clock: Clock,
        sources: Sources,
    ) -> None:
        self._store = store
        self._handler = handler
        self._lists = lists
        self._clock = clock
        self._sources = sources

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

    async def operations(self, request: web.Request) -> web.Response:
        """What people asked for that concerns no single engagement, the newest first."""
        only(request, "act", "cursor", "limit")
        act, size = request.query.get("act"), limit(request)
        if act not in (None, *get_args(Act)):
            raise Problem(400, f"act must be one of {', '.join(get_args(Act))}.")
        found = await self._store.operations(act, _seen(request.query.get("cursor")), size + 1)
        last = found[size - 1] if len(found) > size else None
        after = cursor_after(last.began_at, last.id) if last else None
        return json_response({"items": [operation_view(o) for o in found[:size]], "next": after})

    async def operation(self, request: web.Request) -> web.Response:
        only(request)
        found = await self._store.operation(request.match_info["id"])
        if found is None:
            raise Problem(404, "No operation has this id.")
        return json_response({**operation_view(found), "targets": list(found.targets)})

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


def by(request: web.Request, reason: str | None) -> By:
    """Who asks; without an Idempotency-Key nothing makes two requests the same."""
    return By(key_of(request), request[ACTOR], reason)


def _seen(cursor: str | None) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    try:
        began_at, (operation_id,) = place(cursor, parts=1)
    except BadCursor:
        raise Problem(400, "This cursor is not one of ours; leave it out to begin anew.") from None
    return began_at, operation_id


def counted_view(counted: Counted) -> dict[str, Any]:
    return {"dry_run": True, "matched": counted.matched, "picked": counted.picked}


def operation_view(operation: Operation) -> dict[str, Any]:
    return {
        "id": operation.id,
        "act": operation.act,
        "actor": operation.actor,
        "reason": operation.reason,
        "asked": operation.asked,
        "matched": operation.matched,
        "picked": len(operation.targets),
        "began_at": rfc3339(operation.began_at),
        "ended_at": rfc3339(operation.ended_at),
        "result": operation.result,
    }
