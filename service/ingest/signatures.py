"""Proof that a delivery comes from its source, checked over the raw bytes before anything is parsed.

Schemes (contract, section 3): ``token`` a shared text in a header · ``t-v1`` ``t=<epoch>,v1=<hex>`` with
HMAC-SHA256 over ``t.body`` · ``hmac-hex`` and ``hmac-base64`` HMAC-SHA256 over the body · ``standard``
Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature). Any live secret may match any
signature; every comparison takes constant time; whatever the bytes, the answer is a `Verdict`.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from msgspec import Struct

from service.settings import Secret, WebhookProof

DIGEST_BYTES = sha256().digest_size

MAX_SIGNATURES = 16
"""How many signatures of one header are looked at."""


class Verdict(Struct, frozen=True, gc=False):
    """``ok`` and, in words fit for a log, why; ``code`` says the same to a machine."""

    ok: bool
    why: str
    code: str


class Claim(Struct, frozen=True, gc=False):
    """What the headers say that a body proves: one of ``signatures`` over ``before`` and the body."""

    before: bytes
    signatures: tuple[bytes, ...]


_USUAL = re.compile(r"t=([0-9]{1,12}),v1=([0-9A-Fa-f]{64})")

MATCHES = Verdict(True, "the signature matches", "match")
NO_MATCH = Verdict(False, "the signature does not match", "mismatch")
UNSIGNED = Verdict(False, "there is no signature in it that could match", "unsigned")
STALE = Verdict(False, "the timestamp is missing, unreadable or too far from now", "stale")


def verify(proof: WebhookProof, headers: Mapping[str, str], body: bytes, now: float) -> Verdict:
    """Whether ``body`` with ``headers`` (names case-insensitive) is proven. ``now`` in epoch seconds."""
    found = claimed(proof, headers, now)
    return found if isinstance(found, Verdict) else proven(proof, found, body)


def claimed(proof: WebhookProof, headers: Mapping[str, str], now: float) -> Verdict | Claim:
    """What can be judged before the body is read: a verdict where that is enough, else what to prove."""
    if not proof.secrets:
        return Verdict(False, "no secret is configured for this source", "no_secret")
    given = headers.get(proof.header, "")
    if not given:
        return Verdict(False, f"the header {proof.header} is missing", "no_header")
    match proof.scheme:
        case "token":
            return _judge(_any(_wire(given), (s.reveal().encode() for s in proof.secrets)))
        case "t-v1":
            return _t_v1(given, now, proof.tolerance_seconds)
        case "standard":
            return _standard(headers, given, now, proof.tolerance_seconds)
        case "hmac-hex":
            return _claim(b"", [_hex(given.removeprefix("sha256="))])
        case _:
            return _claim(b"", [_base64(given.removeprefix("sha256="))])


def proven(proof: WebhookProof, claim: Claim, body: bytes) -> Verdict:
    """Whether the body is what was claimed of it, with any of the live secrets."""
    key = _standard_key if proof.scheme == "standard" else _plain_key
    said = claim.before + body
    digests = [hmac.digest(key(secret), said, sha256) for secret in proof.secrets]
    return _judge(_any_of(claim.signatures, digests))


def _t_v1(given: str, now: float, tolerance: int) -> Verdict | Claim:
    if usual := _USUAL.fullmatch(given):  # the same, without taking it apart
        stamp, digest = usual.groups()
        fresh = _fresh(stamp, now, tolerance)
        return Claim(f"{stamp}.".encode(), (binascii.unhexlify(digest),)) if fresh else STALE
    stamp, signatures = "", []
    for part in given.split(",")[: MAX_SIGNATURES + 1]:
        name, _, value = part.strip().partition("=")
        if name == "t":
            stamp = value
        elif name == "v1":
            signatures.append(_hex(value))
    return _claim(stamp.encode() + b".", signatures) if _fresh(stamp, now, tolerance) else STALE


def _standard(headers: Mapping[str, str], given: str, now: float, tolerance: int) -> Verdict | Claim:
    stamp = headers.get("webhook-timestamp", "")
    if not _fresh(stamp, now, tolerance):
        return STALE
    signatures = [
        _base64(value)
        for version, _, value in (part.partition(",") for part in given.split(" ")[:MAX_SIGNATURES])
        if version == "v1"
    ]
    return _claim(_wire(f"{headers.get('webhook-id', '')}.{stamp}."), signatures)


def _claim(before: bytes, signatures: Iterable[bytes]) -> Verdict | Claim:
    """Only what is as long as a SHA-256 can match one."""
    whole = tuple([one for one in signatures if len(one) == DIGEST_BYTES])
    return Claim(before, whole) if whole else UNSIGNED


def _plain_key(secret: Secret) -> bytes:
    return secret.reveal().encode()


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
    return MATCHES if ok else NO_MATCH


def _any(given: bytes, live: Iterable[bytes]) -> bool:
    """Compare with every secret, also after a match: the time must not tell which one it was."""
    found = False
    for one in live:
        found |= hmac.compare_digest(given, one)
    return found


def _any_of(signatures: Iterable[bytes], digests: Sequence[bytes]) -> bool:
    found = False
    for signature in signatures:
        found |= _any(signature, digests)
    return found


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
