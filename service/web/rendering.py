"""Templates into responses: escaping always on, and a policy under which nothing foreign runs."""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from service.web import labels
from service.web.formats import clip, instant, machine_time, spoken, usd, wage, web_link, without_mail

HERE = Path(__file__).parent

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
"""On every page and every static file."""

STATIC = {"coverd.css": "text/css", "icon.svg": "image/svg+xml"}
"""The files served, and nothing beside them."""


@cache
def static_file(name: str) -> bytes:
    """The bytes of one of `STATIC`."""
    return (HERE / "static" / name).read_bytes()


@cache
def static_url(name: str) -> str:
    """Where a static file is found; another file gets another address, so it may be kept for ever."""
    return f"/static/{name}?v={sha256(static_file(name)).hexdigest()[:12]}"


@cache
def environment() -> Environment:
    """The templates, with text escaped and e-mail addresses hidden wherever a value is printed."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=without_mail,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        clip=clip, instant=instant, spoken=spoken, machine_time=machine_time, usd=usd, web_link=web_link
    )
    made.globals.update(static_url=static_url, labels=labels, wage=wage, signed_in=False)
    return made


def page(template: str, *, status: int = 200, **values: Any) -> web.Response:
    text = environment().get_template(template).render(**values)
    return web.Response(
        status=status,
        text=text,
        content_type="text/html",
        charset="utf-8",
        headers={**HEADERS, "Cache-Control": "private, no-cache"},
    )


def error_page(status: int, title: str, detail: str, request_id: str) -> web.Response:
    """A refusal in the look of the other pages."""
    return page("error.html", status=status, number=status, title=title, detail=detail, request_id=request_id)


def static_response(name: str) -> web.Response:
    return web.Response(
        body=static_file(name),
        content_type=STATIC[name],
        charset="utf-8",
        headers={**HEADERS, "Cache-Control": "private, max-age=31536000, immutable"},
    )
