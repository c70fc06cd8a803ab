"""A delivery of no consequence, sent to see whether all that a delivery needs works again."""

import asyncio
import hashlib
import hmac
import time
from itertools import count

import aiohttp
import orjson

from service.settings import SANDBOX

PAUSE = 0.02
WITHIN = 60.0

_SECRET = SANDBOX["COVERD_TEN99POLICY_WEBHOOK_SECRETS"].encode()
_numbers = count(1)


async def sings(session: aiohttp.ClientSession, url: str) -> None:
    """Return once a new delivery was accepted at ``url`` and processed. Raises TimeoutError."""
    body = delivery()
    async with asyncio.timeout(WITHIN):
        while (stored := await accepted(session, url, body)) is None:
            await asyncio.sleep(PAUSE)
        while not await _processed(session, f"{url}/v1/deliveries/{stored}"):
            await asyncio.sleep(PAUSE)


def delivery() -> bytes:
    """A body that was never sent before."""
    id = f"ev_canary_{time.time_ns()}_{next(_numbers)}"
    event = {"id": id, "type": "invoice.paid", "created": int(time.time()), "data": {"id": "in_canary"}}
    return orjson.dumps(event)


async def accepted(session: aiohttp.ClientSession, url: str, body: bytes) -> str | None:
    """Where the delivery is stored; None when it was refused."""
    stamp = str(int(time.time()))
    digest = hmac.new(_SECRET, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"Ten99Policy-Signature": f"t={stamp},v1={digest}", "Content-Type": "application/json"}
    async with session.post(f"{url}/webhooks/1099policy", data=body, headers=headers) as answered:
        return str((await answered.json())["delivery"]) if answered.status < 300 else None


async def _processed(session: aiohttp.ClientSession, url: str) -> bool:
    async with session.get(url) as answered:
        return answered.status == 200 and (await answered.json())["outcome"] is not None
