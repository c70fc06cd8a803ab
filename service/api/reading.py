"""Reading requests strictly: query parameters, times and JSON bodies, each fault with the way to mend it."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from aiohttp import web

from service.api.patience import patience_of
from service.api.problems import Problem, bad_field

MAX_LIMIT = 200
MAX_JSON = 64 * 1024
DELIVERY_ID = re.compile(r"[0-9a-f]{3}-[0-9a-f]{32}")


def only(request: web.Request, *known: str) -> None:
    """Refuse query parameters this route does not take, so that a slip never looks like an answer."""
    strange = sorted(set(request.query) - set(known))
    if strange:
        takes = ", ".join(known) or "none"
        raise Problem(400, f"Unknown query parameter{_shown(strange[0])}; this route takes: {takes}.")


_PLAIN = re.compile(r"[a-z_]{1,40}")


def _shown(name: str) -> str:
    """A name as refusals repeat it: a slip of the pen, and never a person or a secret put in its place."""
    return f" {name}" if _PLAIN.fullmatch(name) else ""


def limit(request: web.Request, default: int = 50) -> int:
    text = request.query.get("limit")
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= MAX_LIMIT:
        raise Problem(400, f"limit must be a whole number from 1 to {MAX_LIMIT}.")
    return int(text)


_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)")


def moment(request: web.Request, name: str, otherwise: datetime) -> datetime:
    """An RFC 3339 instant with an offset; naive times are refused."""
    text = request.query.get(name)
    if text is None:
        return otherwise
    found = instant(text)
    if found is None:
        raise Problem(
            400, f"{name} must be a time with an offset such as 2026-03-02T10:40:00Z (write + as %2B)."
        )
    return found


def instant(text: str) -> datetime | None:
    """The instant an RFC 3339 text with an offset names; None for any other text."""
    if not _RFC3339.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper().replace(" ", "T")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def day(request: web.Request, name: str) -> tuple[date, int, int] | None:
    """A whole day ``YYYY-MM-DD`` in the zone ``tz``: the date, its first epoch second, and that of the next.

    None where ``name`` is no date. A date without a zone, or a zone without a date, is refused.
    """
    text, zone = request.query.get(name, ""), request.query.get("tz")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        if zone is not None:
            raise Problem(400, f"tz goes with a date: give {name} as YYYY-MM-DD.")
        return None
    if zone is None:
        raise Problem(400, "A date needs tz, e.g. tz=America/New_York or tz=UTC: a day is no instant.")
    try:
        asked, tz = date.fromisoformat(text), ZoneInfo(zone)
        start = datetime.combine(asked, time.min, tz)
        end = datetime.combine(asked + timedelta(days=1), time.min, tz)
        if start.timestamp() >= end.timestamp():
            raise ValueError  # a day the zone skipped
        return asked, int(start.timestamp()), int(end.timestamp())
    except (ZoneInfoNotFoundError, ValueError, OverflowError, OSError):
        raise Problem(
            400, f"{name} must be a day that exists, and tz a name such as America/New_York."
        ) from None


async def whole_body(request: web.Request, most: int) -> bytes:
    """The body as it came over the wire. Raises 413 as soon as it passes ``most`` bytes, and 408."""
    too_large = Problem(413, f"A body may have {most} bytes.")
    if (request.content_length or 0) > most:
        raise too_large
    body = bytearray()
    async with in_time(patience_of(request).body):
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > most:
                raise too_large
    return bytes(body)


@asynccontextmanager
async def in_time(seconds: float) -> AsyncIterator[None]:
    """Raises 408 where what is read inside does not come in ``seconds``."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Problem(408, f"The body did not come within {seconds:g} s.") from None


def as_it_is(request: web.Request) -> None:
    """Refuse a body in any other coding than its own, before it is read."""
    if "Content-Encoding" in request.headers:
        raise Problem(415, "Send the body as it is, without Content-Encoding.")
    if request.headers.get("Transfer-Encoding", "chunked").strip().lower() != "chunked":
        raise Problem(415, "Send the body as it is; the only Transfer-Encoding taken is chunked.")


async def json_object(request: web.Request) -> dict[str, Any]:
    """The request's JSON object. Raises 400, 413 or 415."""
    if request.content_type != "application/json":
        raise Problem(415, "Send application/json.")
    as_it_is(request)
    try:
        found = orjson.loads(await whole_body(request, MAX_JSON))
    except orjson.JSONDecodeError as error:
        raise Problem(400, f"The body is not JSON: {error}.") from None
    if not isinstance(found, dict):
        raise Problem(400, "The body must be a JSON object.")
    return found


def text_field(body: dict[str, Any], name: str, longest: int = 500) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value.strip() or "\x00" in value:
        raise bad_field(f"/{name}", f"{name} must be a text that says something.")
    if len(value) > longest:
        raise bad_field(f"/{name}", f"{name} may have {longest} characters.")
    return value.strip()


def only_fields(body: dict[str, Any], *known: str) -> None:
    strange = sorted(set(body) - set(known))
    if strange:
        takes = ", ".join(known)
        pointer = f"/{strange[0]}" if _PLAIN.fullmatch(strange[0]) else ""
        raise bad_field(pointer, f"Unknown field{_shown(strange[0])}; this route takes {takes}.")


def whole_number(body: dict[str, Any], name: str, low: int, high: int, meaning: str) -> int:
    """An integer in [low, high]; fractions, booleans and texts are refused."""
    value = body.get(name)
    if type(value) is not int or not low <= value <= high:
        raise bad_field(f"/{name}", f"{name} must be {meaning}, a whole number from {low} to {high}.")
    return value
