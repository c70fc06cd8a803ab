"""Upwork's OAuth2 tokens: fetched when needed, renewed before they run out, one request at a time."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from datetime import timedelta

from service.clients.http import TRY_AGAIN, Answer, CredentialsRefused, Http, VendorRefused, words
from service.clock import Clock
from service.settings import UpworkSettings
from service.vendors.tokens import SharedToken, Token

PATH = "/api/v3/oauth2/token"
DAY = 86_400.0
"""How long a token lasts that does not say (Upwork facts, section 2.2)."""
EARLY = 60.0
"""Seconds before its end at which a token counts as run out."""


class Tokens:
    """The access token of a service account (client credentials), by refresh where the server offers one.

    Upwork facts, section 2. Raises `VendorUnavailable`, or `CredentialsRefused`.
    """

    def __init__(
        self,
        http: Http,
        settings: UpworkSettings,
        turn: Callable[[], Awaitable[None]],
        clock: Clock,
        shared: SharedToken | None = None,
    ) -> None:
        """``shared``: where the token is kept for other processes too."""
        self._http = http
        self._turn = turn
        self._clock = clock
        self._shared = shared
        self._url = settings.token_url + PATH
        self._client = (settings.client_id, settings.client_secret)
        self._token: Token | None = None
        self._refused: str | None = None
        self._one_at_a_time = asyncio.Lock()

    async def access(self) -> str:
        """A token that is good for another minute at least."""
        async with self._one_at_a_time:
            held = self._token
            if held is None or held.access == self._refused or self._clock() >= held.until:
                self._token = held = await self._another(held)
            return held.access

    def spoiled(self, token: str) -> None:
        """The server refused this token: fetch another next time."""
        self._refused = token

    async def _another(self, held: Token | None) -> Token:
        if self._shared is not None:
            return await self._shared.get(self._refused, self._renew)
        return await self._renew(held.refresh if held else None)

    async def _renew(self, refresh: str | None) -> Token:
        if refresh:
            try:
                return await self._fetch({"grant_type": "refresh_token", "refresh_token": refresh})
            except VendorRefused:
                pass  # expired or revoked: begin again with the client's own credentials
        return await self._fetch({"grant_type": "client_credentials"})

    async def _fetch(self, form: dict[str, str]) -> Token:
        client_id, secret = self._client
        basic = base64.b64encode(f"{client_id}:{secret.reveal()}".encode()).decode()
        await self._turn()
        answer = await self._http.send(
            "POST", self._url, headers={"Authorization": f"Basic {basic}"}, form=form
        )
        return self._read(answer)

    def _read(self, answer: Answer) -> Token:
        found = answer.json if isinstance(answer.json, dict) else {}
        token, offered, lasts = (found.get(n) for n in ("access_token", "refresh_token", "expires_in"))
        if answer.status == 200 and isinstance(token, str) and token:
            seconds = lasts if isinstance(lasts, int | float) else DAY
            until = self._clock() + timedelta(seconds=min(max(seconds - EARLY, 1.0), 14 * DAY))
            return Token(token, offered if isinstance(offered, str) else None, until)
        code = found.get("error") if isinstance(found.get("error"), str) else None
        why = f"{answer.status} {words(code or 'without a reason')}"
        theirs = answer.json is not None  # a page is of something that stands before the server
        if theirs and 400 <= answer.status < 500 and answer.status not in TRY_AGAIN:
            raise CredentialsRefused(
                vendor="Upwork", what=f"POST {PATH}", why=why, status=answer.status, code=code
            )
        raise self._http.unavailable(f"POST {PATH}", why, answer)
