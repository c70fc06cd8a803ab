"""`coverd config check`: the configuration file's faults, and the holes traffic would find."""

import os
from dataclasses import asdict
from pathlib import Path

import aiohttp

from domain.rules import Rules
from service.cli.terminal import FAILED, put, put_json, say
from service.clients.ten99policy import Ten99Policy
from service.clients.upwork import Upwork
from service.config import EXAMPLE, ConfigFile
from service.preflight import SHOWN, Findings, look_around
from service.settings import Settings, SettingsRefused, read
from service.vendors.sharing import upwork_turns


async def run(path: Path | None, contracts: int, offline: bool, as_json: bool) -> None:
    """Exits with 1 where an engagement would be held or a vendor does not answer. Raises `ConfigRefused` or
    `SettingsRefused` for a file or settings that cannot be used."""
    settings = read(os.environ)
    file = path or settings.config
    rules = ConfigFile(file, EXAMPLE)().rules
    found = await _look(rules, settings, contracts, offline)
    if as_json:
        put_json({"file": None if file is None else str(file), **asdict(found)})
    else:
        _tell(file, found)
    if any(hole.certain for hole in found.holes):
        raise SystemExit(FAILED)


async def _look(rules: Rules, settings: Settings, contracts: int, offline: bool) -> Findings:
    missing = None if offline else _missing_vendors()
    if offline or missing is not None:
        found = await look_around(rules, None, None, contracts)
        found.asked = dict.fromkeys(("1099policy", "upwork"), f"not asked: {missing or 'offline'}")
        return found
    say("Asking 1099Policy and Upwork; contracts are read at Upwork's pace …")
    async with aiohttp.ClientSession() as session, upwork_turns(settings) as turn:
        upwork = Upwork(session, settings.upwork, turn=turn)
        return await look_around(rules, Ten99Policy(session, settings.ten99policy), upwork, contracts)


def _missing_vendors() -> str | None:
    try:
        read(os.environ, need=frozenset({"vendors"}))
    except SettingsRefused as refused:
        return "; ".join(line.strip() for line in str(refused).splitlines()[1:])
    return None


def _tell(file: Path | None, found: Findings) -> None:
    say(f"{file or 'No file, so the example'}: it can be read, and every value is one coverd knows.")
    for vendor, what in found.asked.items():
        say(f"{vendor}: {what}")
    for hole in found.holes:
        put(f"{'HOLE' if hole.certain else 'note'}  {hole.code}: {hole.message}")
        put(f"      {hole.fix}")
        if hole.contracts:
            more = len(hole.contracts) - SHOWN
            named = ", ".join(hole.contracts[:SHOWN])
            put(f"      {len(hole.contracts)} now: {named}{f' and {more} more' if more > 0 else ''}")
    say("No engagement would be held." if not found.holes else f"{len(found.holes)} found.")
