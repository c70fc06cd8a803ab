"""Upwork's request limits for each client address: a second and a minute (fact sheet 5)."""

import time
from collections import defaultdict, deque

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from service.sandbox.control import CONTROL
from service.sandbox.upwork.wire import refuse


def limit_middleware(a_second: int, a_minute: int) -> Middleware:
    """Answers 429 over a limit; a refused request does not count. Real time, whatever the sandbox's clock."""
    seen: defaultdict[str, deque[float]] = defaultdict(deque)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(CONTROL):
            return await handler(request)
        times, now = seen[request.remote or ""], time.monotonic()
        while times and times[0] <= now - 60:
            times.popleft()
        last_second = sum(at > now - 1 for at in list(times)[-a_second:])
        if last_second >= a_second or len(times) >= a_minute:
            return await refuse(request, 429)
        times.append(now)
        return await handler(request)

    return middleware
