"""Whether each vendor answers, takes the key, and has our time."""

from collections.abc import Sequence

import aiohttp

from service.clients.http import CredentialsRefused, VendorRefused, VendorUnavailable
from service.clients.ten99policy import Ten99Policy
from service.clients.upwork import Upwork
from service.doctor.check import Check, fail, first_line, graded, ok, spoken
from service.settings import Settings
from service.vendors.sharing import upwork_turns

ONE_EVENT = "/events?limit=1"
"""The cheapest question to 1099Policy: polling asks it too."""


async def upwork(session: aiohttp.ClientSession, settings: Settings) -> Sequence[Check]:
    async with upwork_turns(settings) as turn:
        client = Upwork(session, settings.upwork, turn=turn)
        try:
            await client.offers()
        except (VendorRefused, VendorUnavailable) as error:
            return [_unanswered("Upwork", "COVERD_UPWORK", error)]
    return [ok("Upwork", f"{settings.upwork.url} answers and takes the key.")]


async def ten99policy(session: aiohttp.ClientSession, settings: Settings) -> Sequence[Check]:
    client = Ten99Policy(session, settings.ten99policy)
    try:
        await client.read(ONE_EVENT)
    except (VendorRefused, VendorUnavailable) as error:
        return [_unanswered("1099Policy", "COVERD_TEN99POLICY", error)]
    where = f"{settings.ten99policy.url} ({settings.ten99policy.environment})"
    skew = abs(client.ahead_by)
    said = f"Its clock and this one differ by {spoken(skew)}."
    fix = "Run NTP here: signatures are refused from 5 min on."
    return [
        ok("1099Policy", f"{where} answers and takes the key."),
        graded("1099Policy clock", skew, 30, 240, said, fix),
    ]


def _unanswered(name: str, prefix: str, error: VendorRefused | VendorUnavailable) -> Check:
    said = f"{first_line(error)}."
    if isinstance(error, VendorRefused | CredentialsRefused):
        fix = f"Check the key in {prefix}_…, what it may read, and the dialect that is set."
        return fail(name, f"It refuses: {said}", fix)
    return fail(name, f"It does not answer: {said}", f"Check {prefix}_URL, and that it can be reached.")
