"""Puts the Upwork sandbox together: one aiohttp application that speaks only the wire."""

from aiohttp import web

from service.sandbox.control import add_control_routes, control_middleware
from service.sandbox.emit import Emitter
from service.sandbox.upwork.account import UpworkAccount
from service.sandbox.upwork.control_routes import add_upwork_control
from service.sandbox.upwork.executor import Executor
from service.sandbox.upwork.graphql_route import graphql_handler
from service.sandbox.upwork.limits import limit_middleware
from service.sandbox.upwork.oauth import AUTHORIZE_PATH, TOKEN_PATH, OAuth
from service.sandbox.upwork.options import UpworkOptions
from service.sandbox.upwork.storage import Storage
from service.sandbox.upwork.tokens import Tokens
from service.sandbox.upwork.wire import json_on_every_path, refuse

# What in-process tests look at: the account (its `state`, `clock`, `calls`, `faults`) and the webhooks.
ACCOUNT: web.AppKey[UpworkAccount] = web.AppKey("upwork_account", UpworkAccount)
EMITTER: web.AppKey[Emitter] = web.AppKey("upwork_emitter", Emitter)

# A control call may carry a file in base64.
LARGEST_BODY = 32 * 1024 * 1024


def make_app(options: UpworkOptions) -> web.Application:
    account = UpworkAccount(options)
    tokens = Tokens(account)
    storage = Storage(account, options.state_path) if options.state_path else None
    middlewares = [json_on_every_path, control_middleware(account.faults, account.calls, refuse)]
    if options.enforce_limits:
        middlewares.append(limit_middleware(*options.rate_limit))
    if storage:
        middlewares.append(storage.notice_changes)
    app = web.Application(middlewares=middlewares, client_max_size=LARGEST_BODY)
    app[ACCOUNT], app[EMITTER] = account, account.emitter
    app.cleanup_ctx.append(account.emitter.run)
    if storage:
        app.cleanup_ctx.append(storage.run)
    oauth = OAuth(options, tokens)
    app.add_routes(
        [
            web.get(AUTHORIZE_PATH, oauth.authorize),
            web.post(TOKEN_PATH, oauth.token),
            web.post("/graphql", graphql_handler(account, tokens, Executor(options.dialect))),
        ]
    )
    add_control_routes(app, account)
    add_upwork_control(app, account, tokens)
    return app
