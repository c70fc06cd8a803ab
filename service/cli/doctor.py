"""`coverd doctor`: one line a check, with the way to mend what is wrong."""

import os
from collections.abc import Sequence
from dataclasses import asdict

import aiohttp

from service.cli.ask import service_url
from service.cli.asking import stand_ins
from service.cli.terminal import FAILED, MISUSED, put, put_json, say
from service.clock import utc_now
from service.doctor import settings as paper
from service.doctor.check import Check
from service.doctor.look import look

MARKS = {"ok": "ok   ", "warn": "WARN ", "fail": "FAIL "}


async def run(offline: bool, upwork_port: int, ten99policy_port: int, as_json: bool, url: str | None) -> None:
    """Exits with 1 where a check fails, and with 2 where the settings cannot be used."""
    async with aiohttp.ClientSession() as session:
        sandboxes = {} if offline else {"upwork": upwork_port, "1099policy": ten99policy_port}
        environment, _ = await stand_ins(os.environ, sandboxes, session)
        given, checks = paper.settings(environment)
        if not as_json:
            _tell(checks)
        if given is not None:
            async for check in look(given, service_url(url), session, utc_now, offline=offline):
                checks.append(check)
                if not as_json:
                    _tell([check])
    if as_json:
        put_json([asdict(check) for check in checks])
    failed = sum(check.status == "fail" for check in checks)
    warned = sum(check.status == "warn" for check in checks)
    say(f"{len(checks)} checks: {failed} failed, {warned} with a warning.")
    if failed:
        raise SystemExit(MISUSED if given is None else FAILED)


def _tell(checks: Sequence[Check]) -> None:
    for check in checks:
        put(f"{MARKS[check.status]} {check.name}: {check.message}{f' → {check.fix}' if check.fix else ''}")
