"""Makes events, keeps them for GET /events, and hands them to the emitter (fact sheet 7)."""

import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from service.sandbox.emit import Sign, Target
from service.sandbox.ten99policy.crud import listing, retrieve
from service.sandbox.ten99policy.options import WEBHOOK_PATH
from service.sandbox.ten99policy.table import Row
from service.sandbox.ten99policy.vendor import Route, Ten99Policy

SIGNATURE_HEADER = "Ten99Policy-Signature"

# Where guide and reference name one event differently: the guide's name -> the reference's.
REFERENCE_NAMES = {"policy.canceled": "policy.cancelled", "certificate.validated": "certificate.approved"}


def announce(vendor: Ten99Policy, type: str, row: Row, object_name: str) -> Row:
    """Emit an event about a stored object: flat, and nested for `certificate.*`."""
    if type.startswith("certificate."):
        data: Row = {"object": dict(row)}
    else:
        data = {**row, "object": object_name}
    contractor = row.get("contractor")
    return emit(vendor, type, data, order_key=contractor if isinstance(contractor, str) else "")


def named(vendor: Ten99Policy, type: str) -> str:
    """The guide's name of an event, or the reference's in strict reference mode."""
    return REFERENCE_NAMES.get(type, type) if vendor.options.dialect == "reference" else type


def emit(vendor: Ten99Policy, type: str, data: Any, id: str | None = None, order_key: str = "") -> Row:
    """Emit any event with any data; a given id is kept, so that a test can send the same event twice."""
    table = vendor.state.events
    event = {"id": id or table.new_id(), "type": type, "created": vendor.now(), "data": data}
    if event["id"] not in table.rows:
        table.add(event)
    send(vendor, event, order_key)
    return event


def send(vendor: Ten99Policy, event: Row, order_key: str = "") -> None:
    vendor.emitter.emit(event["id"], event["type"], event, targets(vendor, event["type"]), order_key)


def targets(vendor: Ten99Policy, type: str) -> list[Target]:
    """The registered endpoints that want this type, and the callback unless it is registered itself."""
    endpoints = vendor.state.webhook_endpoints.rows.values()
    found = [_target(row) for row in endpoints if wants(row, type)]
    url = vendor.options.webhook_url()
    if url and all(row["url"] != url for row in endpoints):
        found.append(Target(url, WEBHOOK_PATH, signer(vendor.options.webhook_secret)))
    return found


def wants(endpoint: Row, type: str) -> bool:
    """Absent events or `*` mean all of them."""
    return not endpoint["events"] or "*" in endpoint["events"] or type in endpoint["events"]


def _target(endpoint: Row) -> Target:
    return Target(endpoint["url"], urlsplit(endpoint["url"]).path, signer(endpoint["secret"]))


def signer(secret: str) -> Sign:
    """`t=<epoch>,v1=<hex HMAC-SHA256 of "t.body">`, the secret as it is, `t` by the real clock."""
    key = secret.encode()

    def sign(raw: bytes, now: float) -> Mapping[str, str]:
        at = int(time.time())
        proof = hmac.new(key, b"%d.%b" % (at, raw), hashlib.sha256).hexdigest()
        return {SIGNATURE_HEADER: f"t={at},v1={proof}"}

    return sign


ROUTES = (
    Route("GET", "/events", listing(lambda vendor: vendor.state.events)),
    Route("GET", "/events/{id}", retrieve(lambda vendor: vendor.state.events)),
)
