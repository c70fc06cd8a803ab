"""The commands that ask a running service, and the one that makes a sandbox speak."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp

from service.cli.terminal import end, put, put_json, put_table, short
from service.demo.driver import Driver, Peer


def service_url(url: str | None) -> str:
    """Where coverd serves: as given, else from COVERD_HOST and COVERD_PORT."""
    host = os.environ.get("COVERD_HOST") or "127.0.0.1"
    return (url or f"http://{host}:{os.environ.get('COVERD_PORT') or 8080}").rstrip("/")


def authorization(scope: str) -> dict[str, str]:
    """The first configured token that may do ``scope``, from the same environment the service has."""
    wanted = {"read": ("read", "operate", "audit"), "operate": ("operate",)}[scope]
    text = os.environ.get("COVERD_API_TOKENS", "")
    if not text and os.environ.get("COVERD_API_TOKENS_FILE"):
        with open(os.environ["COVERD_API_TOKENS_FILE"]) as file:
            text = file.read()
    for pair in text.replace("\n", ",").split(","):
        name, _, token = pair.strip().partition(":")
        if name in wanted and token:
            return {"Authorization": f"Bearer {token}"}
    return {}


@asynccontextmanager
async def service(url: str | None, scope: str = "read") -> AsyncIterator[Peer]:
    async with aiohttp.ClientSession() as session:
        yield Peer(session, service_url(url), authorization(scope))


def engagement_path(engagement: str, rest: str = "", **query: str | None) -> str:
    given = {name: value for name, value in query.items() if value is not None}
    return f"/v1/engagements/{quote(engagement, safe='')}{rest}" + (f"?{urlencode(given)}" if given else "")


async def status(
    engagement: str,
    at: str | None,
    tz: str | None,
    known_at: str | None,
    as_json: bool,
    url: str | None,
) -> None:
    async with service(url) as peer:
        if at or known_at or tz:
            shown = await peer.get(engagement_path(engagement, "/coverage", at=at, tz=tz, known_at=known_at))
        else:
            shown = await peer.get(engagement_path(engagement))
    if as_json:
        put_json(shown)
        return
    word = {True: "COVERED", False: "NOT COVERED", None: "UNKNOWN"}[shown["covered"]]
    put(f"{word}  {engagement} is {shown['state']}. {shown['reason']}")
    for name in ("day", "basis", "since", "until", "next_change_at", "evidence"):
        value = shown.get(name) or shown.get("coverage", {}).get(name)
        if value:
            put(f"  {name}: {', '.join(value) if isinstance(value, list) else value}")
    for item in shown.get("attention", []):
        put(f"  ! {item['code']}: {item['message']} {item['clears']}")


async def history(engagement: str, as_json: bool, url: str | None) -> None:
    async with service(url) as peer:
        found = await peer.get(engagement_path(engagement, "/events"))
    if as_json:
        put_json(found["items"])
        return
    rows = [
        (str(e["version"]), e["recorded_at"], e["type"], short(_public(e["data"])), e["hash"][:12])
        for e in found["items"]
    ]
    put_table(("version", "recorded at", "event", "data", "hash"), rows)


def _public(data: dict[str, Any]) -> dict[str, Any]:
    """An event's data for a terminal: nested records, which may be personal, only by name."""
    return {k: "…" if isinstance(v, dict | list) and v else v for k, v in data.items()}


async def replay(engagement: str, version: int | None, as_json: bool, url: str | None) -> None:
    given = None if version is None else str(version)
    async with service(url) as peer:
        found = await peer.get(engagement_path(engagement, "/replay", version=given))
    if as_json:
        put_json(found)
        return
    move = found["transition"]
    put(f"version {found['version']}: {move['event']} moved {move['from']} → {move['to']}")
    put(f"  {found['state']['reason']}")


async def attention(code: str | None, as_json: bool, url: str | None) -> None:
    async with service(url) as peer:
        items = await pages(peer, "/v1/attention", {"code": code} if code else {})
    if as_json:
        put_json(items)
        return
    rows = [
        (i["engagement_id"] or i["delivery"] or "–", i["code"], i["since"], i["message"], i["clears"])
        for i in items
    ]
    put_table(("where", "code", "since", "what", "what clears it"), rows)


async def pages(
    peer: Peer, path: str, query: Mapping[str, str], most: int | None = None
) -> list[dict[str, Any]]:
    """The items of a list, page by page: all of them, or the first so many."""
    items: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None and (most is None or len(items) < most):
        size = 200 if most is None else min(200, most - len(items))
        asked = {**query, "limit": str(size), **({"cursor": cursor} if cursor else {})}
        found = await peer.get(f"{path}?{urlencode(asked)}")
        items += found["items"]
        cursor = found["next"]
    return items


async def retry(engagement: str, step: str | None, reason: str, as_json: bool, url: str | None) -> None:
    async with service(url, "operate") as peer:
        body = {"reason": reason, **({"step": step} if step else {})}
        shown = await peer.post(engagement_path(engagement, "/retry"), body)
    if as_json:
        put_json(shown)
    else:
        what = "the held and failed steps are" if step is None else f"{step} is"
        put(f"{engagement} is {shown['state']}; {what} tried again.")


async def vendors(as_json: bool, url: str | None) -> None:
    async with service(url) as peer:
        items = (await peer.get("/v1/vendors"))["items"]
    if as_json:
        put_json(items)
        return
    rows = [(i["vendor"], i["status"], str(i["waiting"]), _asked_today(i), _why(i)) for i in items]
    put_table(("vendor", "status", "waiting", "asked today", "why"), rows)


def _asked_today(vendor: dict[str, Any]) -> str:
    asked = vendor["requests"]
    return f"{asked['taken']:,} of {asked['most']:,}" if asked else ""


def _why(vendor: dict[str, Any]) -> str:
    if pause := vendor["pause"]:
        return _paused(pause)
    paused = [f"{act['operation']} {_paused(act)}" for act in vendor["paused_operations"]]
    shut = [b for b in vendor["breakers"] if b["open"]]
    return "; ".join([*paused, *(f"{b['operation']} since {b['since']}: {b['error']}" for b in shut)])


def _paused(act: dict[str, Any]) -> str:
    return f"paused by {act['actor']} at {act['at']}: {act['reason']}"


async def act_on(
    vendor: str, act: str, operation: str | None, reason: str, as_json: bool, url: str | None
) -> None:
    body = {"reason": reason} if operation is None else {"reason": reason, "operation": operation}
    async with service(url, "operate") as peer:
        shown = await peer.post(f"/v1/vendors/{quote(vendor, safe='')}/{act}", body)
    if as_json:
        put_json(shown)
    else:
        put(f"{vendor} is {shown['status'].replace('_', ' ')}; {shown['waiting']} calls wait.")


UPWORK_ROUTES = {"offer.accepted": "offer", "contract.active": "activate", "contract.ended": "end"}
POLICY_ROUTES = {"policy.active": "reactivate", "policy.expired": "expire", "policy.canceled": "cancel"}
CERTIFICATE_ROUTES = {"certificate.validated": "approve", "certificate.flagged": "flag"}


async def simulate(
    event: str, engagement: str, upwork_port: int, ten99policy_port: int, as_json: bool, url: str | None
) -> None:
    async with aiohttp.ClientSession() as session:
        drive = Driver(
            Peer(session, service_url(url), authorization("read")),
            Peer(session, os.environ.get("COVERD_UPWORK_URL") or f"http://127.0.0.1:{upwork_port}"),
            Peer(
                session,
                os.environ.get("COVERD_TEN99POLICY_URL") or f"http://127.0.0.1:{ten99policy_port}",
            ),
        )
        if event in UPWORK_ROUTES:
            answer = await drive.upwork.post(f"/_control/contracts/{engagement}/{UPWORK_ROUTES[event]}")
        else:
            answer = await _ten99policy(drive, event, engagement)
    if as_json:
        put_json(answer)
    else:
        put(f"{event} about {engagement} is on its way.")


async def _ten99policy(drive: Driver, event: str, engagement: str) -> Any:
    ids = (await drive.status(engagement))["ten99policy"]
    if event in CERTIFICATE_ROUTES:
        if ids["certificate"] is None:
            end(f"Engagement {engagement} has no certificate yet.")
        path = f"/_control/certificates/{ids['certificate']}/{CERTIFICATE_ROUTES[event]}"
    elif ids["policy"] is not None:
        path = f"/_control/policies/{ids['policy']}/{POLICY_ROUTES[event]}"
    elif event == "policy.active" and ids["session"] is not None:
        path = f"/_control/sessions/{ids['session']['id']}/complete"
    else:
        end(f"Engagement {engagement} has no policy and no open session yet.")
    return await drive.ten99policy.post(path)
