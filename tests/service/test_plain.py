"""What counts as a plain request, read from bytes that anybody may send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api.plain import LATER, MAX_BODY, MAX_HEAD, Plain, read_plain
from service.api.short import LINES

BODY = b'{"id": "wh_1"}'
POST = (
    b"POST /webhooks/upwork HTTP/1.1\r\nHost: c\r\nX-Upwork-Webhook-Token: t\r\nContent-Length: 14\r\n\r\n"
    + BODY
)
GET = b'GET /v1/engagements/9001 HTTP/1.1\r\nHost: c\r\nIf-None-Match: \t"1-0" \r\n\r\n'


def read(received: bytes) -> object:
    return read_plain(received, LINES)


def test_a_plain_request_is_read_whole_and_what_follows_is_left() -> None:
    found = read(POST + GET)
    assert isinstance(found, Plain)
    assert (found.method, found.path, found.body, found.size) == ("POST", "/webhooks/upwork", BODY, len(POST))
    assert found.headers["X-Upwork-Webhook-Token"] == found.headers["x-upwork-webhook-token"] == "t"

    found = read(GET)
    assert isinstance(found, Plain)
    assert (found.method, found.path, found.body) == ("GET", "/v1/engagements/9001", b"")
    assert found.headers["If-None-Match"] == '"1-0"'


@pytest.mark.parametrize("whole", [POST, GET])
def test_however_it_is_cut_a_part_is_never_taken_for_the_whole(whole: bytes) -> None:
    assert all(read(whole[:end]) in (LATER, None) for end in range(len(whole)))
    assert all(read(whole[:end]) is LATER for end in range(len(b"GET /v1/engagements/"), len(whole)))


def changed(old: bytes, new: bytes) -> bytes:
    assert old in POST
    return POST.replace(old, new, 1)


@pytest.mark.parametrize(
    "request_",
    [
        changed(b"HTTP/1.1", b"HTTP/1.0"),
        changed(b"/webhooks/upwork", b"/webhooks/other"),
        changed(b"/webhooks/upwork", b"/webhooks/upwork?x=1"),
        changed(b"/webhooks/upwork", b"http://c/webhooks/upwork"),
        changed(b"POST", b"PUT"),
        changed(b"Host: c\r\n", b"Host: c\r\nHost: d\r\n"),
        changed(b"Host: c\r\n", b"Host: c\r\nTransfer-Encoding: chunked\r\n"),
        changed(b"Host: c\r\n", b"Host: c\r\nCONTENT-LENGTH: 14\r\n"),
        changed(b"Host: c\r\n", b"Host: c\r\nContent-Encoding: gzip\r\n"),
        changed(b"Host: c\r\n", b"Host: c\r\nExpect: 100-continue\r\n"),
        changed(b"Host: c\r\n", b"Host: c\r\nConnection: close\r\n"),
        changed(b"Host: c\r\n", b"Host: c\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"),
        changed(b"Host: c\r\n", b"Host: c\r\n folded\r\n"),
        changed(b"Host: c\r\n", b"Host : c\r\n"),
        changed(b"Host: c\r\n", b": c\r\n"),
        changed(b"Host: c\r\n", b"Host\r\n"),
        changed(b"Host: c\r\n", b"Host: c\n"),
        changed(b"Host: c\r\n", b"Host: c\r\r\n"),
        changed(b"Host: c\r\n", b"Host: \x00\r\n"),
        changed(b"Host: c\r\n", "Host: ü\r\n".encode()),
        changed(b"Length: 14", b"Length: +14"),
        changed(b"Length: 14", b"Length: 014"),
        changed(b"Length: 14", b"Length: 1_4"),
        changed(b"Length: 14", b"Length: 0"),
        changed(b"Content-Length: 14\r\n", b""),
        changed(b"Length: 14", b"Length: %d" % (MAX_BODY + 1)),
        changed(b"Host: c\r\n", b"Host: c\r\nX: " + b"x" * MAX_HEAD + b"\r\n"),
        GET.replace(b"9001", b"90%3001"),
        GET.replace(b"9001", b".."),
        GET.replace(b"9001", b"9001/events"),
        GET.replace(b"9001", b"9001?"),
        GET.replace(b"Host: c\r\n", b"Host: c\r\nContent-Length: 3\r\n"),
        b"\r\n" + GET,
        b"\x16\x03\x01",
    ],
)
def test_whatever_is_shaped_otherwise_is_left_to_others(request_: bytes) -> None:
    assert read(request_) is None


@given(st.binary(max_size=40), st.integers(0, len(POST)), st.integers(0, 20))
def test_no_bytes_break_it_and_a_body_is_always_what_was_announced(some: bytes, at: int, lost: int) -> None:
    found = read(POST[:at] + some + POST[at + lost :])
    assert found is None or found is LATER or isinstance(found, Plain)
    if isinstance(found, Plain):
        assert len(found.body) == int(found.headers["Content-Length"])
        assert found.size <= len(POST) + len(some)
