"""Every refusal as application/problem+json (RFC 9457), from one middleware that wraps all others."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import orjson
import structlog
from aiohttp import web

from domain.errors import CoverdError, ImpossibleTransition, NotKnown, Refused
from service.handle import Contended
from service.store.errors import NotStorable, StoreUnavailable

log = structlog.get_logger("coverd.api")

RETRY_SECONDS = 2
"""What Retry-After says while the store is away."""

TITLES = {
    400: "The request cannot be read",
    401: "Proof of who you are is missing or wrong",
    403: "This token may not do that",
    404: "There is nothing here",
    405: "This method is not offered here",
    408: "The request took too long to come",
    409: "It cannot be done in this state",
    413: "The body is too large",
    415: "This kind of content is not taken",
    417: "What is expected is not offered here",
    421: "This is not the address to ask here",
    422: "A value cannot be used",
    429: "There were too many requests",
    500: "coverd failed",
    503: "coverd cannot reach its store",
}


NO_ENGAGEMENT = "No engagement has this id here; it begins with an accepted offer or an active contract."

OURS = "The fault is ours and was logged under this request_id."


class Problem(Exception):
    """A refusal with its HTTP status; ``detail`` says what to do. ``more`` are extension members."""

    def __init__(
        self, status: int, detail: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}
        self.more = more

    @property
    def title(self) -> str:
        return TITLES.get(self.status, "The request was refused")


PROBLEM_JSON = "application/problem+json"

PROBLEM = web.ResponseKey("problem", Problem)
"""Where a response keeps the problem it tells of."""


def bad_field(pointer: str, detail: str) -> Problem:
    """422 that names the field by JSON pointer."""
    return Problem(422, detail, errors=[{"pointer": pointer, "detail": detail}])


def body_of(problem: Problem, request_id: str) -> bytes:
    return orjson.dumps(
        {
            "type": "about:blank",
            "title": problem.title,
            "status": problem.status,
            "detail": problem.detail,
            "request_id": request_id,
            **problem.more,
        }
    )


def response(problem: Problem, request_id: str) -> web.Response:
    answered = web.Response(
        status=problem.status,
        body=body_of(problem, request_id),
        content_type=PROBLEM_JSON,
        headers=problem.headers,
    )
    answered[PROBLEM] = problem.with_traceback(None)  # which would hold on to the request's body
    return answered


def problem_of(error: Exception) -> Problem:
    """The one place where errors get an HTTP status."""
    match error:
        case Problem():
            return error
        case StoreUnavailable():
            return Problem(
                503,
                "The store did not confirm it; send the same again.",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        case NotKnown():
            return Problem(404, NO_ENGAGEMENT)
        case NotStorable():
            return Problem(422, "A value in it cannot be kept: it is too long, or holds what is no text.")
        case Refused() | ImpossibleTransition():
            return Problem(409, str(error))
        case Contended():
            return Problem(503, str(error), headers={"Retry-After": "1"})
        case msgspec.ValidationError():
            return Problem(422, str(error))
        case web.HTTPRequestEntityTooLarge():
            return Problem(413, "The body is larger than this route takes.")
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            return Problem(405, f"Use {allowed}.", headers={"Allow": allowed})
        case ConnectionError() | web.RequestPayloadError():
            return Problem(400, "The body did not arrive whole.")
        case web.HTTPExpectationFailed():
            return Problem(417, "The only Expect that is answered is 100-continue.")
        case web.HTTPNotFound():
            return Problem(404, "No such path; /openapi.json lists all of them.")
        case web.HTTPException() if error.status >= 400:
            return Problem(error.status, error.reason)
        case CoverdError():
            return Problem(409, str(error))
        case _:
            return Problem(500, OURS)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def answer(request: web.Request, handler: Handler, request_id: str) -> web.StreamResponse:
    """Run a handler; whatever it raises becomes a problem."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return response(problem_of(error), request_id)
    except Exception as error:
        resource = request.match_info.route.resource
        route = resource.canonical if resource else "unknown"
        return response(problem_in(error, request_id, route), request_id)


def problem_in(error: Exception, request_id: str, route: str) -> Problem:
    """What to answer instead; a fault of ours is logged."""
    problem = problem_of(error)
    if problem.status == 500:
        log.exception("a request failed", exc_info=error, request_id=request_id, route=route)
    return problem
