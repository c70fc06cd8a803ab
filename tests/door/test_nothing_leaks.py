"""Canaries: people and secrets go in by every path and come out in no log, metric or problem."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from places import TOKEN, Answer, Place, PlaceMaker

from service import logs

NAME, EMAIL, SECRET = "Canarina Aves", "canarina.aves@birds.example", "t9k_live_c4n4rys3cret"
CANARIES = ("canarina", "aves", "birds.example", "c4n4ry")


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Any:
    logs.set_up(json=True)
    return capsys


@pytest.fixture
async def place(places: PlaceMaker, logged: Any) -> AsyncIterator[Place]:
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
        await place.ask(EMAIL.partition("@")[0].upper().replace(".", "-"), "/livez"),
    ]


async def test_no_answer_of_the_door_repeats_what_was_sent(place: Place) -> None:
    for answer in await everything(place):
        assert clean(told(answer)), answer


async def test_broken_http_is_not_repeated_either(place: Place, logged: Any) -> None:
    for raw in (
        f"GET /{SECRET}\x01 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: localhost\r\n{EMAIL}\r\n\r\n",
        f"POST /webhooks/upwork HTTP/1.1\r\nHost: localhost\r\nContent-Length: {SECRET}\r\n\r\n",
        f"{SECRET} / HTTP/1.1\r\n\r\n",
    ):
        answer = await place.raw(raw.encode())
        assert answer is None or clean(told(answer)), answer
    written = logged.readouterr()
    assert clean(written.out + written.err)


async def test_no_log_line_and_no_metric_tells(place: Place, logged: Any) -> None:
    await everything(place)
    metrics = await place.ask("GET", "/metrics")
    assert b"coverd_deliveries_total" in metrics.body
    assert clean(metrics.body)
    written = logged.readouterr()
    assert "delivery" in written.err, "there are lines to look at"
    assert clean(written.out + written.err)


async def test_lists_of_deliveries_hold_no_bodies(place: Place) -> None:
    await everything(place)
    listed = await place.ask("GET", "/v1/deliveries")
    assert listed.status == 200
    assert clean(listed.body)
    waiting = await place.ask("GET", "/v1/attention")
    assert clean(waiting.body)
