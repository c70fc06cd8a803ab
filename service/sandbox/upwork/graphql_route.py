"""POST /graphql: a live bearer token, then the executor (fact sheet 4)."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from service.sandbox.upwork.account import UpworkAccount
from service.sandbox.upwork.executor import Executor, refusal
from service.sandbox.upwork.roots import Asking
from service.sandbox.upwork.tokens import Tokens
from service.sandbox.upwork.wire import answer, refuse

TENANT_HEADER = "X-Upwork-API-TenantId"


def graphql_handler(
    account: UpworkAccount, tokens: Tokens, executor: Executor
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not tokens.is_live(token.strip()):
            return await refuse(request, 401)
        asked = _read(await request.read())
        if asked is None:
            return answer(refusal("The body must be a JSON object", "InvalidSyntax"), 400)
        query, variables, operation = (asked.get(name) for name in ("query", "variables", "operationName"))
        if not isinstance(query, str) or not query.strip():
            return answer(refusal("Must provide a query"))
        if not isinstance(variables, dict | None) or not isinstance(operation, str | None):
            return answer(refusal("variables is an object and operationName a text"))
        asking = Asking(account, str(request.url.origin()), request.headers.get(TENANT_HEADER))
        return answer(executor.run(asking, query, variables, operation or None))

    return handle


def _read(raw: bytes) -> dict[str, Any] | None:
    try:
        read = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return read if isinstance(read, dict) else None
