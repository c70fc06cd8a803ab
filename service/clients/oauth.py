"""Upwork's OAuth2 tokens: fetched when needed, renewed before they run out, one request at a time."""

import asyncio
import base64
from collections.abc import Awaitable, Callable

from service.clients.http import TRY_AGAIN, Answer, CredentialsRefused, Http, VendorRefused, words
from service.settings import UpworkSettings

PATH = "/api/v3/oauth2/token"
DAY = 86_400.0
"""How long a token lasts that does not say (Upwork facts, section 2.2)."""
EARLY = 60.0
"""Seconds before its end at which a token counts as run out."""


class Tokens:
    """The access token of a service account (client credentials), by refresh where the server offers one.

    Upwork facts, section 2. Raises `VendorUnavailable`, or `CredentialsRefused`.
    """

    def __init__(self, http: Http, settings: UpworkSettings, turn: Callable[[], Awaitable[None]]) -> None:
        self._http = http
        self._turn = turn
        self._url = settings.token_url + PATH
        self._client = (settings.client_id, settings.client_secret)
        self._access: str | None = None
        self._refresh: str | None = None
        self._until = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def access(self) -> str:
        """A token that is good for another minute at least."""
        async with self._one_at_a_time:
            if self._access is None or asyncio.get_running_loop().time() >= self._until:
                await self._renew()
            assert self._access is not None
            return self._access

    def spoiled(self, token: str) -> None:
        """The server refused this token: fetch another next time."""
        if token == self._access:
            self._access = None

    async def _renew(self) -> None:
        if self._refresh:
            try:
                return await self._fetch({"grant_type": "refresh_token", "refresh_token": self._refresh})
            except VendorRefused:
                self._refresh = None  # expired or revoked: begin again with the client's own credentials
        return await self._fetch({"grant_type": "client_credentials"})

    async def _fetch(self, form: dict[str, str]) -> None:
        client_id, secret = self._client
        basic = base64.b64encode(f"{client_id}:{secret.reveal()}".encode()).decode()
        await self._turn()
        answer = await self._http.send(
            "POST", self._url, headers={"Authorization": f"Basic {basic}"}, form=form
        )
        self._take(answer)

    def _take(self, answer: Answer) -> None:
        found = answer.json if isinstance(answer.json, dict) else {}
        token, offered, lasts = (found.get(n) for n in ("access_token", "refresh_token", "expires_in"))
        if answer.status == 200 and isinstance(token, str) and token:
            self._access = token
            self._refresh = offered if isinstance(offered, str) else None
            seconds = lasts if isinstance(lasts, int | float) else DAY
            self._until = asyncio.get_running_loop().time() + max(seconds - EARLY, 1.0)
            return
        code = found.get("error") if isinstance(found.get("error"), str) else None
        why = f"{answer.status} {words(code or 'without a reason')}"
        if 400 <= answer.status < 500 and answer.status not in TRY_AGAIN:
            raise CredentialsRefused(
                vendor="Upwork", what=f"POST {PATH}", why=why, status=answer.status, code=code
            )
        raise self._http.unavailable(f"POST {PATH}", why, answer)
