"""Signing in: a form takes a token and keeps it in a cookie that no script and no other site can use.

The cookie reads and nothing more: whoever acts shows the token itself, which no page of another site can.
"""

from urllib.parse import parse_qs, quote

from aiohttp import web

from service.api.auth import COOKIES, Door
from service.api.problems import Problem
from service.api.reading import as_it_is, only, whole_body
from service.web.rendering import page

SIGNED_IN_SECONDS = 12 * 3600
"""How long a browser keeps the cookie."""

MAX_FORM = 4096


def signin_instead(request: web.Request) -> web.Response:
    """What a browser gets instead of a 401: the form, which leads on to what was asked for."""
    failed = request.path == "/signin"
    shown = _form(_back(request) if failed else request.path_qs, status=401, failed=failed)
    shown.headers["WWW-Authenticate"] = "Bearer"
    return shown


def _form(back: str, *, status: int = 200, failed: bool = False) -> web.Response:
    action = f"/signin?next={quote(back)}"
    return page("signin.html", status=status, back=back, action=action, failed=failed)


class SignIn:
    """Handlers for ``/signin`` and ``/signout``."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def form(self, request: web.Request) -> web.Response:
        only(request, "next")
        back = _back(request)
        return _go(back) if self._door.is_open else _form(back)

    async def enter(self, request: web.Request) -> web.Response:
        only(request, "next")
        token, back = await _token(request), _back(request)
        bearer = self._door.known(token)
        if bearer is None or "read" not in bearer.may:
            raise Problem(401, "This is no token that may read here.", headers={"WWW-Authenticate": "Bearer"})
        return _keep(_go(back), request, token)

    async def leave(self, request: web.Request) -> web.Response:
        only(request)
        left = _go("/signin")
        for name in COOKIES:
            left.del_cookie(
                name, path="/", secure=name.startswith("__Host-"), httponly=True, samesite="Strict"
            )
        return left


async def _token(request: web.Request) -> str:
    if request.content_type != "application/x-www-form-urlencoded":
        raise Problem(415, "Send the form of this page.")
    as_it_is(request)
    body = await whole_body(request, MAX_FORM)
    try:
        fields = parse_qs(body.decode(), max_num_fields=4)
    except ValueError:
        raise Problem(400, "The form cannot be read.") from None
    return fields.get("token", [""])[0].strip()


def _keep(response: web.Response, request: web.Request, token: str) -> web.Response:
    """Over https, also behind a proxy that ends it, the cookie is for https alone."""
    secure = request.secure or request.headers.get("X-Forwarded-Proto") == "https"
    response.set_cookie(
        COOKIES[0] if secure else COOKIES[1],
        token,
        max_age=SIGNED_IN_SECONDS,
        path="/",
        httponly=True,
        secure=secure,
        samesite="Strict",
    )
    return response


def _back(request: web.Request) -> str:
    """Where to go on: a path of ours, never another site's address."""
    given = request.query.get("next", "/")
    ours = given.startswith("/") and not given.startswith(("//", "/\\", "/sign"))
    return given if ours and given.isascii() and given.isprintable() and len(given) <= 2000 else "/"


def _go(where: str) -> web.Response:
    return web.Response(status=303, headers={"Location": where, "Cache-Control": "no-store"})
