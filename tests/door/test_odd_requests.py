"""Whatever arrives at the socket is answered, never with a fault of ours, and not with the sender's words."""

import asyncio

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from places import ENOUGH, Place, answered

LONG = b"a" * 8_000


def get(target: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"GET " + target + b" HTTP/1.1", b"Host: localhost", *headers, b"", b""])


def webhook(*headers: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([b"POST /webhooks/upwork HTTP/1.1", b"Host: localhost", *headers, b"", body])


NOT_FOUND = [
    *(b"/v1/engagements/" + id for id in (b"a%2Fb", b"%2e%2e%2f", b"%ff%fe", b"%ed%a0%80", b"%zz", LONG)),
    *(b"/v1/engagements/../../etc", b"/v1//engagements", b"//a/b", b"/v1/engagements/a/../b", b"/%2e%2e/x"),
    *(b"/v1/freelancers/" + LONG, b"/v1/deliveries/%ed%a0%80", b"/engagements/%ed%a0%80", b"/v1/"),
    *(b"/static/%2e%2e/pages.py", b"/static/..%2fpages.py", b"/static/../pages.py", b"/livez/"),
]


@pytest.mark.parametrize("target", NOT_FOUND, ids=lambda t: t[:30].decode())
async def test_tricks_with_paths_find_nothing(place: Place, target: bytes) -> None:
    told = await place.raw(get(target))
    assert told
    assert told.problem["status"] == 404


@pytest.mark.parametrize(
    "target", [b"/v1/engagements/%00", b"/livez?a=%00", b"/livez?%00", b"/v1/deliveries?outcome=%00"]
)
async def test_nul_is_in_no_path_and_no_query(place: Place, target: bytes) -> None:
    told = await place.raw(get(target))
    assert told
    assert told.problem["status"] == 400


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/engagements/9001", "GET, HEAD"),
        ("POST", "/v1/engagements/9001", "GET, HEAD"),
        ("GET", "/webhooks/upwork", "POST"),
        ("PUT", "/webhooks/1099policy", "POST"),
        ("OPTIONS", "/v1/attention", "GET, HEAD"),
        ("TRACE", "/livez", "GET, HEAD"),
        ("PROPFIND", "/", "GET, HEAD"),
        ("POST", "/v1/feed", "GET"),
    ],
)
async def test_a_wrong_method_is_refused_with_the_right_ones(
    place: Place, method: str, path: str, allowed: str
) -> None:
    told = await place.ask(method, path)
    assert told.problem["status"] == 405
    assert told.headers["allow"] == allowed


BROKEN = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "no host before a delivery": webhook(b"Content-Length: 2", body=b"{}").replace(b"Host: ", b"Post: "),
    "no host before a question": get(b"/v1/engagements/9001").replace(b"Host: ", b"Post: "),
    "no http": b"\x00" * 100,
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "http 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a method nobody knows": b"STEAL / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a version nobody knows": b"GET / HTTP/3.9\r\nHost: localhost\r\n\r\n",
    "bytes in the path": get(b"/v1/engagements/\xff\xfe"),
    "a broken authority": get(b"http://[::1"),
    "a port beyond all": get(b"http://c:99999/livez"),
    "a port that is a word": get(b"http://c:port/livez"),
    "a long line": get(b"/v1/engagements/" + b"a" * 9_000),
    "a flood of headers": get(b"/livez", *(b"X-%d: a" % n for n in range(200))),
    "a long header": get(b"/livez", b"X: " + b"a" * 9_000),
    "a long name": get(b"/livez", b"X" * 9_000 + b": a"),
    "a folded header": b"GET /livez HTTP/1.1\r\n folded: a\r\nHost: localhost\r\n\r\n",
    "a space before the colon": get(b"/livez", b"A : a"),
    "nul in a header": get(b"/livez", b"A: \x00"),
    "a negative length": webhook(b"Content-Length: -1"),
    "a length beyond all": webhook(b"Content-Length: 99999999999999999999999"),
    "two lengths": webhook(b"Content-Length: 5", b"Content-Length: 6", body=b"abcde"),
    "length and chunks": webhook(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "no chunk": webhook(b"Transfer-Encoding: chunked", body=b"zz\r\n\r\n"),
    "a chunk beyond all": webhook(b"Transfer-Encoding: chunked", body=b"f" * 18 + b"\r\n\r\n"),
}


@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN)
async def test_broken_http_is_refused(place: Place, sent: bytes) -> None:
    told = await place.raw(sent)
    assert told
    assert told.problem["status"] == 400
    assert told.headers["x-request-id"] == told.problem["request_id"]


@pytest.mark.parametrize("path", [b"/livez", b"/nowhere", b"/v1/engagements/9001"])
async def test_an_expectation_nobody_knows_is_refused(place: Place, path: bytes) -> None:
    told = await place.raw(get(path, b"Expect: secr3t"))
    assert told
    assert told.problem["status"] == 417
    assert told.headers["x-request-id"] == told.problem["request_id"]
    assert b"secr3t" not in told.body


async def test_who_expects_to_be_told_to_go_on_is_told(place: Place) -> None:
    async with place.connection() as (reader, writer), asyncio.timeout(ENOUGH):
        writer.write(webhook(GOOD, b"Expect: 100-continue", b"Content-Length: 2"))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"{}")
        told = await answered(reader)
        assert told
        assert told.status == 202


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"br,chunked"])
async def test_chunks_may_not_hold_something_encoded(place: Place, coding: bytes) -> None:
    told = await place.raw(webhook(GOOD, b"Transfer-Encoding: " + coding, body=b"2\r\n{}\r\n0\r\n\r\n"))
    assert told
    assert told.problem["status"] == 415


DISPOSITIONS = [
    *(b"form-data; name=certificate; f\xffle=a", b'fo name="certificate"', b"", b"form-data", b"\xff"),
    *(b'form-data; name="certificate"; filename="a', b"form-data; name*=x'y'%zz; filename*0=a"),
]


@pytest.mark.parametrize("disposition", DISPOSITIONS)
async def test_a_part_with_odd_headers_is_no_certificate(place: Place, disposition: bytes) -> None:
    offer = b'{"id":"e","type":"offer.accepted","data":{"contract":{"id":"9001"},"freelancer":{"id":"f"}}}'
    sized = b"Content-Length: %d" % len(offer)
    assert await place.raw(webhook(GOOD, b"Content-Type: application/json", sized, body=offer))
    async with asyncio.timeout(ENOUGH):
        while (await place.ask("GET", "/v1/engagements/9001")).status != 200:
            pass
    body = b"--b\r\nContent-Disposition: %b\r\n\r\n%%PDF-1.7\r\n--b--\r\n" % disposition
    told = await place.ask(
        "POST",
        "/v1/engagements/9001/certificates",
        data=body,
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert told.status in (202, 422), told


GOOD = b"X-Upwork-Webhook-Token: upwork-sandbox-token"
CHUNKED = b"Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        (webhook(GOOD, b"Content-Length: 2", body=b"{}"), [202]),
        (webhook(GOOD, b"Content-Length: 2", body=b"{}") * 2, [202, 200]),
        (webhook(GOOD, CHUNKED, body=b"2\r\n{}\r\n0\r\n\r\n"), [202]),
        (get(b"/livez"), [200]),
        (webhook(GOOD, b"Content-Length: 2", body=b"{}") + get(b"/livez"), [202, 200]),
        (webhook(GOOD, b"Content-Length: 3", body=b"{}"), []),
        (webhook(GOOD, CHUNKED, body=b"2\r\n{}"), []),
        (b"GET /livez HTTP/1.1\r\n", []),
    ],
)
async def test_who_says_nothing_more_is_still_answered(
    place: Place, sent: bytes, statuses: list[int]
) -> None:
    """A sender may close its half of the connection behind its last request."""
    assert await place.statuses(sent) == statuses


async def test_broken_http_is_not_quoted_back(place: Place) -> None:
    told = await place.raw(get(b"/livez", b"Authorization : Bearer s3cr3t"))
    assert told
    assert b"s3cr3t" not in told.body


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "identity", "nonsense", ""])
@pytest.mark.parametrize("path", ["/webhooks/upwork", "/webhooks/1099policy", "/v1/engagements/9001/retry"])
async def test_a_coded_body_is_refused_before_it_is_read(place: Place, path: str, coding: str) -> None:
    """Its nine bytes are never sent."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    told = await place.raw(f"{head}Content-Encoding: {coding}\r\nContent-Length: 9\r\n\r\n".encode())
    assert told
    assert told.problem["status"] == 415


@pytest.mark.parametrize("framing", [b"Content-Length: 262145", b"Transfer-Encoding: chunked"])
async def test_a_body_is_measured_while_it_is_read(place: Place, framing: bytes) -> None:
    """The first is refused by what it says, the second by what comes; neither is ever sent whole."""
    body = b"" if b"Length" in framing else b"40001\r\n" + b"x" * 0x40001
    told = await place.raw(webhook(b"X-Upwork-Webhook-Token: upwork-sandbox-token", framing, body=body))
    assert told
    assert told.problem["status"] == 413


async def test_a_body_of_just_the_limit_is_taken(place: Place) -> None:
    body = orjson.dumps({"id": "e1", "type": "offer.accepted", "pad": ""})
    body = body[:-2] + b"x" * (256 * 1024 - len(body)) + body[-2:]
    told = await place.ask(
        "POST", "/webhooks/upwork", data=body, headers={"X-Upwork-Webhook-Token": "upwork-sandbox-token"}
    )
    assert told.status == 202


async def test_a_caller_may_name_its_request_with_a_plain_word_only(place: Place) -> None:
    for given_id, echoed in (
        ("req-1/a", True),
        ("ava@example.com", False),
        ("a b", False),
        ("x" * 101, False),
    ):
        told = await place.ask("GET", "/v1/nothing", headers={"X-Request-Id": given_id})
        assert (told.headers["x-request-id"] == given_id) is echoed
        assert told.problem["request_id"] == told.headers["x-request-id"]


async def test_a_strange_method_makes_no_metric_of_its_own(place: Place) -> None:
    for method in ("PROPFIND", "MKCOL", "SUBSCRIBE"):
        await place.ask(method, "/livez")
    shown = (await place.ask("GET", "/metrics")).body
    assert b'method="other"' in shown
    assert b"PROPFIND" not in shown


junk = st.binary(max_size=60).map(lambda b: b.replace(b"\n", b"").replace(b"\r", b""))
pieces = st.sampled_from(
    [
        *(b"/ // .. %2e %2F %00 % %ff ? # & = + ; @ : limit= at= q= v1 engagements webhooks upwork".split()),
        *(b"a" * 700, "é".encode(), b"1" * 30),
    ]
)
targets = st.lists(pieces, max_size=14).map(b"".join).map(lambda t: b"/" + t)
names = st.sampled_from(
    b"Host Authorization Cookie Content-Type Accept If-None-Match X-Request-Id Idempotency-Key Expect Range "
    b"Upgrade Connection Origin Sec-Fetch-Site X-Upwork-Webhook-Token Ten99Policy-Signature webhook-id "
    b"X-Forwarded-Proto".split()
)
methods = st.sampled_from([b"GET", b"POST", b"HEAD", b"OPTIONS", b"DELETE", b"CONNECT", b"PATCH"])
bodies = st.binary(max_size=80) | st.sampled_from([b"{}", b"[]", b'{"id":1}', b'{"reason":"\\u0000"}'])


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(methods, targets, st.lists(st.tuples(names, junk), max_size=6), bodies)
@example(b"GET", b"/v1/engagements?limit=9&cursor=%ff", [], b"")
@example(
    b"POST",
    b"/v1/engagements/9001/certificates",
    [(b"Content-Type", b"multipart/form-data; boundary=\xff")],
    b"x",
)
async def test_nothing_that_arrives_is_a_fault_of_ours(
    place: Place, method: bytes, target: bytes, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    lines = [b"%b: %b" % pair for pair in headers]
    head = [b"%b %b HTTP/1.1" % (method, target), b"Host: localhost", b"Connection: close", *lines]
    sent = b"\r\n".join([*head, b"Content-Length: %d" % len(body), b"", body])
    told = await place.raw(sent)
    assert told is None or told.status < 500, (sent, told)
