"""What the outermost middleware notes on each request and answer, and what it looks at."""

import asyncio

from aiohttp import web

LEAVING = web.AppKey("leaving", asyncio.Event)
"""Set once this process is about to end: it still answers, and sends its callers elsewhere."""

REQUEST_ID = web.RequestKey("request_id", str)
"""The caller's X-Request-Id, or ours."""

ACTOR = web.RequestKey("actor", str)
"""Who acts, as events record it: never the token itself."""

SERVER = "coverd"
"""What the header Server says: neither which software serves, nor its version."""

SIGNED_IN = web.RequestKey("signed_in", bool)
"""Whether they act by the cookie of a sign-in."""
