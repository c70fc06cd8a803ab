"""`coverd reconcile`: ask both vendors everything now, and say what that found and healed."""

import os
from typing import Any

import aiohttp

from service.cli.ask import authorization, service_url
from service.cli.terminal import put_json, put_table, say
from service.compose import serving
from service.config import ConfigFile
from service.demo.driver import Peer
from service.settings import read

PATIENCE = aiohttp.ClientTimeout(total=None, sock_connect=10)
"""A sweep of many engagements takes minutes: Upwork is asked slowly."""


async def run(as_json: bool, url: str | None) -> None:
    """With a database at hand the sweep runs here, beside whatever serves; else in the service at ``url``."""
    settings = read(os.environ)
    if url is None and settings.database_url is not None:
        settings = read(os.environ, need=frozenset({"database", "vendors"}))
        async with serving(settings, ConfigFile(settings.config, {}), role="beside") as service:
            report = (await service.reconciler.everything()).view()
    else:
        async with aiohttp.ClientSession(timeout=PATIENCE) as session:
            report = await Peer(session, service_url(url), authorization("operate")).post("/v1/reconcile")
    if as_json:
        put_json(report)
    else:
        _tell(report)


def _tell(report: dict[str, Any]) -> None:
    for asked in report["asked"]:
        say(f"asked {asked['source']} for {asked['what']}: {asked['requests']} requests")
    for source, number in report["checked"].items():
        say(f"compared {number} live engagements with {source}")
    rows = [
        (
            found["source"],
            found["type"],
            found["about"],
            ", ".join(found["engagements"]) or "–",
            found["outcome"] or "waiting",
            "yes" if found["drift"] else "no",
        )
        for found in report["found"]
    ]
    put_table(("source", "type", "about", "engagement", "outcome", "drift"), rows)
    for source, why in report["errors"].items():
        say(f"{source} could not be asked to the end: {why}")
    for unread in report["unread"]:
        say(f"{unread['source']} does not show what it was asked for: {unread['what']}: {unread['why']}")
    say(f"{len(rows)} facts found, {report['healed']} healed, {report['drift']} of them drift.")
