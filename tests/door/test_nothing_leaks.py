"""Canaries: people and secrets go in by every path and come out in no log, metric or problem."""

import asyncio
import io
import json
import re
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from graphql_double import Fault, answered
from logs_of_tests import logging_left_as_it_was
from places import ENOUGH, TOKEN, Answer, Place, PlaceMaker

from service import logs
from service.compose import Tuning
from service.effects.backoff import Ladder

NAME, EMAIL, SECRET = "Canarina Aves", "canarina.aves@birds.example", "t9k_live_c4n4rys3cret"
CANARIES = ("canarina", "aves", "birds.example", "c4n4ry")


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything the log says, as `coverd serve` writes it to stderr."""
    written = io.StringIO()
    with logging_left_as_it_was():
        monkeypatch.setattr(sys, "stderr", written)
        logs.set_up(json=True)
        monkeypatch.undo()
        yield written


@pytest.fixture
async def place(places: PlaceMaker, logged: io.StringIO) -> AsyncIterator[Place]:
    async with places() as made:
        yield made


def clean(text: str | bytes) -> bool:
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return not any(canary in shown.lower() for canary in CANARIES)


def told(answer: Answer) -> str:
    return json.dumps(answer.headers) + answer.body.decode("utf-8", "replace")


DELIVERY = {
    "id": "evt_canary",
    "type": "offer.accepted",
    "createdAt": 1,
    "data": {"contract": {"id": "9001"}, "freelancer": {"id": "fl_1", "name": NAME, "email": EMAIL}},
}


async def known(place: Place, engagement_id: str) -> Answer:
    """Its status, once there is one."""
    async with asyncio.timeout(ENOUGH):
        while (told := await place.ask("GET", f"/v1/engagements/{engagement_id}")).status != 200:
            pass
    return told


async def everything(place: Place) -> list[Answer]:
    """Each way in, with canaries where people and their clients put such things."""
    body = json.dumps(DELIVERY).encode()
    signature = {"Ten99Policy-Signature": f"t=1,v1={SECRET}"}
    json_type = {"Content-Type": "application/json"}
    return [
        await place.ask("POST", "/webhooks/upwork", data=body, headers={"X-Upwork-Webhook-Token": SECRET}),
        await place.ask("POST", "/webhooks/upwork", data=EMAIL.encode(), headers=TOKEN),
        await place.ask("POST", "/webhooks/upwork", data=body, headers=TOKEN),
        await place.ask("POST", "/webhooks/1099policy", data=body, headers=signature),
        await place.ask("POST", f"/webhooks/{EMAIL}", data=body),
        await place.ask("GET", f"/v1/engagements?{EMAIL}={SECRET}"),
        await place.ask("GET", f"/v1/engagements?state={EMAIL}"),
        await place.ask("GET", f"/v1/engagements?cursor={SECRET}"),
        await place.ask("GET", f"/v1/engagements?limit={SECRET}"),
        await place.ask("GET", f"/v1/engagements/{EMAIL}"),
        await place.ask("GET", f"/v1/freelancers/{EMAIL}"),
        await place.ask("GET", f"/v1/deliveries/{SECRET}"),
        await place.ask("GET", f"/engagements/{EMAIL}", headers={"Accept": "text/html"}),
        await place.ask(
            "GET", "/livez", headers={"X-Request-Id": EMAIL, "Authorization": f"Bearer {SECRET}"}
        ),
        await place.ask(
            "POST",
            "/v1/engagements/9001/retry",
            data=json.dumps({EMAIL: NAME, "reason": 7}).encode(),
            headers={**json_type, "Idempotency-Key": SECRET},
        ),
        await place.ask("POST", "/v1/engagements/9001/retry", data=EMAIL.encode(), headers=json_type),
        await place.ask(
            "POST",
            "/v1/engagements/9001/invoices",
            data=json.dumps({"gross_pay": EMAIL}).encode(),
            headers=json_type,
        ),
        await place.ask(
            "POST", "/v1/freelancers/nobody/name", json={"first_name": NAME, "last_name": "x" * 999}
        ),
        await place.ask("GET", f"/v1/feed?cursor={SECRET}"),
        await place.ask("GET", "/v1/feed", headers={"Last-Event-ID": EMAIL}),
        await place.ask("GET", f"/v1/operations/{EMAIL}"),
        await place.ask("GET", f"/static/{EMAIL}"),
        await place.ask("GET", "/attention", headers={"Cookie": f"coverd={SECRET}; {EMAIL}=1"}),
        await place.ask("GET", "/livez", headers={"Expect": SECRET}),
        await place.ask("GET", "/v1/attention", headers={"Host": EMAIL.partition("@")[2]}),
        await place.ask("POST", f"/signin?next={EMAIL}", data={"token": SECRET}),
        await place.ask("POST", f"/signin?{SECRET}=1", data={"token": SECRET}),
        await place.ask("POST", f"/v1/vendors/{EMAIL}/pause", json={"reason": NAME}),
        await place.ask("POST", "/v1/attention/retry", json={"reason": NAME, "since": SECRET}),
        await place.ask("POST", f"/v1/deliveries/{SECRET}/replay"),
        await known(place, "9001"),
        *[
            await place.ask(
                "POST",
                "/v1/engagements/9001/certificates",
                data=f"--b\r\nContent-Disposition: {part}\r\n\r\n{NAME}\r\n--b--\r\n".encode(),
                headers={"Content-Type": f"multipart/form-data; boundary=b; {SECRET}=1"},
            )
            for part in (
                f'form-data; name="{EMAIL}"; filename="{NAME}.pdf"',
                f'form-data; name="certificate"; filename="{NAME}.pdf"',
                f"form-data; name=certificate; {EMAIL}; filename={NAME}",
                f"{NAME}; name",
            )
        ],
        await place.ask(EMAIL.partition("@")[0].upper().replace(".", "-"), "/livez"),
    ]


async def test_no_answer_of_the_door_repeats_what_was_sent(place: Place) -> None:
    for answer in await everything(place):
        assert clean(told(answer)), answer


async def test_broken_http_is_not_repeated_either(place: Place, logged: io.StringIO) -> None:
    for raw in (
        f"GET /{SECRET}\x01 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: localhost\r\n{EMAIL}\r\n\r\n",
        f"POST /webhooks/upwork HTTP/1.1\r\nHost: localhost\r\nContent-Length: {SECRET}\r\n\r\n",
        f"{SECRET} / HTTP/1.1\r\n\r\n",
    ):
        answer = await place.raw(raw.encode())
        assert answer is None or clean(told(answer)), answer
    assert clean(logged.getvalue())


async def test_no_log_line_and_no_metric_tells(place: Place, logged: io.StringIO) -> None:
    assert {202, 422} <= {answer.status for answer in await everything(place)}, "some of it went in"
    metrics = await place.ask("GET", "/metrics")
    assert b"coverd_deliveries_total" in metrics.body
    assert clean(metrics.body)
    assert '"event":"delivery processed"' in logged.getvalue(), "there are lines to look at"
    assert clean(logged.getvalue())


async def test_lists_of_deliveries_hold_no_bodies(place: Place) -> None:
    await everything(place)
    listed = await place.ask("GET", "/v1/deliveries")
    assert listed.status == 200
    assert clean(listed.body)
    waiting = await place.ask("GET", "/v1/attention")
    assert clean(waiting.body)


FAULTS = {"9002": "ExecutionAborted", "9003": "DataFetchingException"}
"""Contracts that Upwork refuses to show, and that it fails to."""


PERSON = {"id": "fl_1", "displayName": NAME, "location": {"country": "US", "region": "CA"}}
CONTRACT = {
    "title": "Work",
    "hourlyRate": {"amount": 75, "currency": "USD"},
    "category": {"name": "Web, Mobile & Software Dev"},
    "startDate": "2099-01-01",
}


def echoing() -> web.Application:
    """Both vendors at once: every answer quotes people, in each of the ways a vendor may fail."""
    said = f"no: {NAME} <{EMAIL}> with {SECRET}"
    html, refusal = f"<h1>{said}</h1>", json.dumps({"error_code": "bad", "message": said})
    policy = iter([(500, html, "text/html"), (503, html, "text/html"), (400, said, "text/plain")])

    async def token(_request: web.Request) -> web.Response:
        return web.json_response({"access_token": SECRET, "expires_in": 3600, "token_type": "bearer"})

    async def graphql(request: web.Request) -> web.Response:
        def resolve(root: str, id: str) -> Any:
            if id in FAULTS:
                return Fault(said, FAULTS[id])
            return PERSON if root == "freelancer" else CONTRACT | {"id": id}

        answer = answered(await request.json(), resolve)
        return web.json_response(answer.json)

    async def ten99policy(_request: web.Request) -> web.Response:
        status, body, kind = next(policy, (422, refusal, "application/json"))
        return web.Response(status=status, text=body, content_type=kind)

    app = web.Application()
    app.router.add_post("/api/v3/oauth2/token", token)
    app.router.add_post("/graphql", graphql)
    app.router.add_route("*", "/api/v1/{any:.*}", ten99policy)
    return app


SHOWING_VENDORS_WORDS = (
    *("/v1/attention", "/v1/attention/causes", "/v1/vendors", "/attention", "/engagements/9001"),
    *("/v1/engagements/9001", "/v1/engagements/9001/events", "/v1/engagements/9002/events"),
)
"""Where what a vendor said is read. Names that only it knows may stand there; addresses and keys never do."""


async def test_no_vendors_words_about_people_are_logged(places: PlaceMaker, logged: io.StringIO) -> None:
    async with TestServer(echoing()) as server:
        vendors = str(server.make_url("")).rstrip("/")
        urls = {"COVERD_UPWORK_URL": vendors, "COVERD_TEN99POLICY_URL": vendors}
        urls |= {"COVERD_TEN99POLICY_API_KEY": SECRET}
        async with places(Tuning(sweep_seconds=0.02, ladder=Ladder(first=0.01)), **urls) as place:
            for number in ("9001", *FAULTS):
                data = {**DELIVERY["data"], "contract": {"id": number}}
                body = json.dumps({**DELIVERY, "id": number, "data": data}).encode()
                assert (await place.ask("POST", "/webhooks/upwork", data=body, headers=TOKEN)).status == 202
            async with asyncio.timeout(ENOUGH):
                while logged.getvalue().count("parked until a person acts") < 3:
                    await place.ask("GET", "/livez")
            reconciled = await place.ask("POST", "/v1/reconcile")
            metrics = await place.ask("GET", "/metrics")
            await place.service.runner.caught_up()
            shown = [await place.ask("GET", path) for path in SHOWING_VENDORS_WORDS]
    assert "will be tried again" in logged.getvalue()
    assert clean(logged.getvalue())
    assert clean(metrics.body)
    assert b"no: " in b"".join(answer.body for answer in shown), "a vendor's words are there"
    for answer in (reconciled, *shown):
        assert answer.status == 200
        assert not re.search(rb"birds.example|c4n4ry", answer.body), answer
