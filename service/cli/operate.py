"""The commands with which people operate many engagements and deliveries: causes, retries, skips, replays."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from domain.errors import CoverdError
from service.cli.ask import engagement_path, pages, service
from service.cli.terminal import MISUSED, end, put, put_json, put_table, say
from service.demo.driver import Peer

BATCH = 20
"""How many engagements or deliveries one request takes; a longer list goes by so many at a time."""


def given(**fields: Any) -> dict[str, Any]:
    """The fields of a body that were given."""
    return {name: value for name, value in fields.items() if value not in (None, False)}


async def causes(code: str | None, as_json: bool, url: str | None) -> None:
    async with service(url) as peer:
        query = f"?code={code}" if code else ""
        found = (await peer.get(f"/v1/attention/causes{query}"))["items"]
    if as_json:
        put_json(found)
        return
    rows = [
        (
            str(c["count"]),
            c["code"],
            c["step"] or "–",
            c["first_seen"],
            c["last_seen"],
            c["engagement_id"] or c["delivery"] or "–",
            c["cause"],
            c["clears"],
        )
        for c in found
    ]
    put_table(("count", "code", "step", "first seen", "last seen", "e.g.", "cause", "what clears it"), rows)


@dataclass(frozen=True, slots=True)
class Brake:
    """So many in all, ``pause`` seconds between two requests."""

    limit: int
    pause: float

    async def batches(self) -> AsyncIterator[int]:
        """How many each request may take."""
        for begun in range(0, self.limit, BATCH):
            if begun:
                await asyncio.sleep(self.pause)
            yield min(BATCH, self.limit - begun)


async def retry_many(
    asked: dict[str, Any],
    brake: Brake,
    dry_run: bool,
    reason: str | None,
    as_json: bool,
    url: str | None,
) -> None:
    """Batch by batch; each one takes the longest waiting that are left."""
    if dry_run:
        await _count("/v1/attention/retry", asked, "engagements", as_json, url)
        return
    if reason is None:
        end("Say why: --reason is kept in each history.", MISUSED)
    told: list[dict[str, Any]] = []
    async with service(url, "operate") as peer:
        async for size in brake.batches():
            body = {**asked, "reason": reason, "limit": size}
            operation = await _once(peer, "/v1/attention/retry", body)
            told.append(operation)
            say(f"{operation['id']}: {_counts(operation)} of {operation['matched']}")
            if operation["picked"] == operation["matched"]:
                break
    _tell(told, as_json)


async def replay_many(
    asked: dict[str, Any],
    brake: Brake,
    dry_run: bool,
    reason: str | None,
    as_json: bool,
    url: str | None,
) -> None:
    if dry_run:
        await _count("/v1/deliveries/replay", asked, "deliveries", as_json, url)
        return
    if reason is None:
        end("Say why: --reason is kept beside what was asked.", MISUSED)
    told: list[dict[str, Any]] = []
    cursor: str | None = asked.get("cursor")
    async with service(url, "operate") as peer:
        async for size in brake.batches():
            body = given(**{**asked, "cursor": cursor}, reason=reason, limit=size)
            operation = await _once(peer, "/v1/deliveries/replay", body)
            told.append(operation)
            cursor = operation["result"]["next"]
            say(f"{operation['id']}: {_counts(operation)} of {operation['matched']} left")
            if cursor is None:
                break
        else:
            say(f"More follow: begin with --cursor {cursor}.")
    _tell(told, as_json)


async def _count(path: str, asked: dict[str, Any], what: str, as_json: bool, url: str | None) -> None:
    async with service(url, "operate") as peer:
        counted = await peer.post(path, {**asked, "dry_run": True})
    if as_json:
        put_json(counted)
    else:
        put(f"{counted['matched']} {what}.")


async def _once(peer: Peer, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Sent again under the same key where the answer was lost, so that it is done once."""
    key = {"Idempotency-Key": uuid4().hex}
    try:
        found: dict[str, Any] = await peer.post(path, body, key)
    except CoverdError:
        found = await peer.post(path, body, key)
    return found


def _counts(operation: dict[str, Any]) -> str:
    result = operation["result"] or {}
    return ", ".join(f"{n} {what}" for what, n in result.items() if isinstance(n, int) and n) or "none"


def _tell(told: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        put_json(told)
        return
    done = sum(o["result"].get("retried", 0) + o["result"].get("replayed", 0) for o in told if o["result"])
    put(f"{done} taken up again.")


async def skip(
    engagement: str, code: str, step: str | None, reason: str, as_json: bool, url: str | None
) -> None:
    async with service(url, "operate") as peer:
        body = given(code=code, step=step, reason=reason)
        shown = await peer.post(engagement_path(engagement, "/skip"), body)
    if as_json:
        put_json(shown)
    else:
        put(f"{engagement}: {code} is left as it is; a retry takes it up again.")


async def skip_delivery(delivery: str, reason: str, as_json: bool, url: str | None) -> None:
    async with service(url, "operate") as peer:
        told = await peer.post(f"/v1/deliveries/{delivery}/skip", {"reason": reason})
    if as_json:
        put_json(told)
    else:
        put(f"Delivery {delivery} is left as it is; a replay takes it up again.")


async def deliveries(
    source: str | None, outcome: str | None, limit: int, as_json: bool, url: str | None
) -> None:
    async with service(url) as peer:
        query = given(source=source, outcome=outcome)
        found = await pages(peer, "/v1/deliveries", query, limit)
    if as_json:
        put_json(found)
        return
    rows = [
        (
            d["id"],
            d["received_at"],
            d["source"],
            d["type"] or "–",
            d["outcome"] or "waiting",
            ", ".join(d["engagements"]) or "–",
        )
        for d in found
    ]
    put_table(("delivery", "received at", "source", "type", "outcome", "engagements"), rows)


async def operations(limit: int, as_json: bool, url: str | None) -> None:
    async with service(url) as peer:
        found = await pages(peer, "/v1/operations", {}, limit)
    if as_json:
        put_json(found)
        return
    rows = [
        (o["began_at"], o["act"], o["actor"], o["reason"] or "–", f"{_counts(o)} of {o['matched']}", o["id"])
        for o in found
    ]
    put_table(("when", "what", "who", "why", "came to", "operation"), rows)
