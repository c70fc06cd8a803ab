"""A vendor on loopback that answers what a test tells it to and keeps everything it was asked."""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import ClientSession, DummyCookieJar, web
from aiohttp.test_utils import TestServer
from multidict import CIMultiDictProxy

from service.clients.ten99policy import Ten99Policy
from service.clients.upwork import Upwork
from service.settings import Secret, Ten99PolicySettings, UpworkSettings, WebhookProof

PROOF = WebhookProof("token", (), "X-Proof")
TOKEN = "/api/v3/oauth2/token"


@dataclass(frozen=True)
class Asked:
    """One request as it came over the wire."""

    method: str
    path: str
    query: dict[str, str]
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def parts(self) -> dict[str, Any]:
        """A multipart body's parts by name, as `email` reads them."""
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        message = email.message_from_bytes(head + self.body, policy=email.policy.HTTP)
        return {str(p.get_param("name", header="Content-Disposition")): p for p in message.iter_parts()}


@dataclass(frozen=True)
class Says:
    """An answer. ``body`` goes out as it is; ``ends`` says how: whole · cut · dropped · never · in pieces."""

    status: int = 200
    json: Any = None
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    ends: str = "whole"

    @property
    def content(self) -> bytes:
        return self.body or orjson.dumps(self.json)


Answers = Callable[[Asked], Says]


class Vendor:
    """``will`` queues answers for the next requests; after them ``otherwise`` answers."""

    def __init__(self, otherwise: Answers) -> None:
        self.asked: list[Asked] = []
        self.base = ""
        self._next: list[Says] = []
        self._otherwise = otherwise
        self._over = asyncio.Event()

    def will(self, *answers: Says) -> None:
        self._next += answers

    def to(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]

    async def take(self, request: web.Request) -> web.StreamResponse:
        query, body = dict(request.query), await request.read()
        asked = Asked(request.method, request.path, query, request.headers, body)
        self.asked.append(asked)
        mine = self._next and asked.path != TOKEN
        return await self._answer(request, self._next.pop(0) if mine else self._otherwise(asked))

    async def _answer(self, request: web.Request, says: Says) -> web.StreamResponse:
        kind = {"Content-Type": "application/json"} | says.headers
        if says.ends == "whole":
            return web.Response(status=says.status, body=says.content, headers=kind)
        if says.ends == "never":
            await self._over.wait()
        if says.ends in ("dropped", "never"):
            assert request.transport
            request.transport.abort()
            return web.Response()
        length = str(len(says.content) + (100 if says.ends == "cut" else 0))
        answer = web.StreamResponse(status=says.status, headers=kind | {"Content-Length": length})
        await answer.prepare(request)
        middle = len(says.content) // 2
        for piece in (says.content[:middle], says.content[middle:]):
            await answer.write(piece)
            await asyncio.sleep(0)  # so that the pieces travel apart
        if says.ends == "cut":
            assert request.transport
            request.transport.close()
        return answer

    def let_go(self) -> None:
        """Those that wait for an answer that never comes see the connection end."""
        self._over.set()


@asynccontextmanager
async def vendor(otherwise: Answers) -> AsyncIterator[tuple[Vendor, ClientSession]]:
    double = Vendor(otherwise)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{tail:.*}", double.take)
    async with TestServer(app) as server, ClientSession(cookie_jar=DummyCookieJar()) as session:
        double.base = str(server.make_url("")).rstrip("/")
        try:
            yield double, session
        finally:
            double.let_go()


def created(asked: Asked) -> Says:
    """What 1099Policy answers when nothing else is told: something was made."""
    return Says(201 if asked.method == "POST" else 200, {"id": "xx_1"})


@asynccontextmanager
async def ten99policy(
    dialect: str = "guide", environment: str = "sandbox", otherwise: Answers = created
) -> AsyncIterator[tuple[Ten99Policy, Vendor]]:
    """The real client, and the vendor it talks to."""
    async with vendor(otherwise) as (double, session):
        settings = Ten99PolicySettings(
            url=double.base,
            api_key=Secret("t9k_test_sandbox"),
            environment=environment,
            dialect="reference" if dialect == "reference" else "guide",
            proof=PROOF,
        )
        yield Ten99Policy(session, settings), double


@asynccontextmanager
async def upwork(
    otherwise: Answers,
    tenant_id: str | None = None,
    url: str = "",
    dialect: str = "guide",
    turn: Callable[[], Awaitable[None]] | None = None,
) -> AsyncIterator[tuple[Upwork, Vendor]]:
    """The real client, and the vendor it talks to; tokens are given out unless ``otherwise`` says else."""

    def answers(asked: Asked) -> Says:
        return otherwise(asked)

    async with vendor(answers) as (double, session):
        settings = UpworkSettings(
            url=url or double.base,
            token_url=double.base,
            client_id="sandbox-client",
            client_secret=Secret("sandbox-secret"),
            tenant_id=tenant_id,
            dialect="reference" if dialect == "reference" else "guide",
            proof=PROOF,
        )
        yield Upwork(session, settings, turn=turn), double


def token(number: int, **more: Any) -> Says:
    said = {"access_token": f"oauth2v2_{number}", "token_type": "Bearer", "expires_in": 86400}
    return Says(200, said | more)
