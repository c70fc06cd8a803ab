"""Every scheme over sockets: what a live secret signs is taken, whole or in chunks, and nothing else is."""

import base64
import hmac
import time
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from itertools import count

import pytest
from places import Place, PlaceMaker

from service.settings import SCHEMES

KEYS = {"old": b"the old key", "new": b"the new key", "gone": b"the one before"}
"""``gone`` is live no more."""

SECRETS = {name: f"whsec_{base64.b64encode(key).decode()}" for name, key in KEYS.items()}

Signed = dict[str, str]

_numbers = count()


def digest(key: bytes, signed: bytes) -> bytes:
    return hmac.digest(key, signed, sha256)


def standard(name: str, body: bytes, at: int) -> Signed:
    made = digest(KEYS[name], f"msg_1.{at}.".encode() + body)
    signature = f"v1,AAAA v1,{base64.b64encode(made).decode()}"
    return {"X-Proof": signature, "webhook-timestamp": str(at), "webhook-id": "msg_1"}


def t_v1(name: str, body: bytes, at: int) -> Signed:
    made = digest(SECRETS[name].encode(), f"{at}.".encode() + body).hex()
    return {"X-Proof": f"t={at},v0=x,v1={made}"}


SIGN: dict[str, Callable[[str, bytes, int], Signed]] = {
    "token": lambda name, body, at: {"X-Proof": SECRETS[name]},
    "t-v1": t_v1,
    "hmac-hex": lambda name, body, at: {"X-Proof": digest(SECRETS[name].encode(), body).hex()},
    "hmac-base64": lambda name, body, at: {
        "X-Proof": base64.b64encode(digest(SECRETS[name].encode(), body)).decode()
    },
    "standard": standard,
}


@pytest.fixture(params=SCHEMES)
async def scheme(request: pytest.FixtureRequest, places: PlaceMaker) -> AsyncIterator[tuple[str, Place]]:
    live = f"{SECRETS['old']},{SECRETS['new']}"
    named = {"SCHEME": request.param, "HEADER": "X-Proof", "SECRETS": live, "ID_HEADER": "X-Delivery"}
    async with places(**{f"COVERD_TEN99POLICY_WEBHOOK_{n}": value for n, value in named.items()}) as place:
        yield request.param, place


def a_body() -> bytes:
    return b'{"id":"ev_%d","type":"invoice.paid","created":1,"data":{"id":"in_1"}}' % next(_numbers)


async def answers(place: Place, body: bytes, signed: Signed) -> set[int]:
    """The statuses of the same delivery in one piece and in chunks, each under an id of its own."""

    async def chunks() -> AsyncIterator[bytes]:
        yield body[:7]
        yield body[7:]

    found = set()
    for data in (body, chunks()):
        sent = {**signed, "X-Delivery": f"d_{next(_numbers)}"}
        found.add((await place.ask("POST", "/webhooks/1099policy", data=data, headers=sent)).status)
    return found


async def test_what_a_live_secret_signs_is_taken(scheme: tuple[str, Place]) -> None:
    name, place = scheme
    for secret in ("old", "new"):
        body = a_body()
        assert await answers(place, body, SIGN[name](secret, body, int(time.time()))) == {202}


async def test_what_another_secret_signs_is_refused(scheme: tuple[str, Place]) -> None:
    name, place = scheme
    body = a_body()
    assert await answers(place, body, SIGN[name]("gone", body, int(time.time()))) == {401}
    assert await answers(place, body, {}) == {401}


async def test_what_was_signed_for_another_body_is_refused(scheme: tuple[str, Place]) -> None:
    name, place = scheme
    if name != "token":
        signed = SIGN[name]("new", a_body(), int(time.time()))
        assert await answers(place, a_body(), signed) == {401}


async def test_what_was_signed_too_early_or_too_late_is_refused(scheme: tuple[str, Place]) -> None:
    name, place = scheme
    for offset, status in ((-900, 401), (900, 401), (-200, 202), (200, 202)):
        body = a_body()
        told = await answers(place, body, SIGN[name]("new", body, int(time.time()) + offset))
        assert told == ({status} if name in ("t-v1", "standard") else {202})
