"""The routes about deliveries: all and one of them, processed again by ones or many, left as they are."""

from typing import get_args

from aiohttp import web

from service.api.engagements import json_response
from service.api.fields import flag_field, limit_field, moment_field, optional_choice, optional_text
from service.api.operations import by, counted_view, operation_view
from service.api.problems import Problem, bad_field
from service.api.reading import (
    DELIVERY_ID,
    json_object,
    limit,
    only,
    only_fields,
    text_field,
)
from service.api.views import delivery_view
from service.ingest.process import Processor
from service.operate import AT_ONCE, Operator, Replay
from service.ports import DeliveryOutcome, Store, StoredDelivery, Window

NO_DELIVERY = f"{0:03x}-{0:032x}"
SOURCES = ("upwork", "1099policy")
OUTCOMES = get_args(DeliveryOutcome)


class DeliveryRoutes:
    def __init__(self, store: Store, processor: Processor, operator: Operator) -> None:
        self._store = store
        self._processor = processor
        self._operator = operator

    async def items(self, request: web.Request) -> web.Response:
        only(request, "source", "outcome", "cursor", "limit")
        query, size = request.query, limit(request)
        if query.get("source") not in (None, *SOURCES):
            raise Problem(400, "source must be upwork or 1099policy.")
        if query.get("outcome") not in (None, *OUTCOMES):
            raise Problem(400, f"outcome must be one of {', '.join(OUTCOMES)}.")
        if not DELIVERY_ID.fullmatch(query.get("cursor", NO_DELIVERY)):
            raise Problem(400, "This cursor is not one of ours; leave it out to begin anew.")
        found = await self._store.deliveries(
            query.get("source"), query.get("outcome"), query.get("cursor"), size + 1
        )
        after = found[size - 1].id if len(found) > size else None
        return json_response({"items": [delivery_view(d) for d in found[:size]], "next": after})

    async def show(self, request: web.Request) -> web.Response:
        only(request)
        return json_response(delivery_view(await self._stored(request)))

    async def replay(self, request: web.Request) -> web.Response:
        """Process a stored delivery again; what it already caused is not caused twice."""
        only(request)
        stored = await self._stored(request)
        body = await json_object(request)
        only_fields(body, "reason")
        await self._operator.replay_one(stored.id, by(request, text_field(body, "reason")))
        self._processor.soon(stored.id)
        return json_response({"delivery": stored.id}, status=202)

    async def replay_many(self, request: web.Request) -> web.Response:
        """The same for so many at most of those that arrived in a window; or only count them."""
        only(request)
        body = await json_object(request)
        only_fields(body, "since", "until", "source", "outcome", "cursor", "limit", "dry_run", "reason")
        since, until = moment_field(body, "since"), moment_field(body, "until")
        if until <= since:
            raise bad_field("/until", "until must be later than since.")
        source = optional_choice(body, "source", *SOURCES)
        window = Window(since, until, source, optional_choice(body, "outcome", *OUTCOMES))
        cursor = optional_text(body, "cursor", 100)
        if cursor is not None and not DELIVERY_ID.fullmatch(cursor):
            raise bad_field("/cursor", "This cursor is not one of ours; leave it out to begin anew.")
        asked = Replay(window, cursor, limit_field(body, AT_ONCE))
        if flag_field(body, "dry_run"):
            return json_response(counted_view(await self._operator.count_replay(asked)))
        operation, new = await self._operator.replay(asked, by(request, text_field(body, "reason")))
        return json_response(operation_view(operation), status=202 if new else 200)

    async def skip(self, request: web.Request) -> web.Response:
        """A person leaves it as it is: it waits for nobody any more."""
        only(request)
        stored = await self._stored(request)
        body = await json_object(request)
        only_fields(body, "reason")
        asked_by = by(request, text_field(body, "reason"))
        operation, new = await self._operator.skip_delivery(stored, asked_by)
        return json_response(operation_view(operation), status=202 if new else 200)

    async def _stored(self, request: web.Request) -> StoredDelivery:
        stored = await self._store.delivery(request.match_info["id"])
        if stored is None:
            raise Problem(404, "No delivery has this id.")
        return stored
