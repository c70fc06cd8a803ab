"""How this server answers: JSON on every path, with the trace headers of fact sheet 2.3."""

import uuid
from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

_MESSAGES = {401: "Authentication failed", 429: "Too Many Requests"}


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        body=orjson.dumps(body), status=status, content_type="application/json", headers=headers
    )


async def refuse(request: web.Request, status: int) -> web.StreamResponse:
    """The answer for a status, as ordered by a fault or sent by the server itself (fact sheet 4)."""
    return answer({"message": _MESSAGES.get(status) or web.Response(status=status).reason}, status)


@web.middleware
async def json_on_every_path(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The official library parses every answer as JSON, also a 404 (fact sheet 4)."""
    try:
        response = await handler(request)
    except web.HTTPException as stopped:
        if stopped.content_type == "application/json":
            raise
        response = await refuse(request, stopped.status)
        if "Allow" in stopped.headers:
            response.headers["Allow"] = stopped.headers["Allow"]
    if not response.prepared:
        response.headers["vnd.eo.request-id"] = response.headers["vnd-eo-trace-id"] = uuid.uuid4().hex
    return response
