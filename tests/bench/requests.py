"""Whole HTTP/1.1 requests as bytes, signed as the vendors sign theirs."""

import hashlib
import hmac
import random
import time
from collections.abc import Sequence

import orjson

SECRET = b"whsec_sandbox"
SIZE = 1500
"""Bytes of a webhook's body."""


def policy_news(first: int, count: int) -> list[bytes]:
    """Deliveries of 1099Policy numbered from ``first``: new, signed, 1.5 KB each."""
    stamp = int(time.time())
    return [signed(_policy_active(number, stamp), stamp) for number in range(first, first + count)]


def forged(first: int, count: int) -> list[bytes]:
    """The same with a signature that does not match."""
    stamp = int(time.time())
    return [signed(_policy_active(n, stamp), stamp, b"whsec_wrong") for n in range(first, first + count)]


def again(first: int, count: int, times: int) -> list[bytes]:
    """The same few deliveries over and over, shuffled."""
    found = policy_news(first, count) * times
    random.Random(first).shuffle(found)
    return found


def statuses(ids: Sequence[str], count: int, seed: int, tags: Sequence[str] = ()) -> list[bytes]:
    """``count`` questions after some of the engagements; with their ``tags`` where those are given."""
    chosen = random.Random(seed).choices(range(len(ids)), k=count)
    return [_status(ids[n], tags[n] if tags else None) for n in chosen]


def gets(paths: Sequence[str], count: int, seed: int) -> list[bytes]:
    """``count`` GETs of some of the paths."""
    return [_get(path) for path in random.Random(seed).choices(paths, k=count)]


def _status(id: str, tag: str | None) -> bytes:
    return _get(f"/v1/engagements/{id}", f"If-None-Match: {tag}\r\n" if tag else "")


def _get(path: str, more: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n{more}\r\n".encode()


def signed(body: bytes, stamp: int, secret: bytes = SECRET) -> bytes:
    digest = hmac.new(secret, b"%d.%s" % (stamp, body), hashlib.sha256).hexdigest()
    head = (
        "POST /webhooks/1099policy HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Ten99Policy-Signature: t={stamp},v1={digest}\r\n\r\n"
    )
    return head.encode() + body


def _policy_active(number: int, stamp: int) -> bytes:
    """A policy's news as 1099Policy words it, about an engagement that nobody here knows."""
    policy = {
        "id": f"pl_bench{number}",
        "object": "policy",
        "is_active": True,
        "status": "active",
        "policy_number": f"GL-{number:09}",
        "contractor": f"cn_bench{number}",
        "quote": f"qt_bench{number}",
        "job": f"jb_bench{number}",
        "effective_date": stamp,
        "expiration_date": stamp + 90 * 86400,
        "coverage": {"type": "general", "limits": {"occurrence": 100000000, "aggregate": 200000000}},
    }
    said = {"id": f"evt_bench{number}", "type": "policy.active", "created": stamp, "data": policy}
    policy["description"] = "x" * (SIZE - len(orjson.dumps(said)) - len(',"description":""'))
    return orjson.dumps(said)


def offers(first: int, count: int) -> list[bytes]:
    """Upwork's news that offers were accepted: each begins an engagement."""
    return [_offer(str(number)) for number in range(first, first + count)]


def _offer(id: str) -> bytes:
    said = {
        "id": f"wh_{id}",
        "type": "offer.accepted",
        "createdAt": int(time.time()),
        "organizationId": "org_1",
        "data": {
            "offer": {"id": f"of_{id}"},
            "contract": {"id": id},
            "freelancer": {"id": f"fl_{id}"},
            "client": {"id": "cl_7"},
        },
    }
    body = orjson.dumps(said)
    head = (
        "POST /webhooks/upwork HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nX-Upwork-Webhook-Token: upwork-sandbox-token\r\n\r\n"
    )
    return head.encode() + body
