"""The page behind a session's `url`: enough to show a person what the opt-in is."""

from html import escape

from aiohttp import web

from service.sandbox.ten99policy import sessions
from service.sandbox.ten99policy.refusals import Refusal, not_found
from service.sandbox.ten99policy.table import Row
from service.sandbox.ten99policy.vendor import Ten99Policy

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Insurance application (sandbox)</title>
<style>body{{font:16px/1.5 system-ui;max-width:34rem;margin:4rem auto;padding:0 1rem}}
button{{font:inherit;padding:.6rem 1.2rem}}</style>
<h1>Insurance application</h1>
<p>This stands in for apply.1099policy.com. Session <code>{id}</code>.</p>
{rest}
</html>"""
FORM = """<p>The contractor reviews the cover once and binds it; later work is covered by assignments.</p>
<form method="post"><button>Review and bind coverage</button></form>"""
DONE = "<p><strong>Coverage is bound.</strong> {link}</p>"


def add_apply_page(app: web.Application, vendor: Ten99Policy) -> None:
    def session_of(request: web.Request) -> Row:
        id = request.match_info["id"]
        if id not in vendor.state.sessions.rows:
            raise not_found("session", id)
        return vendor.state.sessions.rows[id]

    async def show(request: web.Request) -> web.Response:
        return _page(session_of(request))

    async def bind(request: web.Request) -> web.Response:
        session = session_of(request)
        try:
            sessions.complete(vendor, session)
        except Refusal as refusal:
            refusal.status = 409
            raise
        return _page(session)

    app.router.add_get("/apply/{id}", show)
    app.router.add_post("/apply/{id}", bind)


def _page(session: Row) -> web.Response:
    if session["step"] == sessions.LAST_STEP:
        url = escape(session["success_url"] or "")
        rest = DONE.format(link=f'<a href="{url}">Back to the platform</a>' if url else "")
    elif session["expired"]:
        rest = "<p>This session has expired.</p>"
    else:
        rest = FORM
    return web.Response(text=PAGE.format(id=escape(session["id"]), rest=rest), content_type="text/html")
