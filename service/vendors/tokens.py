"""One access token for all processes: kept sealed in the store, fetched by one of them when it runs out."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import uuid4

import orjson
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.clients.http import Crowded
from service.clock import Clock
from service.settings import Secret
from service.vendors.ports import VendorStore

LEASE = timedelta(seconds=60)
"""How long fetching may take, its turn included, until another process may think that nobody does."""

LOOKS, APART = 200, 0.1
"""How often, and seconds apart, a process looks whether the token that another fetches is there."""


@dataclass(frozen=True, slots=True)
class Token:
    """``until``: when it counts as run out. ``refresh``: what renews it, where the server offers that."""

    access: str
    refresh: str | None
    until: datetime


class Vault:
    """Seals with a key that is derived from the client secret: a copy of the database tells nothing."""

    def __init__(self, secret: Secret) -> None:
        derive = HKDF(SHA256(), length=32, salt=b"coverd", info=b"upwork access token")
        self._fernet = Fernet(base64.urlsafe_b64encode(derive.derive(secret.reveal().encode())))

    def seal(self, token: Token) -> bytes:
        return self._fernet.encrypt(orjson.dumps([token.access, token.refresh]))

    def open(self, sealed: bytes, until: datetime) -> Token | None:
        """None where it was sealed under another secret."""
        try:
            access, refresh = orjson.loads(self._fernet.decrypt(sealed))
        except InvalidToken:
            return None
        return Token(access, refresh, until)


Fetch = Callable[[str | None], Awaitable[Token]]
"""Fetches a new token, by a refresh token where one is given."""


class SharedToken:
    """The token of one client at one server."""

    def __init__(
        self,
        store: VendorStore,
        client: str,
        secret: Secret,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._name = f"upwork:{sha256(client.encode()).hexdigest()[:16]}"
        self._vault = Vault(secret)
        self._clock = clock
        self._sleep = sleep
        self._owner = uuid4().hex

    async def get(self, refused: str | None, fetch: Fetch) -> Token:
        """The shared token, or a new one where that has run out, or is the one that was refused.

        Raises what ``fetch`` raises, and `Crowded` where another process does not come back with one.
        """
        for _ in range(LOOKS):
            number, held = await self._held()
            if held is not None and held.until > self._clock() and held.access != refused:
                return held
            now = self._clock()
            if await self._store.take_token_turn(self._name, number, self._owner, now, now + LEASE):
                return await self._fetched(held, fetch)
            await self._sleep(APART)
        raise Crowded(vendor="Upwork", what="a token", why="another process is fetching it")

    async def _held(self) -> tuple[int, Token | None]:
        found = await self._store.shared_token(self._name)
        if found.sealed is None or found.until is None:
            return found.number, None
        return found.number, self._vault.open(found.sealed, found.until)

    async def _fetched(self, held: Token | None, fetch: Fetch) -> Token:
        try:
            token = await fetch(held.refresh if held else None)
        except BaseException:
            await self._store.give_token_turn_back(self._name, self._owner)
            raise
        await self._store.keep_token(self._name, self._owner, self._vault.seal(token), token.until)
        return token
