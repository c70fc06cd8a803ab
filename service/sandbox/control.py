"""What both sandboxes offer under `/_control`: faults to order, calls to count, a clock, a reset.

A sandbox puts `control_middleware` after its own error middleware and calls `add_control_routes`.
Control paths are never counted and never faulted.
"""

import asyncio
import re
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from service.sandbox.clock import Clock
from service.sandbox.emit import Emitter

CONTROL = "/_control"
PLAIN_KINDS = frozenset(
    {"drop-after-commit", "drop-before", "truncate", "html", "duplicate", "reorder", "lose", "bad-signature"}
)
NUMBERED_KINDS = frozenset({"status", "delay", "retry-after", "html"})
WEBHOOK_KINDS = frozenset({"duplicate", "reorder", "lose", "bad-signature"})
HTML_PAGE = "<!doctype html><title>Bad gateway</title><h1>502 Bad Gateway</h1>"

# Gives the vendor's own error answer for a status: (request, status) -> response.
Refuse = Callable[[web.Request, int], Awaitable[web.StreamResponse]]
# Waits out a `delay` fault: (request, seconds). A vendor that notices two equal requests at once has its own.
Delay = Callable[[web.Request, float], Awaitable[None]]


@dataclass
class Fault:
    """One rule. `match` is `METHOD /path` (with `*`), `/path` or `*`; `number` is what follows the colon."""

    match: str
    kind: str
    number: int
    times: int
    text: str

    def __post_init__(self) -> None:
        parts = (re.escape(part) for part in self.match.split("*"))
        self._pattern = re.compile(".*".join(parts) + r"\Z", re.DOTALL)

    def fits(self, *subjects: str) -> bool:
        return any(self._pattern.match(subject) for subject in subjects)

    def shown(self) -> dict[str, Any]:
        return {"match": self.match, "kind": self.text, "times": self.times}


@dataclass
class Faults:
    """The rules still to be used, oldest first. Each use takes one off `times`."""

    rules: list[Fault] = field(default_factory=list)

    def add(self, match: str, kind: str, times: int = 1) -> Fault:
        """Raises ValueError for a kind nobody knows."""
        word, _, number = kind.partition(":")
        known = word in (NUMBERED_KINDS if number else PLAIN_KINDS)
        if not known or (number and not number.isdigit()) or times < 1:
            raise ValueError(f"no fault of kind {kind!r}, {times} times")
        rule = Fault(match, word, int(number or 0), times, kind)
        self.rules.append(rule)
        return rule

    def take_for_request(self, method: str, *paths: str) -> Fault | None:
        """The first rule that fits any of the paths (the path itself, or its route with `{id}`)."""
        if not self.rules:
            return None
        subjects = [s for path in paths for s in (path, f"{method} {path}")]
        return self._take(lambda rule: rule.kind not in WEBHOOK_KINDS and rule.fits(*subjects))

    def take_for_delivery(self, kinds: Sequence[str], path: str) -> str | None:
        """The kind of the first rule of these kinds that fits the webhook's path."""
        if not self.rules:
            return None
        rule = self._take(lambda rule: rule.kind in kinds and rule.fits(path, f"POST {path}"))
        return rule.kind if rule else None

    def _take(self, wanted: Callable[[Fault], bool]) -> Fault | None:
        rule = next((rule for rule in self.rules if wanted(rule)), None)
        if rule:
            rule.times -= 1
            if not rule.times:
                self.rules.remove(rule)
        return rule


@dataclass
class Call:
    """One request as it came; `body` replaces the raw bytes where a handler had to read them (multipart)."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    raw: bytes = b""
    body: Any = None
    status: int | None = None
    fault: str | None = None

    def shown(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": self.body if self.body is not None else _readable(self.raw),
            "status": self.status,
            "fault": self.fault,
        }


CALL = web.RequestKey("coverd_sandbox_call", Call)


class Calls:
    """Counts every request that arrived, answered or not, and keeps the last `keep` of them whole."""

    def __init__(self, key_headers: Sequence[str] = (), keep: int = 1000) -> None:
        self.key_headers = key_headers
        self.forget(keep)

    def forget(self, keep: int = 1000) -> None:
        self.total = 0
        self.by_route: Counter[str] = Counter()
        self.by_key: dict[str, dict[str, Any]] = {}
        self.requests: deque[Call] = deque(maxlen=keep)

    def note(self, call: Call, route: str) -> None:
        self.total += 1
        self.by_route[f"{call.method} {route}"] += 1
        self.requests.append(call)
        key = next((call.headers[name] for name in self.key_headers if name in call.headers), None)
        if key is not None:
            seen = self.by_key.setdefault(key, {"count": 0, "method_path": f"{call.method} {call.path}"})
            seen["count"] += 1

    def shown(self, detail: bool = False) -> dict[str, Any]:
        found: dict[str, Any] = {
            "by_route": self.by_route,
            "by_idempotency_key": self.by_key,
            "total": self.total,
        }
        if detail:
            found["requests"] = [call.shown() for call in self.requests]
        return found


async def plain_delay(request: web.Request, seconds: float) -> None:
    await asyncio.sleep(seconds)


def control_middleware(
    faults: Faults, calls: Calls, refuse: Refuse, delay: Delay = plain_delay
) -> Middleware:
    """Notes every call and does the fault that fits it, if any."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(CONTROL):
            return await handler(request)
        call = Call(request.method, request.path, request.query_string, request.headers)
        if not request.content_type.startswith("multipart/"):
            call.raw = await request.read()
        resource = request.match_info.route.resource
        route = resource.canonical if resource else request.path
        request[CALL] = call
        calls.note(call, route)
        fault = faults.take_for_request(request.method, request.path, route)
        if fault is None:
            response = await handler(request)
        else:
            call.fault = fault.text
            response = await _faulted(fault, request, handler, refuse, delay)
        call.status = response.status
        return response

    return middleware


async def _faulted(
    fault: Fault, request: web.Request, handler: Handler, refuse: Refuse, delay: Delay
) -> web.StreamResponse:
    match fault.kind:
        case "status":
            return await refuse(request, fault.number)
        case "retry-after":
            response = await refuse(request, 429)
            response.headers["Retry-After"] = str(fault.number)
            return response
        case "html":
            return web.Response(text=HTML_PAGE, status=fault.number or 502, content_type="text/html")
        case "delay":
            await delay(request, fault.number / 1000)
            return await handler(request)
        case "drop-before":
            return _hang_up(request)
        case "drop-after-commit":
            await handler(request)
            return _hang_up(request)
        case _:
            return await _truncated(request, await handler(request))


def _hang_up(request: web.Request) -> web.Response:
    if request.transport:
        request.transport.abort()
    return web.Response()


async def _truncated(request: web.Request, whole: web.StreamResponse) -> web.StreamResponse:
    """Promise the whole body and send half of it."""
    body = whole.body if isinstance(whole, web.Response) and isinstance(whole.body, bytes) else b"{}"
    half = web.StreamResponse(status=whole.status, headers={"Content-Type": whole.content_type})
    half.content_length = len(body)
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    if request.transport:
        request.transport.close()
    return half


class Sandbox(Protocol):
    """What a sandbox must have for the shared control routes."""

    clock: Clock
    faults: Faults
    calls: Calls
    emitter: Emitter

    def objects(self) -> dict[str, Any]:
        """All stored objects by kind."""

    def reset(self) -> None:
        """Back to the seeded objects. Faults, calls, deliveries and the clock are reset by the route."""


def add_control_routes(app: web.Application, sandbox: Sandbox) -> None:
    """`/_control/faults`, `/calls`, `/objects`, `/clock`, `/deliveries`, `/drain`, `/reset`."""

    async def add_fault(request: web.Request) -> web.Response:
        body = await control_body(request)
        try:
            rule = sandbox.faults.add(str(body["match"]), str(body["kind"]), int(body.get("times", 1)))
        except (KeyError, TypeError, ValueError) as error:
            return control_refusal(f"a fault is match, kind and times: {error}")
        return control_answer(rule.shown(), status=201)

    async def list_faults(request: web.Request) -> web.Response:
        return control_answer([rule.shown() for rule in sandbox.faults.rules])

    async def clear_faults(request: web.Request) -> web.Response:
        sandbox.faults.rules.clear()
        return control_answer([])

    async def calls(request: web.Request) -> web.Response:
        return control_answer(sandbox.calls.shown(detail=request.query.get("detail") == "1"))

    async def objects(request: web.Request) -> web.Response:
        return control_answer(sandbox.objects())

    async def set_clock(request: web.Request) -> web.Response:
        try:
            return control_answer(sandbox.clock.control(await control_body(request)))
        except ValueError as error:
            return control_refusal(str(error))

    async def clock(request: web.Request) -> web.Response:
        return control_answer(sandbox.clock.reading())

    async def deliveries(request: web.Request) -> web.Response:
        return control_answer([delivery.shown() for delivery in sandbox.emitter.log])

    async def drain(request: web.Request) -> web.Response:
        await sandbox.emitter.drain()
        return await deliveries(request)

    async def reset(request: web.Request) -> web.Response:
        sandbox.faults.rules.clear()
        sandbox.calls.forget()
        sandbox.clock.set(None)
        sandbox.emitter.forget()
        sandbox.reset()
        return control_answer({"reset": True})

    app.add_routes(
        [
            web.post(f"{CONTROL}/faults", add_fault),
            web.get(f"{CONTROL}/faults", list_faults),
            web.delete(f"{CONTROL}/faults", clear_faults),
            web.get(f"{CONTROL}/calls", calls),
            web.get(f"{CONTROL}/objects", objects),
            web.post(f"{CONTROL}/clock", set_clock),
            web.get(f"{CONTROL}/clock", clock),
            web.get(f"{CONTROL}/deliveries", deliveries),
            web.post(f"{CONTROL}/drain", drain),
            web.post(f"{CONTROL}/reset", reset),
        ]
    )


async def control_body(request: web.Request) -> dict[str, Any]:
    """The JSON object of a control request; an empty body is `{}`. Anything else is a 400."""
    raw = await request.read()
    try:
        body = orjson.loads(raw or b"{}")
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        text = orjson.dumps({"message": "the body must be a JSON object", "error_code": "bad_control"})
        raise web.HTTPBadRequest(text=text.decode(), content_type="application/json")
    return body


def control_answer(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")


def control_refusal(message: str, status: int = 400) -> web.Response:
    return control_answer({"message": message, "error_code": "bad_control"}, status)


def _readable(raw: bytes) -> Any:
    try:
        return orjson.loads(raw) if raw else None
    except orjson.JSONDecodeError:
        return raw.decode("utf-8", "replace")
