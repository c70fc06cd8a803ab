"""Which deliveries are believed: every scheme, several secrets, and whatever bytes a stranger sends."""

import base64
import hmac
from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from multidict import CIMultiDict

from service.ingest.signatures import MAX_SIGNATURES, verify
from service.settings import SCHEMES, Secret, WebhookProof

NOW = 1_764_628_800.0
BODY = '{"id":"ev_1","type":"policy.active","note":"Löwe"}'.encode()
OLD, NEW = "whsec_b2xkIHNlY3JldA==", "whsec_c2FuZGJveA=="
HEADERS = {
    "token": "X-Upwork-Webhook-Token",
    "t-v1": "Ten99Policy-Signature",
    "hmac-hex": "X-Signature",
    "hmac-base64": "X-Signature",
    "standard": "webhook-signature",
}
Signed = dict[str, str]


def proof(scheme: str, *secrets: str) -> WebhookProof:
    return WebhookProof(scheme, tuple(Secret(s) for s in secrets or (NEW,)), HEADERS[scheme])


def digest(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, sha256).digest()


def sign(scheme: str, secret: str = NEW, body: bytes = BODY, at: float = NOW) -> Signed:
    """A sender's own reading of each scheme."""
    name, stamp, key = HEADERS[scheme], str(int(at)), secret.encode()
    match scheme:
        case "token":
            return {name: secret}
        case "t-v1":
            return {name: f"t={stamp},v1={digest(key, stamp.encode() + b'.' + body).hex()}"}
        case "hmac-hex":
            return {name: digest(key, body).hex()}
        case "hmac-base64":
            return {name: base64.b64encode(digest(key, body)).decode()}
    signed = digest(base64.b64decode(secret.removeprefix("whsec_")), f"msg_1.{stamp}.".encode() + body)
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": stamp,
        name: f"v1,{base64.b64encode(signed).decode()}",
    }


def proven(scheme: str, headers: Signed, *secrets: str, body: bytes = BODY, now: float = NOW) -> bool:
    return verify(proof(scheme, *secrets), CIMultiDict(headers), body, now).ok


every_scheme = pytest.mark.parametrize("scheme", SCHEMES)
over_the_body = pytest.mark.parametrize("scheme", [s for s in SCHEMES if s != "token"])
stamped = pytest.mark.parametrize("scheme", ["t-v1", "standard"])


def test_the_tests_know_every_scheme() -> None:
    assert set(HEADERS) == set(SCHEMES)


@every_scheme
def test_a_signed_delivery_is_proven(scheme: str) -> None:
    assert proven(scheme, sign(scheme))


@every_scheme
def test_names_of_headers_may_be_written_in_any_case(scheme: str) -> None:
    assert proven(scheme, {name.upper(): value for name, value in sign(scheme).items()})


@every_scheme
def test_any_live_secret_will_do_and_no_other(scheme: str) -> None:
    for secrets in ((OLD, NEW), (NEW, OLD)):
        assert proven(scheme, sign(scheme, OLD), *secrets)
        assert proven(scheme, sign(scheme, NEW), *secrets)
    assert not proven(scheme, sign(scheme, OLD), NEW)


@every_scheme
def test_without_a_secret_nothing_is_proven(scheme: str) -> None:
    bare = WebhookProof(scheme, (), HEADERS[scheme])
    verdict = verify(bare, CIMultiDict(sign(scheme, "")), BODY, NOW)
    assert not verdict.ok
    assert "no secret" in verdict.why


@every_scheme
@pytest.mark.parametrize("given", ["", " ", ",", "=", "v1,", "t=,v1=", "sha256=", "\x00"])
def test_an_empty_proof_is_no_proof(scheme: str, given: str) -> None:
    assert not proven(scheme, sign(scheme) | {HEADERS[scheme]: given})


@over_the_body
def test_another_body_is_not_proven(scheme: str) -> None:
    assert not proven(scheme, sign(scheme), body=BODY + b" ")
    assert not proven(scheme, sign(scheme), body=b"")


@over_the_body
def test_a_longer_or_shorter_signature_is_not_proven(scheme: str) -> None:
    headers = sign(scheme)
    name = HEADERS[scheme]
    assert not proven(scheme, headers | {name: headers[name][:-2]})
    assert not proven(scheme, headers | {name: headers[name] + "00"})


@stamped
def test_the_clock_may_differ_by_five_minutes_either_way_and_no_more(scheme: str) -> None:
    for apart in (-300, 300):
        assert proven(scheme, sign(scheme, at=NOW + apart))
    for apart in (-301, 301):
        verdict = verify(proof(scheme), CIMultiDict(sign(scheme, at=NOW + apart)), BODY, NOW)
        assert not verdict.ok
        assert "timestamp" in verdict.why


@stamped
@pytest.mark.parametrize(
    "stamp", ["", "soon", "-1764628800", "1764628800.0", "1_764_628_800", "²", "9" * 5000]
)
def test_a_timestamp_that_is_no_number_of_seconds_is_refused(scheme: str, stamp: str) -> None:
    if scheme == "standard":
        headers = sign(scheme) | {"webhook-timestamp": stamp}
    else:
        v1 = digest(NEW.encode(), stamp.encode() + b"." + BODY).hex()
        headers = {HEADERS[scheme]: f"t={stamp},v1={v1}"}
    assert not proven(scheme, headers)


def test_one_of_several_signatures_will_do() -> None:
    good = sign("t-v1")["Ten99Policy-Signature"]
    stamp, v1 = good.split(",")
    assert proven("t-v1", {"Ten99Policy-Signature": f"{stamp},v1=00ff,{v1},v0=abc"})
    assert proven("t-v1", {"Ten99Policy-Signature": f"{v1}, {stamp}"})
    assert not proven("t-v1", {"Ten99Policy-Signature": f"{stamp},v0={v1[3:]}"})
    headers = sign("standard")
    assert proven(
        "standard", headers | {"webhook-signature": f"v1a,xx v1,AAAA {headers['webhook-signature']}"}
    )
    wrong_version = headers["webhook-signature"].replace("v1,", "v2,")
    assert not proven("standard", headers | {"webhook-signature": wrong_version})


def test_no_sender_makes_us_count_signatures_for_ever() -> None:
    stamp, v1 = sign("t-v1")["Ten99Policy-Signature"].split(",")
    many = ",".join(["v1=00"] * MAX_SIGNATURES)
    assert not proven("t-v1", {"Ten99Policy-Signature": f"{stamp},{many},{v1}"})


def test_a_hex_digest_may_be_upper_case_and_prefixed() -> None:
    value = sign("hmac-hex")["X-Signature"]
    assert proven("hmac-hex", {"X-Signature": f"sha256={value}"})
    assert proven("hmac-hex", {"X-Signature": value.upper()})
    prefixed = f"sha256={sign('hmac-base64')['X-Signature']}"
    assert proven("hmac-base64", {"X-Signature": prefixed})


def test_the_standard_scheme_signs_the_id_too() -> None:
    assert not proven("standard", sign("standard") | {"webhook-id": "msg_2"})


def test_the_standard_scheme_agrees_with_its_published_example() -> None:
    """Standard Webhooks, the example of its reference libraries."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert proven("standard", headers, secret, body=b'{"test": 2432232314}', now=1614265330)


def test_t_v1_agrees_with_a_digest_computed_by_hand() -> None:
    """printf '1764628800.{}' | openssl dgst -sha256 -hmac whsec_sandbox"""
    value = "d37dfe8491f98337eb4bd6cb3910f6fae2d1b5b02abe55a73312294d10404113"
    assert proven(
        "t-v1", {"Ten99Policy-Signature": f"t=1764628800,v1={value}"}, "whsec_sandbox", body=b"{}", now=NOW
    )


def test_a_token_outside_ascii_is_compared_as_its_bytes() -> None:
    assert proven("token", {"X-Upwork-Webhook-Token": "schlüssel-ключ"}, "schlüssel-ключ")
    assert not proven("token", {"X-Upwork-Webhook-Token": "schlussel"}, "schlüssel")


def test_an_id_outside_utf_8_is_signed_as_its_bytes() -> None:
    raw = b"msg_\xff"
    stamp = str(int(NOW))
    signed = digest(base64.b64decode(NEW.removeprefix("whsec_")), raw + b"." + stamp.encode() + b"." + BODY)
    headers = {
        "webhook-id": raw.decode("utf-8", "surrogateescape"),
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }
    assert proven("standard", headers)


anything = st.text(st.characters(codec=None, exclude_categories=()), max_size=80)
nearly = st.sampled_from(["t=1764628800,v1=", "v1,", "sha256=", "t=", "v1=zz,", "webhook"])


@given(st.sampled_from(SCHEMES), anything | st.builds(str.__add__, nearly, anything), anything, st.binary())
@example("token", "\ud800", "", b"")
@example("standard", "v1,AAAA", "\ud800", b"")
def test_no_header_and_no_body_does_more_than_fail(scheme: str, given: str, other: str, body: bytes) -> None:
    for stamp in (other, str(int(NOW))):
        headers = {HEADERS[scheme]: given, "webhook-id": other, "webhook-timestamp": stamp}
        assert not verify(proof(scheme, OLD, NEW), headers, body, NOW).ok


@given(st.sampled_from(SCHEMES), st.binary(max_size=200))
def test_whatever_the_body_its_own_signature_proves_it(scheme: str, body: bytes) -> None:
    assert proven(scheme, sign(scheme, body=body), body=body)


@every_scheme
def test_no_verdict_tells_a_secret(scheme: str) -> None:
    cases: list[Callable[[], Signed]] = [lambda: sign(scheme), dict, lambda: {HEADERS[scheme]: "wrong"}]
    for case in cases:
        verdict = verify(proof(scheme), CIMultiDict(case()), BODY, NOW)
        assert NEW not in repr(verdict)
