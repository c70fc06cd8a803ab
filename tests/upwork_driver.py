"""Runs an Upwork sandbox, and a receiver for its webhooks, on loopback for one test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from service.sandbox.upwork import ACCOUNT, EMITTER, UpworkOptions, make_app

CREDENTIALS = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
TOKEN_PATH = "/api/v3/oauth2/token"


@dataclass
class Upwork:
    """One running sandbox. Answers come as (status, parsed body)."""

    app: web.Application
    base: str
    http: ClientSession
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def account(self) -> Any:
        return self.app[ACCOUNT]

    async def request(self, method: str, path: str, **how: Any) -> tuple[int, Any]:
        async with self.http.request(method, self.base + path, allow_redirects=False, **how) as answer:
            assert answer.content_type == "application/json", (path, answer.content_type)
            return answer.status, orjson.loads(await answer.read())

    async def token(self, **form: str) -> tuple[int, Any]:
        return await self.request("POST", TOKEN_PATH, data=form)

    async def sign_in(self) -> None:
        _, body = await self.token(grant_type="client_credentials", **CREDENTIALS)
        self.headers["Authorization"] = f"Bearer {body['access_token']}"

    async def post_graphql(self, body: Any, **headers: str) -> tuple[int, Any]:
        return await self.request("POST", "/graphql", json=body, headers=self.headers | headers)

    async def graphql(self, query: str, variables: Any = None, operation: str | None = None) -> Any:
        status, body = await self.post_graphql(
            {"query": query, "variables": variables, "operationName": operation}
        )
        assert status == 200
        return body

    async def data(self, query: str, **variables: Any) -> Any:
        body = await self.graphql(query, variables)
        assert "errors" not in body, body
        return body["data"]

    async def control(self, path: str, body: Any = None, method: str = "POST") -> Any:
        status, answer = await self.request(method, f"/_control/{path}", json=body)
        assert status < 300, answer
        return answer

    async def told(self) -> list[dict[str, Any]]:
        """Every webhook so far, once all are settled."""
        await self.app[EMITTER].drain()
        return [orjson.loads(delivery.raw) for delivery in self.app[EMITTER].log]


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[Upwork]:
    app = make_app(UpworkOptions(**options))
    async with TestServer(app) as server, ClientSession() as http:
        upwork = Upwork(app, str(server.make_url("")).rstrip("/"), http)
        await upwork.sign_in()
        yield upwork


@dataclass
class Receiver:
    """What arrived: (path, headers, parsed body)."""

    base: str = ""
    received: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()

    async def take(request: web.Request) -> web.Response:
        receiver.received.append((request.path, dict(request.headers), orjson.loads(await request.read())))
        return web.json_response({}, status=202)

    app = web.Application()
    app.router.add_post("/{tail:.*}", take)
    async with TestServer(app) as server:
        receiver.base = str(server.make_url("")).rstrip("/")
        yield receiver
