"""Deliveries of a test's own, signed as the sandboxes sign theirs."""

import hashlib
import hmac
import time
from typing import Any

import orjson


async def deliver_upwork(world: Any, body: bytes, **headers: str) -> int:
    sent = {"X-Upwork-Webhook-Token": "upwork-sandbox-token", **headers}
    status: int = await world.drive.service.raw_post("/webhooks/upwork", body, sent)
    return status


async def deliver_1099policy(world: Any, body: dict[str, Any], **headers: str) -> int:
    raw, stamp = orjson.dumps(body), str(int(time.time()))
    digest = hmac.new(b"whsec_sandbox", f"{stamp}.".encode() + raw, hashlib.sha256).hexdigest()
    sent = {"Ten99Policy-Signature": f"t={stamp},v1={digest}", **headers}
    status: int = await world.drive.service.raw_post("/webhooks/1099policy", raw, sent)
    return status
