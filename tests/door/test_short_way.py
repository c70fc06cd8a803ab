"""The short way says what the long one says, and a connection may change from one to the other."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from hashlib import sha256
from hmac import new as hmac

import pytest
from places import ENOUGH, Answer, Place, PlaceMaker, answered

from domain import commands as c
from service.handle import Origin
from service.ports import Delivery

READER = "read:s3cret-reader,audit:s3cret-auditor"
KNOWN = {"Authorization": "Bearer s3cret-reader"}

LONG = "X-Long: 1\r\nX-Long: 2\r\n"
"""A header that comes twice: no plain request has one."""


@pytest.fixture
async def guarded(places: PlaceMaker) -> AsyncIterator[Place]:
    """A service with tokens, and one engagement in it."""
    async with places(COVERD_API_TOKENS=READER) as made:
        offer = c.AcceptOffer(1_790_000_000, "of_1", "fl_1", "cl_1")
        await made.service.handler.engagement("9001", offer, Origin("d-1", "d-1", "test"))
        yield made


def signed(body: bytes, secret: bytes = b"whsec_sandbox", at: int | None = None) -> dict[str, str]:
    stamp = int(time.time()) if at is None else at
    digest = hmac(secret, b"%d.%s" % (stamp, body), sha256).hexdigest()
    return {"Ten99Policy-Signature": f"t={stamp},v1={digest}", "Content-Type": "application/json"}


def post(source: str, body: bytes, headers: dict[str, str], more: str = "") -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    length = f"Content-Length: {len(body)}\r\n\r\n"
    return f"POST /webhooks/{source} HTTP/1.1\r\nHost: c\r\n{more}{head}{length}".encode() + body


def get(id: str, headers: dict[str, str], more: str = "") -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET /v1/engagements/{id} HTTP/1.1\r\nHost: c\r\n{more}{head}\r\n".encode()


EVENT = b'{"id": "evt_1", "type": "invoice.paid", "data": {}}'
UPWORK = {"X-Upwork-Webhook-Token": "upwork-sandbox-token"}


def asked(more: str, tag: str) -> dict[str, bytes]:
    """Requests of every kind that go the short way, by what they ask."""
    other = EVENT.replace(b"evt_1", b"evt_2")
    return {
        "a delivery": post("1099policy", EVENT, signed(EVENT), more),
        "the same delivery": post("1099policy", EVENT, signed(EVENT), more),
        "a delivery by header id": post("upwork", other, {**UPWORK, "webhook-id": "msg_1"}, more),
        "a forged delivery": post("1099policy", EVENT, signed(EVENT, b"wrong"), more),
        "an old delivery": post("1099policy", EVENT, signed(EVENT, at=1_700_000_000), more),
        "an unproven delivery": post("upwork", EVENT, {}, more),
        "a status": get("9001", KNOWN, more),
        "a status by another name": get("9001", {**KNOWN, "X-Request-Id": "mine-7"}, more),
        "an unnamed status": get("9001", {**KNOWN, "X-Request-Id": "ünfit" * 30}, more),
        "whatever is new": get("9001", {**KNOWN, "If-None-Match": f'"x", W/{tag}'}, more),
        "what is new": get("9001", {**KNOWN, "If-None-Match": '"0-0", W/"nothing"'}, more),
        "a status of nobody": get("nobody", KNOWN, more),
        "a status without a token": get("9001", {}, more),
        "a status with a wrong token": get("9001", {"Authorization": "Bearer wrong"}, more),
    }


VARIES = ("date", "server", "x-request-id", "content-length")


Told = tuple[int, dict[str, str], bytes]


def told(answer: Answer) -> Told:
    """All that must be the same whichever way it came."""
    headers = {name: value for name, value in answer.headers.items() if name not in VARIES}
    request_id = answer.headers["x-request-id"].encode()
    return answer.status, headers, answer.body.replace(request_id, b"?")


async def all_told(place: Place, more: str = "") -> dict[str, Told]:
    found = {}
    first = await place.raw(get("9001", KNOWN, more))
    assert first
    for what, request in asked(more, first.headers["etag"]).items():
        answer = await place.raw(request)
        assert answer, what
        found[what] = told(answer)
    return found


async def test_both_ways_say_the_same(guarded: Place) -> None:
    short = await all_told(guarded)
    assert [status for status, *_ in short.values()] == [
        *(202, 200, 202, 401, 401, 401),
        *(200, 200, 200, 304, 200, 404, 401, 401),
    ]

    long = await all_told(guarded, LONG)

    for what, (status, headers, body) in short.items():
        again = (200, headers, body.replace(b"false", b"true"))
        assert long[what] == (again if status == 202 else (status, headers, body)), what


async def test_a_callers_name_for_a_request_comes_back(guarded: Place) -> None:
    named = await guarded.raw(get("9001", {**KNOWN, "X-Request-Id": "mine-7"}))
    unnamed = await guarded.raw(get("9001", KNOWN))
    assert named
    assert unnamed
    assert named.headers["x-request-id"] == "mine-7"
    assert len(unnamed.headers["x-request-id"]) == 32


async def test_one_connection_may_bring_both_kinds_in_any_order(guarded: Place) -> None:
    requests = [
        get("9001", KNOWN),
        post("1099policy", EVENT, signed(EVENT)),
        b"GET /livez HTTP/1.1\r\nHost: c\r\n\r\n",
    ]
    async with guarded.connection() as (reader, writer), asyncio.timeout(ENOUGH):
        for request in [*requests, *reversed(requests)]:
            writer.write(request)
            answer = await answered(reader)
            assert answer
            assert answer.status in (200, 202)


async def test_requests_sent_ahead_are_answered_in_their_order(guarded: Place) -> None:
    names = [f"r-{n}" for n in range(40)]
    sent = [
        get("9001" if n % 3 else "nobody", {**KNOWN, "X-Request-Id": name}) for n, name in enumerate(names)
    ]
    sent[20] = sent[20].replace(b"/v1/engagements/9001", b"/v1/attention")
    async with guarded.connection() as (reader, writer), asyncio.timeout(ENOUGH):
        writer.write(b"".join(sent))
        got = [await answered(reader) for _ in names]
    assert [answer.headers["x-request-id"] for answer in got if answer] == names
    assert [answer.status for answer in got if answer] == [
        200 if n % 3 or n == 20 else 404 for n in range(40)
    ]


async def test_a_request_in_pieces_is_one_request(guarded: Place) -> None:
    request = post("1099policy", EVENT, signed(EVENT))
    async with guarded.connection() as (reader, writer), asyncio.timeout(ENOUGH):
        for at in range(0, len(request), 7):
            writer.write(request[at : at + 7])
            await writer.drain()
            await asyncio.sleep(0)
        answer = await answered(reader)
    assert answer
    assert answer.status == 202


async def test_what_is_under_way_is_answered_before_the_end(places: PlaceMaker) -> None:
    came, go_on = asyncio.Event(), asyncio.Event()
    async with asyncio.timeout(ENOUGH), AsyncExitStack() as stack:
        async with places() as made:
            reader, writer = await stack.enter_async_context(made.connection())
            store = made.service.store
            receive = store.receive

            async def slowly(delivery: Delivery, *, leased: bool = True) -> tuple[str, bool]:
                came.set()
                await go_on.wait()
                return await receive(delivery, leased=leased)

            store.receive = slowly  # type: ignore[method-assign]
            writer.write(post("1099policy", EVENT, signed(EVENT)))
            await came.wait()
            asyncio.get_running_loop().call_soon(go_on.set)
        answer = await answered(reader)
        assert answer
        assert answer.status == 202
        assert await reader.read() == b""
