"""Issues and checks OAuth tokens (fact sheet 2.2): lifetimes, rotation, single-use codes."""

import base64
import hashlib
import hmac
import secrets
from typing import Any

from service.sandbox.upwork.account import UpworkAccount
from service.sandbox.upwork.records import AccessToken, Code, Grant, RefreshToken

# A refresh shortens the refresh token it used to this (fact sheet 2.2, rotation).
OLD_REFRESH_SECONDS = 86_400


class Tokens:
    """Reads the account's state on every call, since a reset replaces it."""

    def __init__(self, account: UpworkAccount) -> None:
        self._account = account

    def is_live(self, token: str) -> bool:
        held = self._account.state.access_tokens.get(token)
        return held is not None and held.expires_at > self._now()

    def grant_code(self, redirect_uri: str, challenge: str | None, method: str) -> str:
        code = secrets.token_hex(16)
        expires_at = self._now() + self._account.options.code_seconds
        self._account.state.codes[code] = Code(redirect_uri, expires_at, challenge, method)
        return code

    def use_code(self, code: str, redirect_uri: str, verifier: str | None) -> bool:
        """True once for a live code, its own redirect URI and, where it was challenged, its verifier."""
        held = self._account.state.codes.pop(code, None)
        if held is None or held.expires_at <= self._now() or held.redirect_uri != redirect_uri:
            return False
        return held.challenge is None or _answers(held.challenge, held.challenge_method, verifier or "")

    def use_refresh_token(self, token: str) -> bool:
        """True for a live one, which from now on lives a day at most."""
        held = self._account.state.refresh_tokens.get(token)
        if held is None or held.expires_at <= self._now():
            return False
        held.expires_at = min(held.expires_at, self._now() + OLD_REFRESH_SECONDS)
        return True

    def issue(self, grant: Grant) -> dict[str, Any]:
        """The token endpoint's answer; client credentials get no refresh token."""
        options, state = self._account.options, self._account.state
        access = _new_token()
        state.access_tokens[access] = AccessToken(grant, self._now() + options.access_token_seconds)
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": options.access_token_seconds}
        if grant == "authorization_code":
            refresh = _new_token()
            state.refresh_tokens[refresh] = RefreshToken(self._now() + options.refresh_token_seconds)
            answer["refresh_token"] = refresh
        return answer

    def expire_access_tokens(self) -> int:
        """Kill every access token; refresh tokens stay good."""
        killed = len(self._account.state.access_tokens)
        self._account.state.access_tokens.clear()
        return killed

    def revoke_all(self) -> int:
        """Kill access and refresh tokens and codes."""
        killed = self.expire_access_tokens() + len(self._account.state.refresh_tokens)
        self._account.state.refresh_tokens.clear()
        self._account.state.codes.clear()
        return killed

    def _now(self) -> float:
        return self._account.clock.now()


def same(left: str, right: str) -> bool:
    """Equal, in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


def _new_token() -> str:
    return f"oauth2v2_{secrets.token_hex(16)}"


def _answers(challenge: str, method: str, verifier: str) -> bool:
    if method == "plain":
        return same(challenge, verifier)
    digest = hashlib.sha256(verifier.encode()).digest()
    return same(challenge, base64.urlsafe_b64encode(digest).rstrip(b"=").decode())
