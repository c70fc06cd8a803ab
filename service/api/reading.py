"""Reading requests strictly: query parameters, times and JSON bodies, each fault with the way to mend it."""

import asyncio
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from aiohttp import web

from service.api.problems import Problem, bad_field

MAX_LIMIT = 200
MAX_JSON = 64 * 1024
BODY_SECONDS = 10.0
"""How long a caller may take over a JSON body."""


def only(request: web.Request, *known: str) -> None:
    """Refuse query parameters this route does not take, so that a slip never looks like an answer."""
    strange = sorted(set(request.query) - set(known))
    if strange:
        takes = ", ".join(known) or "none"
        raise Problem(400, f"Unknown query parameter {strange[0]!r}; this route takes: {takes}.")


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
    try:
        if not _RFC3339.fullmatch(text):
            raise ValueError
        return datetime.fromisoformat(text.upper().replace(" ", "T")).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Problem(
            400, f"{name} must be a time with an offset such as 2026-03-02T10:40:00Z (write + as %2B)."
        ) from None


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


async def _read_up_to(request: web.Request, most: int) -> bytes:
    """The body, whether or not its length was announced."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            if (request.content_length or 0) <= most:
                async for chunk in request.content.iter_any():
                    body += chunk
                    if len(body) > most:
                        break
                else:
                    return bytes(body)
    except TimeoutError:
        raise Problem(408, f"The body did not come within {BODY_SECONDS:.0f} s.") from None
    raise Problem(413, f"A body may have {most} bytes.")


async def json_object(request: web.Request) -> dict[str, Any]:
    """The request's JSON object. Raises 400, 413 or 415."""
    if request.content_type != "application/json":
        raise Problem(415, "Send application/json.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(415, "Send the body as it is, without Content-Encoding.")
    try:
        found = orjson.loads(await _read_up_to(request, MAX_JSON))
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
        pointer = "/" + strange[0].replace("~", "~0").replace("/", "~1")
        raise bad_field(pointer, f"Unknown field; this route takes {', '.join(known)}.")


def whole_number(body: dict[str, Any], name: str, low: int, high: int, meaning: str) -> int:
    """An integer in [low, high]; fractions, booleans and texts are refused."""
    value = body.get(name)
    if type(value) is not int or not low <= value <= high:
        raise bad_field(f"/{name}", f"{name} must be {meaning}, a whole number from {low} to {high}.")
    return value
