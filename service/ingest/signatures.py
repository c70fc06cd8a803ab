"""Proof that a delivery comes from its source, checked over the raw bytes before anything is parsed.

Schemes (contract, section 3): ``token`` a shared text in a header · ``t-v1`` ``t=<epoch>,v1=<hex>`` with
HMAC-SHA256 over ``t.body`` · ``hmac-hex`` and ``hmac-base64`` HMAC-SHA256 over the body · ``standard``
Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature). Any live secret may match any
signature; every comparison takes constant time; whatever the bytes, the answer is a `Verdict`.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from service.settings import Secret, WebhookProof

MAX_SIGNATURES = 16
"""How many signatures of one header are looked at."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``ok`` and, in words fit for a log, why."""

    ok: bool
    why: str


def verify(proof: WebhookProof, headers: Mapping[str, str], body: bytes, now: float) -> Verdict:
    """Whether ``body`` with ``headers`` (names case-insensitive) is proven. ``now`` in epoch seconds."""
    if not proof.secrets:
        return Verdict(False, "no secret is configured for this source")
    given = headers.get(proof.header, "")
    if not given:
        return Verdict(False, f"the header {proof.header} is missing")
    if proof.scheme == "token":
        return _judge(_any(_wire(given), (s.reveal().encode() for s in proof.secrets)))
    if proof.scheme == "t-v1":
        return _t_v1(proof, given, body, now)
    if proof.scheme == "standard":
        return _standard(proof, headers, given, body, now)
    digests = [_hmac(s.reveal().encode(), body) for s in proof.secrets]
    if proof.scheme == "hmac-hex":
        return _judge(_any(_hex(given.removeprefix("sha256=")), digests))
    return _judge(_any(_base64(given.removeprefix("sha256=")), digests))


def _t_v1(proof: WebhookProof, given: str, body: bytes, now: float) -> Verdict:
    stamp, signatures = "", []
    for part in given.split(",")[: MAX_SIGNATURES + 1]:
        name, _, value = part.strip().partition("=")
        if name == "t":
            stamp = value
        elif name == "v1":
            signatures.append(_hex(value))
    if not _fresh(stamp, now, proof.tolerance_seconds):
        return Verdict(False, "the timestamp is missing, unreadable or too far from now")
    signed = stamp.encode() + b"." + body
    digests = [_hmac(s.reveal().encode(), signed) for s in proof.secrets]
    return _judge(sum(_any(signature, digests) for signature in signatures) > 0)


def _standard(
    proof: WebhookProof, headers: Mapping[str, str], given: str, body: bytes, now: float
) -> Verdict:
    stamp = headers.get("webhook-timestamp", "")
    if not _fresh(stamp, now, proof.tolerance_seconds):
        return Verdict(False, "the timestamp is missing, unreadable or too far from now")
    signed = _wire(f"{headers.get('webhook-id', '')}.{stamp}.") + body
    digests = [_hmac(_standard_key(s), signed) for s in proof.secrets]
    signatures = [
        _base64(value)
        for version, _, value in (part.partition(",") for part in given.split(" ")[:MAX_SIGNATURES])
        if version == "v1"
    ]
    return _judge(sum(_any(signature, digests) for signature in signatures) > 0)


def _standard_key(secret: Secret) -> bytes:
    text = secret.reveal()
    return _base64(text.removeprefix("whsec_")) or text.encode()


def _wire(text: str) -> bytes:
    """A header's bytes as they came. What no request can carry becomes bytes that match nothing."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _judge(ok: bool) -> Verdict:
    return Verdict(ok, "the signature matches" if ok else "the signature does not match")


def _any(given: bytes, live: Iterable[bytes]) -> bool:
    """Compare with every secret, also after a match: the time must not tell which one it was."""
    return sum(hmac.compare_digest(given, one) for one in live) > 0


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, sha256)


def _fresh(stamp: str, now: float, tolerance: int) -> bool:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    return abs(now - int(stamp)) <= tolerance


def _hex(text: str) -> bytes:
    try:
        return binascii.unhexlify(text.strip().encode("ascii", "replace"))
    except (binascii.Error, ValueError):
        return b""


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip().encode("ascii", "replace"), validate=True)
    except (binascii.Error, ValueError):
        return b""
