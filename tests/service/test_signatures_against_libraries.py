"""Our verifier says what the published libraries say, on what is signed well, signed badly, and not at all.

Where a library fails in itself on odd bytes there is nothing to compare, and ours must still give a verdict.
"""

import base64
import hmac
import time
from collections.abc import Callable, Mapping
from hashlib import sha256

import pytest
import standardwebhooks
import stripe
import svix
from hypothesis import example, given
from hypothesis import strategies as st

from service.ingest.signatures import verify
from service.settings import Secret, WebhookProof

KEY = base64.b64encode(b"a secret of thirty-two bytes ...").decode()
SECRET = f"whsec_{KEY}"
STANDARD = WebhookProof("standard", (Secret(SECRET),), "webhook-signature")
STRIPE = WebhookProof("t-v1", (Secret("whsec_sandbox"),), "stripe-signature")

Judged = bool | None
"""None: the library failed in itself."""


def standard(headers: Mapping[str, str], body: bytes) -> Judged:
    return _asked(
        lambda: standardwebhooks.Webhook(SECRET).verify(body, dict(headers)),
        standardwebhooks.WebhookVerificationError,
    )


def by_svix(headers: Mapping[str, str], body: bytes) -> Judged:
    named = {name.replace("webhook-", "svix-"): value for name, value in headers.items()}
    return _asked(lambda: svix.Webhook(SECRET).verify(body, named), svix.WebhookVerificationError)


def by_stripe(headers: Mapping[str, str], body: bytes) -> Judged:
    header = headers.get("stripe-signature", "")
    return _asked(
        lambda: stripe.WebhookSignature.verify_header(body.decode(), header, "whsec_sandbox", tolerance=300),
        stripe.SignatureVerificationError,
    )


def _asked(verifying: Callable[[], object], refused: type[Exception]) -> Judged:
    try:
        verifying()
    except refused:
        return False
    except Exception:
        return None
    return True


def signed_standard(body: bytes, at: int, id: str = "msg_1", key: bytes | None = None) -> dict[str, str]:
    key = base64.b64decode(KEY) if key is None else key
    digest = hmac.digest(key, f"{id}.{at}.".encode() + body, sha256)
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": id, "webhook-timestamp": str(at), "webhook-signature": signature}


def signed_stripe(body: bytes, at: int, secret: str = "whsec_sandbox") -> dict[str, str]:
    digest = hmac.digest(secret.encode(), f"{at}.".encode() + body, sha256).hex()
    return {"stripe-signature": f"t={at},v1={digest}"}


JSON = st.sampled_from([b"{}", b'{"type":"policy.active"}', '{"ä":"é"}'.encode(), b"[1, 2]"])
OFFSETS = st.sampled_from([0, -5, 5, -290, 290, -310, 310, -86_400, 86_400])


@given(JSON, OFFSETS, st.booleans())
@pytest.mark.parametrize("library", [standard, by_svix])
def test_standard_webhooks_are_judged_alike(
    library: Callable[[Mapping[str, str], bytes], Judged], body: bytes, offset: int, forged: bool
) -> None:
    now = time.time()
    headers = signed_standard(body, int(now) + offset, key=b"another" if forged else None)
    assert (
        verify(STANDARD, headers, body, now).ok
        == library(headers, body)
        == (not forged and abs(offset) < 300)
    )


@given(JSON, st.sampled_from([0, -5, -290, -310, -86_400]), st.booleans())
def test_stripes_scheme_is_judged_alike_for_times_gone_by(body: bytes, offset: int, forged: bool) -> None:
    """Stripe's library takes any time that is still to come; ours none beyond five minutes."""
    now = time.time()
    headers = signed_stripe(body, int(now) + offset, "other" if forged else "whsec_sandbox")
    assert verify(STRIPE, headers, body, now).ok == by_stripe(headers, body) == (not forged and offset > -300)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=80)
PARTS = st.sampled_from(["v1", "v1,", "v1,AAAA", "v2,AAAA", "t=", "t=1", "v1=00", ",", " ", "=", "\x00", "é"])
ODD = st.one_of(TEXT, st.lists(PARTS, max_size=6).map(" ".join), st.lists(PARTS, max_size=6).map(",".join))


@given(ODD, st.one_of(TEXT, st.just(""), st.integers().map(str)), ODD, st.binary(max_size=200))
@example("msg_1", "1e9", "v1,AAAA", b"{}")
@example("msg_1", "٣", "v1,AAAA", b"\xff")
@pytest.mark.parametrize("library", [standard, by_svix])
def test_no_odd_bytes_are_proof_where_the_library_says_they_are_none(
    library: Callable[[Mapping[str, str], bytes], Judged], id: str, stamp: str, signature: str, body: bytes
) -> None:
    headers = {"webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": signature}
    ours = verify(STANDARD, headers, body, time.time()).ok
    theirs = library(headers, body)
    assert ours is False
    assert theirs in (False, None)


@given(ODD, st.binary(max_size=200))
@example("t=1,v1=", b"")
@example(f"t={'9' * 400},v1=00", b"{}")
def test_no_odd_bytes_are_proof_in_stripes_scheme(header: str, body: bytes) -> None:
    headers = {"stripe-signature": header}
    assert verify(STRIPE, headers, body, time.time()).ok is False
    assert by_stripe(headers, body) in (False, None)


@given(st.integers(0, 63), st.integers(0, 7), JSON)
def test_one_changed_bit_of_a_signature_is_refused_by_all(place: int, bit: int, body: bytes) -> None:
    now = time.time()
    headers = signed_stripe(body, int(now))
    text = bytearray(headers["stripe-signature"].encode())
    text[-64 + place] ^= 1 << bit
    forged = {"stripe-signature": text.decode("latin-1")}
    same = forged["stripe-signature"].lower() == headers["stripe-signature"]
    assert verify(STRIPE, forged, body, now).ok == same  # hex may be written in capitals
    assert by_stripe(forged, body) in (False, None)
