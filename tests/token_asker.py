"""A process of its own that asks for Upwork's token, as a test tells it to line by line.

    python token_asker.py DATABASE_URL VENDOR_URL SECONDS_AHEAD

``ask``: it says ``asking``, and then the tokens that four tasks at once were given. ``spoiled TOKEN``:
that one was refused.
"""

import asyncio
import sys
from datetime import timedelta

from aiohttp import ClientSession
from vendor_double import PROOF

from service.clients.http import Http
from service.clients.oauth import Tokens
from service.clock import utc_now
from service.settings import Secret, UpworkSettings
from service.store.postgres import PostgresStore
from service.vendors.tokens import SharedToken

CLIENT, SECRET = "sandbox-client", Secret("sandbox-secret")


def say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


async def at_once() -> None:
    """Every turn is there."""


async def main(database_url: str, vendor_url: str, ahead: str) -> None:
    def clock():  # type: ignore[no-untyped-def]
        return utc_now() + timedelta(seconds=float(ahead))

    settings = UpworkSettings(vendor_url, vendor_url, CLIENT, SECRET, None, "guide", PROOF)
    store = await PostgresStore.open(database_url, clock, connections=2)
    async with ClientSession() as session:
        shared = SharedToken(store, CLIENT, SECRET, clock)
        tokens = Tokens(Http(session, "Upwork"), settings, at_once, clock, shared)
        say("ready")
        while line := await asyncio.to_thread(sys.stdin.readline):
            act, *given = line.split()
            if act == "spoiled":
                tokens.spoiled(given[0])
            else:
                say("asking")
                found = await asyncio.gather(*(tokens.access() for _ in range(4)))
                say(*sorted(set(found)))
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
