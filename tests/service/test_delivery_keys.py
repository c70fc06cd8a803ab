"""What makes two deliveries the same: the header's id, else the body's, else its bytes."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ingest.webhooks import MAX_ID, _kept, dedupe_key, other_key

BODY = b'{"id": "wh_1", "type": "offer.accepted"}'


def test_the_headers_id_comes_first_then_the_bodys_then_the_bytes() -> None:
    assert dedupe_key(" msg_1 ", BODY) == "header:msg_1"
    assert dedupe_key(None, BODY) == dedupe_key(" ", BODY) == "body:wh_1"
    assert dedupe_key(None, b"no json") == f"sha256:{hashlib.sha256(b'no json').hexdigest()}"


def test_an_id_that_is_a_number_counts() -> None:
    assert dedupe_key(None, b'{"id": 7}') == dedupe_key(None, b'{"id": 7, "sent": 2}') == "body:7"


@pytest.mark.parametrize(
    "body", [b'{"id": ""}', b'{"id": null}', b'{"id": true}', b'{"id": {}}', b"[]", b"7"]
)
def test_without_an_id_the_bytes_count(body: bytes) -> None:
    assert dedupe_key(None, body).startswith("sha256:")


def test_what_comes_from_a_header_is_never_taken_for_what_comes_from_a_body() -> None:
    assert dedupe_key("wh_1", BODY) != dedupe_key(None, BODY)


def test_what_has_a_headers_id_is_also_known_by_its_bodys() -> None:
    assert other_key("header:msg_1", BODY) == "body:wh_1"
    assert other_key("header:msg_1", b"no json") is None
    assert other_key("body:wh_1", BODY) is None


headers = st.binary(max_size=300).map(lambda raw: raw.decode("utf-8", "surrogateescape"))


@given(headers, headers)
def test_any_id_becomes_a_key_the_store_can_hold_and_no_two_become_one(one: str, other: str) -> None:
    keys = [dedupe_key(text, BODY) for text in (one, other)]
    for key in keys:
        assert len(key.encode()) <= MAX_ID + len("header:")
        assert "\x00" not in key
    if one.strip() and other.strip() and one.strip() != other.strip():
        assert keys[0] != keys[1]


@given(headers)
def test_any_header_is_kept_as_text_the_store_can_hold(value: str) -> None:
    assert len(_kept(value).encode()) <= 4000
