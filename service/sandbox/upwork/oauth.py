"""The two OAuth endpoints (fact sheet 2): authorize approves at once, token answers JSON on every path."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from yarl import URL

from service.sandbox.upwork.options import UpworkOptions
from service.sandbox.upwork.tokens import Tokens, same
from service.sandbox.upwork.wire import answer

AUTHORIZE_PATH = "/ab/account-security/oauth2/authorize"
TOKEN_PATH = "/api/v3/oauth2/token"
DEAD_REFRESH = "Refresh token is expired or revoked or not registered"

_NEEDED = {
    "client_credentials": (),
    "authorization_code": ("code", "redirect_uri"),
    "refresh_token": ("refresh_token",),
}


class Refused(Exception):
    """An OAuth error answer: status, `error`, `error_description`."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description}


class OAuth:
    """Handlers for the routes; `tokens` holds what was issued."""

    def __init__(self, options: UpworkOptions, tokens: Tokens) -> None:
        self._options = options
        self._tokens = tokens

    async def authorize(self, request: web.Request) -> web.Response:
        """Redirects to `redirect_uri?code=…&state=…` with the state echoed as it came (fact sheet 2.4)."""
        try:
            target = self._approved(request.query)
        except Refused as refused:
            return answer(refused.body, refused.status)
        return web.Response(status=302, headers={"Location": str(target)})

    async def token(self, request: web.Request) -> web.Response:
        """Unknown form fields are tolerated: Upwork's own library leaks some (fact sheet 2.4)."""
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        try:
            body = self._issued(form, request.headers.get("Authorization"))
        except Refused as refused:
            return answer(refused.body, refused.status)
        return answer(body, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})

    def _approved(self, query: Mapping[str, str]) -> URL:
        _need(query, ("response_type", "client_id", "redirect_uri"))
        if query["client_id"] != self._options.client_id:
            raise Refused(401, "invalid_client", "Client is not registered")
        if query["response_type"] != "code":
            raise Refused(400, "unsupported_response_type", "Only the authorization code is supported")
        if query.get("scope"):  # scopes belong to the key, not to the request (fact sheet 2.2)
            raise Refused(400, "invalid_scope", "Scopes are chosen on the API key")
        method = query.get("code_challenge_method", "plain")
        code = self._tokens.grant_code(query["redirect_uri"], query.get("code_challenge"), method)
        target = URL(query["redirect_uri"]).update_query(code=code)
        return target.update_query(state=query["state"]) if "state" in query else target

    def _issued(self, form: Mapping[str, str], authorization: str | None) -> dict[str, Any]:
        grant = form.get("grant_type")
        if grant is not None and grant not in _NEEDED:
            raise Refused(400, "unsupported_grant_type", f"Grant type is not supported: {grant}")
        self._check_client(form, authorization, ("grant_type", *_NEEDED[grant or "client_credentials"]))
        match grant:
            case "authorization_code":
                if not self._tokens.use_code(form["code"], form["redirect_uri"], form.get("code_verifier")):
                    raise Refused(
                        400, "invalid_grant", "Authorization code is expired, used or not registered"
                    )
            case "refresh_token":
                if not self._tokens.use_refresh_token(form["refresh_token"]):
                    raise Refused(400, "invalid_grant", DEAD_REFRESH)
            case _:
                return self._tokens.issue("client_credentials")
        return self._tokens.issue("authorization_code")

    def _check_client(
        self, form: Mapping[str, str], authorization: str | None, needed: tuple[str, ...]
    ) -> None:
        """Basic or body credentials; when both come they must agree (fact sheet 2.4)."""
        basic = _basic(authorization)
        if basic is None:
            _need(form, (*needed, "client_id", "client_secret"))
        else:
            _need(form, needed)
        sides = [(form.get("client_id"), form.get("client_secret")), basic or (None, None)]
        for id, secret in sides:
            wrong_id = id is not None and not same(id, self._options.client_id)
            wrong_secret = secret is not None and not same(secret, self._options.client_secret)
            if wrong_id or wrong_secret:
                raise Refused(401, "invalid_client", "Client authentication failed")


def _need(given: Mapping[str, str], names: tuple[str, ...]) -> None:
    missing = [name for name in names if not given.get(name)]
    if missing:
        raise Refused(400, "invalid_request", f"Missing parameters: {', '.join(missing)}")


def _basic(authorization: str | None) -> tuple[str, str] | None:
    """Id and secret of a Basic header; None without one. A header that cannot be read is a wrong client."""
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        id, colon, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        id, colon, secret = "", "", ""
    if not colon:
        raise Refused(401, "invalid_client", "Client authentication failed")
    return unquote(id), unquote(secret)
