"""Puts the sandbox together."""

from collections.abc import Awaitable, Callable
from email.utils import format_datetime
from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from service.sandbox.control import add_control_routes, control_middleware
from service.sandbox.emit import Emitter
from service.sandbox.ten99policy import (
    assignments,
    categories,
    certificates,
    contractors,
    entities,
    events,
    invoices,
    jobs,
    policies,
    quotes,
    sessions,
    webhook_endpoints,
)
from service.sandbox.ten99policy.apply_page import add_apply_page
from service.sandbox.ten99policy.controls import add_controls
from service.sandbox.ten99policy.options import Ten99PolicyOptions
from service.sandbox.ten99policy.saving import saver
from service.sandbox.ten99policy.vendor import Ten99Policy
from service.sandbox.ten99policy.wire import PREFIX, answer_everything, delay, handler_for, refuse

VENDOR = web.AppKey("ten99policy_vendor", Ten99Policy)
EMITTER = web.AppKey("ten99policy_emitter", Emitter)

RESOURCES = (
    contractors,
    entities,
    jobs,
    quotes,
    sessions,
    policies,
    assignments,
    invoices,
    certificates,
    categories,
    events,
    webhook_endpoints,
)
# A certificate of 15 MB with the form around it, and enough above to be refused with a reason.
MOST_BYTES = 20 * 1024 * 1024


def make_app(options: Ten99PolicyOptions) -> web.Application:
    """An aiohttp application that speaks 1099Policy's API under `/api/v1`; see `Ten99PolicyOptions`."""
    vendor = Ten99Policy(options)
    noted = control_middleware(vendor.faults, vendor.calls, partial(refuse, vendor), partial(delay, vendor))
    app = web.Application(
        middlewares=[answer_everything, _remember_writes(vendor), noted], client_max_size=MOST_BYTES
    )
    app[VENDOR], app[EMITTER] = vendor, vendor.emitter
    for resource in RESOURCES:
        for route in resource.ROUTES:
            app.router.add_route(route.method, PREFIX + route.path, handler_for(vendor, route))
    add_control_routes(app, vendor)
    add_controls(app, vendor)
    add_apply_page(app, vendor)
    if options.state_path:
        app.cleanup_ctx.append(saver(vendor, options.state_path))
    app.cleanup_ctx.append(vendor.emitter.run)
    app.on_response_prepare.append(_date(vendor))
    return app


def _date(vendor: Ten99Policy) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """A clock that was set shows in the Date header too, as any server's does."""

    async def dated(_request: web.Request, response: web.StreamResponse) -> None:
        if vendor.clock.is_set:
            response.headers["Date"] = format_datetime(vendor.clock.at(), usegmt=True)

    return dated


def _remember_writes(vendor: Ten99Policy) -> Middleware:
    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        finally:
            if request.method != "GET":
                vendor.state.dirty = True

    return middleware
