"""Which tokens open the door now: those of the environment, and the stored ones as they were last read."""

import asyncio
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import structlog

from service.clock import Clock
from service.settings import ApiToken
from service.store.errors import StoreUnavailable
from service.store.tokens import StoredToken, TokenTable

log = structlog.get_logger("coverd.api")

GRANTS = {
    "read": frozenset({"read"}),
    "operate": frozenset({"read", "operate"}),
    "audit": frozenset({"read", "audit"}),
}
"""What each scope may do."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who shows a live token: ``actor`` as events record it, and what they may do."""

    actor: str
    may: frozenset[str]


class Tokens:
    """``table`` None: the environment's tokens only."""

    def __init__(self, given: Sequence[ApiToken], table: TokenTable | None, clock: Clock) -> None:
        self._given = tuple(given)
        self._table = table
        self._clock = clock
        self._stored: tuple[StoredToken, ...] = ()
        self._used: dict[str, datetime] = {}

    @property
    def any_live(self) -> bool:
        now = self._clock()
        return bool(self._given) or any(token.state(now) == "live" for token in self._stored)

    @property
    def any_ever(self) -> bool:
        """Also where all are revoked: a door that was closed once does not open by itself."""
        return bool(self._given or self._stored)

    def find(self, text: str) -> Bearer | None:
        """Who shows this text. Compared with every hash, also after a match, each in constant time."""
        digest = sha256(text.encode("utf-8", "surrogateescape")).digest()
        now = self._clock()
        actor, may = "", frozenset[str]()
        for token in self._given:
            if hmac.compare_digest(token.digest, digest):
                actor, may = f"token:{digest.hex()[:8]}", may | GRANTS[token.scope]
        for stored in self._stored:
            if hmac.compare_digest(stored.digest, digest) and stored.state(now) == "live":
                actor, may = f"token:{stored.token_id}", may | GRANTS[stored.scope]
                self._used[stored.token_id] = now
        return Bearer(actor, may) if actor else None

    async def look(self) -> None:
        """Read the stored tokens anew, and write down which were used. Raises `StoreUnavailable`."""
        if self._table is None:
            return
        self._stored = tuple(await self._table.all())
        used, self._used = self._used, {}
        await self._table.used(used)

    async def follow(self, seconds: float) -> None:
        """For ever, every so many ``seconds``: what is stored counts here. While the store is away, the last
        known tokens do."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await self.look()
            except StoreUnavailable:
                log.warning("stored tokens could not be read again; the last known ones count")
