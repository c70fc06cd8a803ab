"""Runs a 1099Policy sandbox on a loopback port, and a receiver for its webhooks."""

import hashlib
import hmac
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import ClientSession, FormData, web

from service.sandbox.ten99policy import EMITTER, VENDOR, Ten99PolicyOptions, make_app

KEY = "t9k_test_sandbox"
GUIDE_NOW = "2025-11-30T12:00:00Z"  # a day before the dates that the guide prints
STARTS, ENDS = 1764628800, 1772448000
PDF = b"%PDF-1.4 a certificate"

CONTRACTOR = {
    "contact": {"first_name": "Ava", "last_name": "Nguyen", "email": "fl_12345@relay.yourdomain.com"},
    "address": {"country": "US", "region": "CA", "city": "San Francisco"},
    "custom_metadata": {"upwork_freelancer_id": "fl_12345"},
}
JOB = {
    "name": "Contract 9001 — Frontend Developer",
    "description": "Build dashboard UI and integrate GraphQL APIs",
    "entity": "en_abc123",
    "category_code": "SOFTWARE_ENGINEERING_CONTRACT",
    "wage": 7500,
    "wage_type": "hourly",
    "custom_metadata": {"engagement_id": "9001"},
}
METADATA = {"engagement_id": "9001"}


@dataclass
class Sandbox:
    """Speaks to one running sandbox: `status, body = await sandbox.post("/jobs", {...})`."""

    url: str
    app: web.Application
    session: ClientSession
    headers: dict[str, str] = field(default_factory=lambda: {"Authorization": f"Bearer {KEY}"})

    @property
    def vendor(self) -> Any:
        return self.app[VENDOR]

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        path = path if path.startswith("/_control") else f"/api/v1{path}"
        url = self.url + path
        async with self.session.request(method, url, json=body, headers=self.headers | named) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str, **headers: str) -> tuple[int, Any]:
        return await self.ask("GET", path, **headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        return await self.ask("POST", path, {} if body is None else body, **headers)

    async def put(self, path: str, body: Any) -> tuple[int, Any]:
        return await self.ask("PUT", path, body)

    async def delete(self, path: str) -> tuple[int, Any]:
        return await self.ask("DELETE", path)

    async def made(self, path: str, body: Any, **headers: str) -> dict[str, Any]:
        """Create and insist on 201."""
        status, answer = await self.post(path, body, **headers)
        assert status == 201, answer
        return dict(answer)

    async def upload(self, contractor: str, **changes: Any) -> tuple[int, Any]:
        form = FormData()
        filename, type = changes.get("filename", "coi.pdf"), changes.get("type", "application/pdf")
        content = io.BytesIO(changes.get("content", PDF) + bytes(changes.get("padding", 0)))
        form.add_field("certificate", content, filename=filename, content_type=type)
        form.add_field("contractor", contractor)
        form.add_field("custom_metadata[engagement_id]", "9001")
        url = f"{self.url}/api/v1/files/certificates"
        async with self.session.post(url, data=form, headers=self.headers) as answer:
            return answer.status, await answer.json()

    async def quoted(self, **quote: Any) -> dict[str, Any]:
        """The guide's contractor, job and quote."""
        contractor = await self.made("/contractors", CONTRACTOR)
        job = await self.made("/jobs", JOB)
        body = {
            "contractor": contractor["id"],
            "job": job["id"],
            "coverage_type": ["general"],
            "effective_date": STARTS,
            "end_date": ENDS,
            "custom_metadata": METADATA,
        }
        return await self.made("/quotes", body | quote)

    async def insured(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """A quote and the policy that a completed session issued for it."""
        quote = await self.quoted()
        session = await self.made("/apply/sessions", {"quote": quote["id"]})
        status, policy = await self.post(f"/_control/sessions/{session['id']}/complete")
        assert status == 200, policy
        return quote, policy

    async def drain(self) -> None:
        await self.app[EMITTER].drain()


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[Sandbox]:
    """A sandbox whose clock stands before the guide's dates."""
    options.setdefault("retry_base_seconds", 0.001)
    app = make_app(Ten99PolicyOptions(**options))
    app[VENDOR].clock.control({"now": GUIDE_NOW})
    async with serving(app) as url, ClientSession() as session:
        yield Sandbox(url, app, session)


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@dataclass
class Receiver:
    """Takes webhooks; answers with `answers` in turn, then 200."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    taken: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.taken.append((request.path, dict(request.headers), await request.read()))
        status = self.answers.pop(0) if self.answers else 200
        location = {"Location": "/elsewhere"} if status == 307 else None
        return web.Response(status=status, headers=location)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [orjson.loads(raw) for _, _, raw in self.taken]

    @property
    def types(self) -> list[str]:
        return [body["type"] for body in self.bodies]


@asynccontextmanager
async def receiving(*answers: int) -> AsyncIterator[Receiver]:
    receiver = Receiver(answers=list(answers))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.take)
    async with serving(app) as receiver.url:
        yield receiver


def signed_with(secret: str, headers: dict[str, str], raw: bytes) -> bool:
    """Whether `Ten99Policy-Signature: t=…,v1=…` proves these bytes."""
    parts = dict(part.split("=", 1) for part in headers["Ten99Policy-Signature"].split(","))
    expected = hmac.new(secret.encode(), parts["t"].encode() + b"." + raw, hashlib.sha256).hexdigest()
    return hmac.compare_digest(parts["v1"], expected)
