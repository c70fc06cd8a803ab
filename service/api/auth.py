"""Who may do what: bearer tokens with scopes, compared by hash in constant time."""

import base64
import binascii
import hmac
from hashlib import sha256

from aiohttp import web

from service.api.keys import ACTOR
from service.api.problems import Problem
from service.settings import ApiToken

OPEN = frozenset({"/livez", "/readyz", "/openapi.json"})
"""Paths that need no token."""

GRANTS = {"read": {"read"}, "operate": {"read", "operate"}, "audit": {"read", "audit"}}
"""What each scope may do."""


class Door:
    """Checks the token of each request. With no token configured everything is open: loopback only."""

    def __init__(self, tokens: tuple[ApiToken, ...]) -> None:
        self._tokens = tokens

    def check(self, request: web.Request) -> None:
        """Raises 401 or 403; otherwise notes who acts in ``request[ACTOR]``."""
        request[ACTOR] = "local"
        path = request.path
        if not self._tokens or path in OPEN or path.startswith("/webhooks/"):
            return
        token = self._find(_given(request))
        if token is None:
            api = path.startswith("/v1/") or path == "/metrics"
            challenge = "Bearer" if api else 'Basic realm="coverd", charset="UTF-8"'
            raise Problem(
                401,
                "Send Authorization: Bearer with one of the configured tokens"
                + ("." if api else " (in a browser: any name, and the token as the password)."),
                headers={"WWW-Authenticate": challenge},
            )
        needed = "read" if request.method in ("GET", "HEAD") else "operate"
        if needed not in GRANTS[token.scope]:
            raise Problem(403, f"This needs a token with the scope {needed}.")
        request[ACTOR] = f"token:{token.digest.hex()[:8]}"

    def _find(self, given: str | None) -> ApiToken | None:
        digest = sha256((given or "").encode("utf-8", "surrogateescape")).digest()
        found = None
        for token in self._tokens:
            if hmac.compare_digest(token.digest, digest):
                found = token
        return found if given else None


def _given(request: web.Request) -> str | None:
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip() or None
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[2] or None
        except (binascii.Error, UnicodeDecodeError):
            return None
    return None
