"""The routes about one engagement: the answer now, as of then, the history, and what people may ask of it."""

from hashlib import sha256
from typing import Any
from uuid import uuid4

import orjson
from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from domain import commands as c
from domain.coverage import answer
from domain.days import over_day
from domain.errors import NotKnown
from domain.evolve import Entry, evolve
from domain.ids import engagement_stream
from domain.state import Engagement
from service.api.fields import optional_text
from service.api.keys import ACTOR, REQUEST_ID
from service.api.patience import patience_of
from service.api.problems import Problem, bad_field
from service.api.reading import (
    as_it_is,
    day,
    in_time,
    json_object,
    limit,
    moment,
    only,
    only_fields,
    text_field,
    whole_number,
)
from service.api.statuses import Statuses
from service.api.views import coverage_view, day_view, engagement_view, event_view
from service.clients.attachments import MAX_ATTACHMENT
from service.clock import Clock, epoch
from service.handle import Handler, Origin
from service.ports import Store
from service.sources import Silence, never_silent
from service.store.limits import STEP

CENTS = (100, 100_000_000)
"""What 1099Policy takes as gross_pay (fact sheet 6.8)."""

SECONDS = (946_684_800, 4_102_444_800)
"""Epoch seconds of the years 2000 to 2100; a number of milliseconds lies far outside."""


def json_response(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status, body=orjson.dumps(body), content_type="application/json", headers=headers
    )


class EngagementRoutes:
    def __init__(
        self,
        store: Store,
        handler: Handler,
        clock: Clock,
        statuses: Statuses,
        silence: Silence = never_silent,
    ) -> None:
        self._store = store
        self._statuses = statuses
        self._handler = handler
        self._clock = clock
        self._silence = silence

    async def show(self, request: web.Request) -> web.Response:
        only(request)
        shown = await self._statuses.of(request.match_info["id"])
        headers = {"ETag": shown.tag, "Cache-Control": self._statuses.cache_control(shown)}
        if unchanged(request.headers.get("If-None-Match"), shown.tag):
            return web.Response(status=304, headers=headers)
        return web.Response(body=shown.body, content_type="application/json", headers=headers)

    async def coverage(self, request: web.Request) -> web.Response:
        """Covered at an instant, or on a day with ``tz``, as known now or at ``known_at``."""
        only(request, "at", "known_at", "tz")
        now = self._clock()
        asked = day(request, "at")
        known_at = moment(request, "known_at", now)
        engagement_id = request.match_info["id"]
        if "known_at" in request.query:
            engagement, silent = await self._as_known(engagement_id, known_at), await self._silence(known_at)
        else:
            engagement, silent = await self._known(engagement_id), await self._silence()
        if asked is not None:
            date, start, end = asked
            told = over_day(engagement, start, end, silent)
            return json_response(day_view(engagement, told, date, request.query["tz"], known_at))
        at = epoch(moment(request, "at", now))
        return json_response(coverage_view(engagement, answer(engagement, at, silent), at, known_at))

    async def _known(self, engagement_id: str) -> Engagement:
        engagement = await self._handler.load(engagement_id)
        if engagement.version == 0:
            raise NotKnown(engagement_id=engagement_id)
        return engagement

    async def _as_known(self, engagement_id: str, known_at: Any) -> Engagement:
        await self._known(engagement_id)
        engagement = Engagement(engagement_id)
        async for recorded in self._store.stream_history(engagement_stream(engagement_id)):
            if recorded.recorded_at > known_at:
                break
            entry = Entry(recorded.version, recorded.effective_at, recorded.event)
            engagement = evolve(engagement, entry)
        return engagement

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The history, oldest first: all of it, or ``limit`` at a time."""
        only(request, "cursor", "limit")
        engagement_id = request.match_info["id"]
        stream_id = engagement_stream(engagement_id)
        after, size = _after(request), limit(request) if "limit" in request.query else None
        if "application/x-ndjson" in request.headers.get("Accept", ""):
            await self._known(engagement_id)
            return await self._stream(request, stream_id, after, size)
        history = await self._store.history(stream_id, after, None if size is None else size + 1)
        if not history:
            await self._known(engagement_id)
        shown = history[:size]
        cursor = str(shown[-1].version) if len(history) > len(shown) else None
        return json_response({"items": [event_view(r) for r in shown], "next": cursor})

    async def _stream(
        self, request: web.Request, stream_id: str, after: int, size: int | None
    ) -> web.StreamResponse:
        headers = {"Content-Type": "application/x-ndjson", "X-Request-Id": request[REQUEST_ID]}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        async for recorded in self._store.stream_history(stream_id):
            if size is not None and recorded.version > after + size:
                break
            if recorded.version > after:
                await response.write(orjson.dumps(event_view(recorded)) + b"\n")
        await response.write_eof()
        return response

    async def replay(self, request: web.Request) -> web.Response:
        """The folded state after event N and the move that event made."""
        only(request, "version")
        engagement_id = request.match_info["id"]
        current = await self._known(engagement_id)
        version = _version(request, current.version)
        engagement, before, last = Engagement(engagement_id), "", None
        for recorded in await self._store.history(engagement_stream(engagement_id), limit=version):
            before, last = engagement.state, recorded
            engagement = evolve(engagement, Entry(recorded.version, recorded.effective_at, recorded.event))
        assert last is not None
        now = epoch(self._clock())
        return json_response(
            {
                "version": version,
                "transition": {"event": last.type, "from": before, "to": engagement.state},
                "state": engagement_view(engagement, now, last.recorded_at, await self._silence()),
            }
        )

    async def retry(self, request: web.Request) -> web.Response:
        only(request)
        body = await json_object(request)
        only_fields(body, "reason", "step")
        reason, step = text_field(body, "reason"), optional_text(body, "step", STEP)
        steps = () if step is None else (step,)
        return await self._do(request, c.RequestRetry(epoch(self._clock()), reason, steps))

    async def skip(self, request: web.Request) -> web.Response:
        """A person leaves a call that was given up, or what a hold waits for, as it is."""
        only(request)
        body = await json_object(request)
        only_fields(body, "code", "step", "reason")
        code, reason = text_field(body, "code", 100), text_field(body, "reason")
        step, now = optional_text(body, "step", STEP), epoch(self._clock())
        if code != "effect_parked":
            if step is not None:
                raise bad_field("/step", "Only a call that was given up has a step.")
            return await self._do(request, c.SkipHold(now, code, reason))
        if step is None:
            raise bad_field("/step", "Say which of the calls that were given up, by its step.")
        return await self._do(request, c.SkipEffect(now, step, reason))

    async def invoice(self, request: web.Request) -> web.Response:
        only(request)
        body = await json_object(request)
        names = ("gross_pay", "paycycle_startdate", "paycycle_enddate")
        only_fields(body, *names)
        gross_pay = whole_number(body, names[0], *CENTS, "US cents")
        start = whole_number(body, names[1], *SECONDS, "epoch seconds")
        end = whole_number(body, names[2], *SECONDS, "epoch seconds")
        if end < start:
            raise bad_field("/paycycle_enddate", "The pay cycle must not end before it starts.")
        key = _request_key(request) or sha256(f"{gross_pay}:{start}:{end}".encode()).hexdigest()[:16]
        return await self._do(
            request, c.RequestInvoice(epoch(self._clock()), _safe_key(key), gross_pay, start, end)
        )

    async def certificate(self, request: web.Request) -> web.Response:
        only(request)
        await self._known(request.match_info["id"])
        async with in_time(patience_of(request).upload):
            file_name, content = await _pdf(request)
        stored = await self._store.put_file(content)
        return await self._do(request, c.SubmitCertificate(epoch(self._clock()), file_name, stored))

    async def _do(self, request: web.Request, command: c.EngagementCommand) -> web.Response:
        engagement_id = request.match_info["id"]
        request_id = request[REQUEST_ID]
        origin = Origin(cause_of(request), request_id, request[ACTOR])
        handled = await self._handler.engagement(engagement_id, command, origin)
        head = await self._store.head(engagement_stream(engagement_id))
        silent = await self._silence()
        view = engagement_view(handled.after, epoch(self._clock()), head.updated_at, silent)
        return json_response(view, status=202 if handled.new else 200)


def unchanged(given: str | None, tag: str) -> bool:
    """Whether what the caller has is what it would get (``If-None-Match``)."""
    if given is None:
        return False
    return given.strip() == "*" or tag in (one.strip().removeprefix("W/") for one in given.split(","))


def _after(request: web.Request) -> int:
    text = request.query.get("cursor", "0")
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Problem(400, "This cursor is not one of ours; leave it out to begin anew.")
    return int(text)


def cause_of(request: web.Request) -> str:
    """What makes two writes the same: the Idempotency-Key on this route; without one, nothing does."""
    key = _request_key(request)
    act = request.path.rpartition("/")[2]
    return f"request:{act}:{_safe_key(key)}" if key else f"request:{act}:{uuid4().hex}"


def key_of(request: web.Request) -> str:
    """The Idempotency-Key as ids hold it; without one it is one of its own."""
    key = _request_key(request)
    return _safe_key(key) if key else uuid4().hex


def _version(request: web.Request, latest: int) -> int:
    text = request.query.get("version", str(latest))
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 1 <= int(text) <= latest:
        raise Problem(400, f"version must be a whole number from 1 to {latest}.")
    return int(text)


def _request_key(request: web.Request) -> str | None:
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > 200:
        raise Problem(400, "An Idempotency-Key may have 200 characters.")
    return key or None


def _safe_key(key: str) -> str:
    """A key as part of a step's name and of the key sent to the vendor."""
    plain = key.isascii() and key.replace("-", "").replace("_", "").isalnum() and len(key) <= 64
    return key if plain else sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]


async def _pdf(request: web.Request) -> tuple[str, bytes]:
    """The ``certificate`` part of a multipart body: a PDF of at most 15 MB."""
    if request.content_type != "multipart/form-data":
        raise Problem(415, "Send multipart/form-data with certificate=@file.pdf.")
    as_it_is(request)
    try:
        reader = await request.multipart()
        part = await reader.next()
        while part is not None and not (isinstance(part, BodyPartReader) and part.name == "certificate"):
            part = await reader.next()
        if not isinstance(part, BodyPartReader):
            raise bad_field("/certificate", "The part named certificate is missing.")
        content = bytearray()
        while chunk := await part.read_chunk(64 * 1024):
            content += chunk
            if len(content) > MAX_ATTACHMENT:
                raise Problem(413, "A certificate may have 15 MB.")
        if not part.at_eof():
            raise ValueError
    except (ValueError, AssertionError, HttpProcessingError):
        raise Problem(400, "The multipart body cannot be read.") from None
    if not content.startswith(b"%PDF"):
        raise bad_field("/certificate", "The certificate must be a PDF.")
    told = (part.filename or "certificate.pdf").encode("utf-8", "replace").decode("utf-8", "replace")
    name = told.replace("\x00", "")[-100:]
    return (name if name.lower().endswith(".pdf") else f"{name}.pdf"), bytes(content)
