"""Good requests spoilt in a place or two: what is nearly right goes further in than what is all wrong."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from places import ENOUGH, TOKEN, Place, PlaceMaker

from service.api.patience import Patience
from service.compose import Tuning

OFFER = b'{"id":"e1","type":"offer.accepted","createdAt":1,"data":{"contract":{"id":"9001"}}}'
PART = b'--b\r\nContent-Disposition: form-data; name="certificate"; filename="a.pdf"\r\n\r\n'
PDF = PART + b"%PDF-1.7\r\n--b--\r\n"


def get(target: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"GET " + target + b" HTTP/1.1", b"Host: localhost", *headers, b"", b""])


def post(target: bytes, body: bytes, *headers: bytes) -> bytes:
    sized = (*headers, b"Content-Length: %d" % len(body))
    return b"\r\n".join([b"POST " + target + b" HTTP/1.1", b"Host: localhost", *sized, b"", body])


JSON = b"Content-Type: application/json"
PROOF = b"X-Upwork-Webhook-Token: upwork-sandbox-token"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(OFFER), OFFER)
WHOLE = [
    post(b"/webhooks/upwork", OFFER, PROOF, JSON),
    post(b"/webhooks/upwork", OFFER, PROOF, b"webhook-id: msg_1"),
    get(b"/webhooks/upwork", PROOF, b"Transfer-Encoding: chunked").replace(b"GET", b"POST") + CHUNKS,
    post(b"/webhooks/1099policy", OFFER, b"Ten99Policy-Signature: t=1,v1=" + b"0" * 64),
    post(b"/v1/engagements/9001/retry", b'{"reason":"again"}', JSON, b"Idempotency-Key: k"),
    post(b"/v1/engagements/9001/certificates", PDF, b"Content-Type: multipart/form-data; boundary=b"),
    post(b"/v1/attention/retry", b'{"reason":"again","dry_run":true}', JSON),
    post(b"/v1/vendors/upwork/pause", b'{"reason":"a pause"}', JSON),
    post(b"/signin?next=/attention", b"token=guess", b"Content-Type: application/x-www-form-urlencoded"),
    get(b"/v1/engagements/9001", b'If-None-Match: "1-0"'),
    get(b"/v1/engagements/9001/coverage?at=2026-03-01&tz=UTC&known_at=2026-04-01T00:00:00Z"),
    get(b"/v1/engagements?state=offered&limit=5&q=9001"),
    get(b"/v1/deliveries?limit=3", b"Accept: application/json"),
    get(b"/engagements/9001", b"Accept: text/html", b"Cookie: coverd=token"),
]
PIECES = [
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b" ",
        b"\t",
        b":",
        b",",
        b";",
        b"=",
        b'"',
        b"%00",
        b"%ff",
        b"..",
        b"\xff",
    ),
    *(
        b"\xed\xa0\x80",
        b"{",
        b"[",
        b"-1",
        b"9" * 30,
        b"null",
        b"\\u0000",
        b"\\ud800",
        b"\r\nExpect: 100-continue",
    ),
    *(b"\r\nContent-Encoding: gzip", b"\r\nTransfer-Encoding: chunked", b"\r\nContent-Length: 5"),
    *(b"\r\nConnection: close", b"\r\nConnection: upgrade\r\nUpgrade: websocket", b"\r\nOrigin: http://a"),
]
EDITS = st.tuples(
    st.sampled_from(["put", "cut", "copy", "change"]),
    st.floats(0, 1),
    st.integers(1, 24),
    st.sampled_from(PIECES) | st.binary(min_size=1, max_size=2),
)
Edit = tuple[str, float, int, bytes]


def spoilt(whole: bytes, edits: list[Edit]) -> bytes:
    for kind, where, size, piece in edits:
        at = int(where * len(whole))
        match kind:
            case "put":
                whole = whole[:at] + piece + whole[at:]
            case "cut":
                whole = whole[:at] + whole[at + size :]
            case "copy":
                whole = whole[: at + size] + whole[at:]
            case _:
                whole = whole[:at] + piece + whole[at + len(piece) :]
    return whole


@pytest.fixture
async def hasty(places: PlaceMaker) -> AsyncIterator[Place]:
    """What never ends is let go soon."""
    brief = Patience(head=0.1, body=0.1, upload=0.1, idle=0.1, refused_body=0.05)
    async with places(Tuning(patience=brief)) as made:
        assert (await made.ask("POST", "/webhooks/upwork", data=OFFER, headers=TOKEN)).status == 202
        async with asyncio.timeout(ENOUGH):
            while (await made.ask("GET", "/v1/engagements/9001")).status != 200:
                pass
        yield made


async def test_no_spoilt_request_gives_a_server_error(hasty: Place) -> None:
    loop, seen = asyncio.get_running_loop(), set[int]()

    @settings(
        max_examples=500,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(st.sampled_from(WHOLE), st.lists(EDITS, max_size=3))
    def sent(whole: bytes, edits: list[Edit]) -> None:
        raw = spoilt(whole, edits)
        found = asyncio.run_coroutine_threadsafe(hasty.statuses(raw), loop).result(ENOUGH)
        assert all(status < 500 for status in found), (raw, found)
        seen.update(found)

    await asyncio.to_thread(sent)
    assert {200, 202, 400, 401, 404, 422} <= seen, "some of them went in"
    assert (await hasty.ask("GET", "/readyz")).status == 200
