"""The door: who may do what, shown by a bearer token, or in a browser by the cookie of a sign-in."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from aiohttp import web

from service.api.keys import ACTOR, SIGNED_IN
from service.api.origins import from_another_site, names_this_machine, passed_on
from service.api.problems import Problem
from service.api.rates import Rates
from service.api.tokens import Bearer, Tokens

OPEN = frozenset({"/livez", "/readyz", "/openapi.json", "/signin", "/signout"})
"""Paths that need no token; nor do the webhooks, which prove themselves, and the pages' own files."""

READING = frozenset({"GET", "HEAD"})

COOKIES = ("__Host-coverd", "coverd")
"""What the cookie of a sign-in is called: over https, where a browser guards the name, and over http."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who acts, as events record it, and whether a browser's cookie says so."""

    actor: str
    signed_in: bool = False


class Door:
    """``loopback``: whether only this machine can reach it. Then it is open until a first token is made."""

    def __init__(self, tokens: Tokens, rates: Rates, *, loopback: bool) -> None:
        self._tokens = tokens
        self._rates = rates
        self._loopback = loopback

    @property
    def is_open(self) -> bool:
        return self._loopback and not self._tokens.any_ever

    def check(self, request: web.Request) -> None:
        """Raises 401, 403, 421 or 429; otherwise notes who acts in the request."""
        request[ACTOR] = "local"
        admitted = self.admit(request.method, request.path, request.headers)
        request[ACTOR], request[SIGNED_IN] = admitted.actor, admitted.signed_in

    def admit(self, method: str, path: str, headers: Mapping[str, str]) -> Admitted:
        """Who acts. Raises 401, 403, 421 or 429."""
        if path.startswith("/webhooks/"):
            return Admitted("local")
        if method not in READING and from_another_site(headers):
            raise Problem(403, "This comes from another site's page, which may not act here.")
        if path in OPEN or path.startswith("/static/"):
            return Admitted("local")
        if self.is_open:
            if not names_this_machine(headers):
                raise Problem(421, "Without a token this machine alone is served: ask for localhost.")
            if passed_on(headers):
                raise Problem(421, "Without a token nobody is served through a proxy: make one first.")
            return Admitted("local")
        shown = _bearer(headers)
        cookie = None if shown is not None or method not in READING else token_of_cookie(headers)
        bearer = self.known(shown or cookie)
        if bearer is None:
            raise Problem(401, UNKNOWN, headers={"WWW-Authenticate": "Bearer"})
        needed = "read" if method in READING else "operate"
        if needed not in bearer.may:
            raise Problem(403, f"This needs a token with the scope {needed}.")
        self._count(bearer)
        return Admitted(bearer.actor, signed_in=cookie is not None)

    def known(self, token: str | None) -> Bearer | None:
        """Who holds this token; None for an unknown, an expired and a revoked one alike."""
        return self._tokens.find(token) if token else None

    def _count(self, bearer: Bearer) -> None:
        wait = self._rates.wait(bearer.actor)
        if wait:
            seconds = math.ceil(wait)
            raise Problem(
                429, f"This token may ask again in {seconds} s.", headers={"Retry-After": str(seconds)}
            )


UNKNOWN = "Send Authorization: Bearer with a token that is known here; coverd token create makes one."


def _bearer(headers: Mapping[str, str]) -> str | None:
    scheme, _, rest = headers.get("Authorization", "").partition(" ")
    return (rest.strip() or None) if scheme.lower() == "bearer" else None


def token_of_cookie(headers: Mapping[str, str]) -> str | None:
    try:
        sent = SimpleCookie(headers.get("Cookie", ""))
    except CookieError:
        return None
    return next((sent[name].value for name in COOKIES if name in sent), None)
