"""Whatever is sent to the door, over bare sockets: it is answered with a 4xx or closed, and never a 5xx."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from places import ENOUGH, TOKEN, Answer, Place, PlaceMaker

from service.api.patience import Patience
from service.compose import Tuning
from service.settings import SCHEMES

many = settings(
    max_examples=150,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


@pytest.fixture
async def hasty(places: PlaceMaker) -> AsyncIterator[Place]:
    """What never ends is let go soon."""
    async with places(Tuning(patience=Patience(head=0.1, body=0.1, idle=0.1, refused_body=0.05))) as made:
        yield made


def refused(found: list[int]) -> bool:
    return all(status < 500 for status in found)


HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *(b"X-Upwork-Webhook-Token", b"Ten99Policy-Signature", b"webhook-id", b"Content-Length"),
                *(b"Transfer-Encoding", b"Content-Encoding", b"Content-Type", b"Expect", b"Host"),
                *(b"Connection", b"X-Request-Id", b"Authorization", b"Idempotency-Key", b"", b"A b"),
            ]
        ),
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from(
                [
                    *(b"upwork-sandbox-token", b"chunked", b"gzip", b"br", b"0", b"-1", b"99999999999", b"1"),
                    *(b"100-continue", b"close", b"upgrade", b"t=1,v1=00", b"application/json", b"\xff\xfe"),
                ]
            ),
        ),
    ),
    max_size=6,
)
HOST = b"Host: localhost\r\n"
PROVEN = HOST + b"X-Upwork-Webhook-Token: upwork-sandbox-token\r\nContent-Length: SIZE\r\n"
FRAMES = st.sampled_from([b"", HOST, HOST + b"Content-Length: SIZE\r\n", PROVEN])
"""How a head begins: so that some requests are whole but for one oddity."""

LINES = st.sampled_from(
    [
        *(b"POST /webhooks/upwork HTTP/1.1", b"POST /webhooks/1099policy HTTP/1.1", b"GET / HTTP/1.1"),
        *(b"GET /v1/engagements/9001 HTTP/1.1", b"PUT /webhooks/upwork HTTP/1.1", b"POST * HTTP/1.1"),
        *(
            b"POST /webhooks/upwork HTTP/1.0",
            b"POST /webhooks/upwork HTTP/3",
            b"PRI * HTTP/2.0",
            b"",
            b"\x16\x03\x01",
        ),
        *(b"POST http://[::1 HTTP/1.1", b"GET /v1/engagements/%ff%00 HTTP/1.1", b"GET /\xc3\xa9 HTTP/1.1"),
        *(b"GET /v1/engagements?cursor=%00&limit=9e9 HTTP/1.1", b"\x16\x03\x01"),
    ]
)


async def test_no_request_head_and_no_body_gives_a_server_error(hasty: Place) -> None:
    loop, seen = asyncio.get_running_loop(), set[int]()

    @settings(many, max_examples=400)
    @given(LINES, FRAMES, HEADERS, st.binary(max_size=120))
    @example(b"POST /webhooks/upwork HTTP/1.1", HOST, [(b"Content-Length", b"3")] * 2, b"{}")
    @example(b"POST /webhooks/upwork HTTP/1.1", HOST, [(b"Transfer-Encoding", b"chunked")], b"zz\r\n")
    def sent(line: bytes, frame: bytes, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        told = frame.replace(b"SIZE", b"%d" % len(body))
        head = told + b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        raw = line + b"\r\n" + head + b"\r\n" + body
        found = asyncio.run_coroutine_threadsafe(hasty.statuses(raw), loop).result(ENOUGH)
        assert refused(found), (raw, found)
        seen.update(found)

    await asyncio.to_thread(sent)
    assert {202, 400, 401, 405} <= seen, "it was answered, and in many ways"
    assert (await hasty.ask("GET", "/livez")).status == 200


async def stored(place: Place, source: str, body: bytes) -> Answer:
    """The answer once the store had the time: on a busy machine a sender is asked to come again."""
    while True:
        told = await place.ask("POST", f"/webhooks/{source}", data=body, headers=TOKEN)
        if told.status != 503:
            return told
        assert "retry-after" in told.headers


async def test_no_proven_body_gives_a_server_error(hasty: Place) -> None:
    """Validly signed, whatever the bytes: kept, and answered as every delivery is."""
    loop = asyncio.get_running_loop()

    @many
    @given(
        st.one_of(
            st.binary(min_size=1, max_size=200),
            st.recursive(
                st.none() | st.booleans() | st.floats() | st.text(max_size=9) | st.integers(),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(
                        st.sampled_from(
                            ["id", "type", "data", "createdAt", "contract", "freelancer", "object"]
                        ),
                        inner,
                        max_size=4,
                    )
                ),
                max_leaves=9,
            ).map(lambda found: repr(found).replace("'", '"').encode("utf-8", "surrogatepass")),
        ),
        st.sampled_from(["upwork"]),
    )
    @example(b'{"id":"\\u0000","type":"offer.accepted","data":{"contract":{"id":"\\u0000"}}}', "upwork")
    @example(b'{"id":1e400,"type":[],"data":{"contract":{"id":-0}}}', "upwork")
    @example(b"[" * 5000, "upwork")
    def sent(body: bytes, source: str) -> None:
        told = asyncio.run_coroutine_threadsafe(stored(hasty, source, body), loop).result(ENOUGH)
        assert told.status in (200, 202), (body, told)

    await asyncio.to_thread(sent)


SIGNATURES = st.one_of(
    st.binary(max_size=90).map(lambda raw: raw.translate(None, b"\r\n\0")),
    st.builds(
        bytes.__add__,
        st.sampled_from([b"t=%d,v1=", b"v1,", b"sha256=", b"t=,", b"v1=", b"\xff"]),
        st.binary(max_size=70).map(lambda raw: raw.hex().encode()),
    ),
)


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_in_no_scheme_does_any_signature_do_more_than_fail(places: PlaceMaker, scheme: str) -> None:
    loop = asyncio.get_running_loop()

    @settings(many, max_examples=60)
    @given(SIGNATURES, SIGNATURES, st.binary(min_size=1, max_size=60))
    @example(b"\xed\xa0\x80", b"\xc3\x28", b"\xff")
    def sent(signature: bytes, other: bytes, body: bytes) -> None:
        stamp = b"%d" % time.time()
        head = [
            *(b"POST /webhooks/1099policy HTTP/1.1", b"Host: localhost", b"Connection: close"),
            *(b"X-Proof: " + signature.replace(b"%d", stamp), b"webhook-id: " + other),
            *(b"webhook-timestamp: " + stamp, b"Content-Length: %d" % len(body), b"", body),
        ]
        asked = place.raw(b"\r\n".join(head))
        told = asyncio.run_coroutine_threadsafe(asked, loop).result(ENOUGH)
        assert told is None or told.status in (400, 401), (head, told)

    named = {"SCHEME": scheme, "HEADER": "X-Proof", "SECRETS": "whsec_c2FuZGJveA==,whsec_b2xk"}
    async with places(**{f"COVERD_TEN99POLICY_WEBHOOK_{n}": value for n, value in named.items()}) as place:
        await asyncio.to_thread(sent)
