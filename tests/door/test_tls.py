"""Vendors are spoken to only where their certificate proves them, and no setting says otherwise."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer
from places import ENOUGH, TOKEN, PlaceMaker

from service.compose import Tuning
from service.effects.backoff import Ladder

OFFER = (
    b'{"id": "e1", "type": "offer.accepted", "data": {"contract": {"id": "9001"}, "freelancer": {"id": "f"}}}'
)


@asynccontextmanager
async def impostor() -> AsyncIterator[tuple[str, list[str], trustme.CA]]:
    """Where it answers over TLS, what it was asked, and the issuer that nobody but itself trusts."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(f"{request.method} {request.path}")
        return web.json_response({"access_token": "t", "expires_in": 3600})

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", answer)
    issuer = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert("127.0.0.1").configure_cert(context)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=context)
    try:
        yield f"https://127.0.0.1:{server.port}", asked, issuer
    finally:
        await server.close()


async def test_a_vendor_without_a_certificate_that_is_known_is_told_nothing(places: PlaceMaker) -> None:
    async with impostor() as (url, asked, issuer):
        urls = {"COVERD_UPWORK_URL": url, "COVERD_TEN99POLICY_URL": url}
        async with places(Tuning(sweep_seconds=0.02, ladder=Ladder(first=0.01)), **urls) as place:
            await place.ask("POST", "/webhooks/upwork", data=OFFER, headers=TOKEN)
            async with asyncio.timeout(ENOUGH):
                while b'outcome="retried"' not in (await place.ask("GET", "/metrics")).body:
                    pass
            report = await place.ask("POST", "/v1/reconcile")
        assert report.body.count(b"ClientConnectorCertificateError") == 2, "each vendor was tried"
        assert asked == []
        trusting = ssl.create_default_context()
        issuer.configure_trust(trusting)
        async with aiohttp.ClientSession() as session, session.get(f"{url}/x", ssl=trusting) as response:
            assert response.status == 200
        assert asked == ["GET /x"]
