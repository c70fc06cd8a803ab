"""HTTP in and out: keys, JSON, stored answers, and an error body for everything that goes wrong."""

import asyncio
import base64
import binascii
import itertools
import logging
from collections.abc import Callable

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from service.sandbox.control import CONTROL
from service.sandbox.ten99policy.answers import Stored
from service.sandbox.ten99policy.multipart import read_multipart
from service.sandbox.ten99policy.refusals import Refusal, code_for, error_body
from service.sandbox.ten99policy.vendor import KEY_HEADERS, Ask, Route, Ten99Policy

log = logging.getLogger(__name__)

PREFIX = "/api/v1"
FAILED = error_body("general_error", "The sandbox has failed.")
ENVIRONMENT = "Ten99Policy-Environment"

_requests = itertools.count(1)


def handler_for(vendor: Ten99Policy, route: Route) -> Handler:
    """Let in, read, answer. The endpoints run without a pause, so no two of them are ever half done."""

    async def handle(request: web.Request) -> web.StreamResponse:
        authorise(vendor, request)
        ask = await _read(vendor, request)
        if route.method != "POST":
            return json_response(route.status, orjson.dumps(route.endpoint(ask)))
        status, body = _answer_once(vendor, request, lambda: orjson.dumps(route.endpoint(ask)), route.status)
        return json_response(status, body)

    return handle


async def _read(vendor: Ten99Policy, request: web.Request) -> Ask:
    id, origin = request.match_info.get("id", ""), f"{request.scheme}://{request.host}"
    if request.content_type.startswith("multipart/"):
        body, upload = await read_multipart(request)
        return Ask(vendor, id, body, request.query, origin, upload)
    body = _json_object(await request.read()) if request.method in ("POST", "PUT") else {}
    return Ask(vendor, id, body, request.query, origin)


def _json_object(raw: bytes) -> dict[str, object]:
    try:
        body = orjson.loads(raw or b"{}")
    except orjson.JSONDecodeError as error:
        raise Refusal("bad_request", "The body is not JSON.") from error
    if not isinstance(body, dict):
        raise Refusal("bad_request", "The body must be a JSON object.")
    return body


def authorise(vendor: Ten99Policy, request: web.Request) -> None:
    """Bearer, or Basic with the key as user (fact sheet 1)."""
    scheme, _, proof = request.headers.get("Authorization", "").partition(" ")
    key = proof.strip() if scheme.lower() == "bearer" else None
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(proof, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            key = None
    if key not in vendor.options.api_keys:
        raise Refusal("invalid_api_key", "No valid API key was given.", status=401)


def scoped_key(request: web.Request) -> str | None:
    """The idempotency key within its environment and path (fact sheet 5)."""
    key = given_key(request)
    return key and f"{request.headers.get(ENVIRONMENT, 'sandbox')} {request.path} {key}"


def given_key(request: web.Request) -> str | None:
    return next((request.headers[name] for name in KEY_HEADERS if request.headers.get(name)), None)


def _answer_once(
    vendor: Ten99Policy, request: web.Request, work: Callable[[], bytes], success: int
) -> tuple[int, bytes]:
    """The first answer under a key, kept when it is a success, a business refusal or a 500."""
    key = scoped_key(request)
    if key is None:
        return success, work()
    answers, now = vendor.state.answers, vendor.clock.now()
    stored = answers.find(key, now)
    if stored:
        return stored.status, stored.body
    if answers.is_running(key):
        raise Refusal("idempotency", "A request with this idempotency key is running.", status=409)
    try:
        status, body = success, work()
    except Refusal as refusal:
        if not refusal.stored:
            raise
        status, body = refusal.status, refusal.body()
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        status, body = 500, FAILED
    answers.keep(key, Stored(now, status, body))
    return status, body


async def refuse(vendor: Ten99Policy, request: web.Request, status: int) -> web.StreamResponse:
    """The answer of an ordered `status:N`. A 500 is the API's own failure and is stored with its key;
    a 502, 503, 504 or 429 comes from in front of it and is not."""
    body = error_body(code_for(status), f"The sandbox was told to answer {status}.")
    key = scoped_key(request)
    now = vendor.clock.now()
    if status == 500 and key and request.method == "POST" and not vendor.state.answers.find(key, now):
        vendor.state.answers.keep(key, Stored(now, status, body))
    return json_response(status, body)


async def delay(vendor: Ten99Policy, request: web.Request, seconds: float) -> None:
    """While a keyed POST waits, an equal one clashes with it."""
    key = scoped_key(request)
    if key and request.method == "POST" and not vendor.state.answers.is_running(key):
        with vendor.state.answers.running(key):
            await asyncio.sleep(seconds)
    else:
        await asyncio.sleep(seconds)


def json_response(status: int, body: bytes) -> web.Response:
    return web.Response(body=body, status=status, content_type="application/json")


@web.middleware
async def answer_everything(request: web.Request, handler: Handler) -> web.StreamResponse:
    """JSON for every failure, also unknown routes and methods; `request-id`; the idempotency key's echo."""
    try:
        response = await handler(request)
    except Refusal as refusal:
        response = json_response(refusal.status, refusal.body())
    except web.HTTPException as error:
        response = _as_json(error)
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        response = json_response(500, FAILED)
    response.headers["request-id"] = f"req_{next(_requests):012d}"
    key = given_key(request)
    if key and request.method == "POST" and not request.path.startswith(CONTROL):
        response.headers[KEY_HEADERS[0]] = key
    return response


def _as_json(error: web.HTTPException) -> web.Response:
    if error.content_type == "application/json" and isinstance(error.body, bytes):
        return json_response(error.status, error.body)
    response = json_response(error.status, error_body(code_for(error.status), error.reason))
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response
