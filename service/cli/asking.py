"""Whom a command asks: the vendors the settings name, or the sandboxes that run on this machine."""

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from service.preflight.findings import Hole, listed
from service.settings import PREFIX, SANDBOX, Settings, read, unset

SOON = aiohttp.ClientTimeout(total=5)
"""A sandbox on this machine answers at once."""


@dataclass(frozen=True, slots=True)
class Asking:
    """``faked``: vendors whose sandbox stands in, as nothing names them. ``why_not``: those that cannot be
    asked. ``holes``: what coverd would not start without."""

    settings: Settings
    faked: frozenset[str]
    why_not: Mapping[str, str]
    holes: tuple[Hole, ...]


async def asking(
    environment: Mapping[str, str], sandboxes: Mapping[str, int], session: aiohttp.ClientSession
) -> Asking:
    """See `stand_ins` for ``sandboxes``. Raises `SettingsRefused`."""
    given, faked = await stand_ins(environment, sandboxes, session)
    settings = read(given)
    why_not, holes = {}, []
    for vendor in PREFIX:
        lacking = unset(settings, vendor)
        if any("WEBHOOK" not in name for name in lacking):
            why_not[vendor] = f"{listed(lacking)} not set"
        if lacking and _is_named(given, vendor):
            message = f"{listed(lacking)} not set: coverd would not start."
            holes.append(
                Hole("settings_missing", message, "Set each, or name a file that holds it in …_FILE.")
            )
    return Asking(settings, faked, why_not, tuple(holes))


async def stand_ins(
    environment: Mapping[str, str], sandboxes: Mapping[str, int], session: aiohttp.ClientSession
) -> tuple[dict[str, str], frozenset[str]]:
    """The environment with the sandbox of each vendor that nothing names, where one runs; and which they are.

    ``sandboxes``: the port on which each vendor's may be found; none: nobody looks.
    """
    given, faked = dict(environment), set()
    for vendor, port in sandboxes.items():
        url = f"http://127.0.0.1:{port}"
        if not _is_named(environment, vendor) and await _is_sandbox(session, url):
            faked.add(vendor)
            given |= {name: value for name, value in SANDBOX.items() if name.startswith(PREFIX[vendor])}
            given[f"{PREFIX[vendor]}_URL"] = url
    return given, frozenset(faked)


def _is_named(environment: Mapping[str, str], vendor: str) -> bool:
    """Whether any setting says who this vendor is or how to be let in."""
    prefix = PREFIX[vendor]
    names = [f"{prefix}_URL", *(name for name in SANDBOX if name.startswith(prefix))]
    return any(environment.get(name) or environment.get(f"{name}_FILE") for name in names)


async def _is_sandbox(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/_control/calls", timeout=SOON) as answer:
            return answer.status == 200 and answer.content_type == "application/json"
    except (aiohttp.ClientError, TimeoutError):
        return False
