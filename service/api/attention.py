"""The routes about what waits for a person: item by item, by cause, and tried again by the handful."""

import asyncio
from typing import Any

from aiohttp import web

from domain.attention import UNMOVED_BY_RETRY
from domain.codec import EFFECT_TYPES
from domain.effects import STEPS
from projections.errors import BadCursor
from service.api.engagements import json_response
from service.api.fields import flag_field, limit_field, optional_choice, optional_moment, optional_text
from service.api.operations import by, counted_view, operation_view
from service.api.problems import Problem, bad_field
from service.api.reading import json_object, limit, only, only_fields, text_field
from service.api.waiting import Waiting, cause_view
from service.clock import rfc3339
from service.lists import ReadModels
from service.operate import AT_ONCE, Operator, Retry


class AttentionRoutes:
    def __init__(self, waiting: Waiting, lists: ReadModels, operator: Operator) -> None:
        self._waiting = waiting
        self._lists = lists
        self._operator = operator

    async def items(self, request: web.Request) -> web.Response:
        only(request, "code", "cursor", "limit")
        query = request.query
        page = self._waiting.page(query.get("code"), query.get("cursor"), limit(request))
        try:
            (items, after), counted = await asyncio.gather(page, self._lists.attention_by_code())
        except BadCursor:
            raise Problem(400, "This cursor is not one of ours; leave it out to begin anew.") from None
        groups = [
            {
                "code": g.code,
                "count": g.count,
                "engagements": g.engagements,
                "first_seen": rfc3339(g.first_seen),
                "last_seen": rfc3339(g.last_seen),
            }
            for g in counted
        ]
        return json_response({"items": items, "next": after, "groups": groups})

    async def causes(self, request: web.Request) -> web.Response:
        only(request, "code")
        causes = await self._waiting.causes(request.query.get("code"))
        return json_response({"items": [cause_view(cause) for cause in causes], "next": None})

    async def retry(self, request: web.Request) -> web.Response:
        """Try again what waits, on so many engagements at most; or only count it."""
        only(request)
        body = await json_object(request)
        only_fields(body, "code", "step", "kind", "since", "limit", "dry_run", "reason")
        asked = _asked(body)
        if flag_field(body, "dry_run"):
            return json_response(counted_view(await self._operator.count_retry(asked)))
        operation, new = await self._operator.retry(asked, by(request, text_field(body, "reason")))
        return json_response(operation_view(operation), status=202 if new else 200)


def _asked(body: dict[str, Any]) -> Retry:
    code, step = optional_text(body, "code", 100), optional_text(body, "step", 100)
    kind = optional_choice(body, "kind", *EFFECT_TYPES)
    since = optional_moment(body, "since")
    if code is None and step is None and kind is None and since is None:
        raise bad_field("", "Say what to try again: code, step, kind or since.")
    if code in UNMOVED_BY_RETRY:
        raise bad_field("/code", "No call made again settles this: see what clears it.")
    if kind is not None:
        family = STEPS[EFFECT_TYPES[kind]]
        if step not in (None, family):
            raise bad_field("/step", f"The calls of this kind are the step {family}.")
        step = family
    return Retry(code, step, since, limit_field(body, AT_ONCE))
