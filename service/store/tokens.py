"""API tokens in Postgres: made and revoked by people with the database at hand, read by whoever serves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from domain.ids import bucket_of
from service.store.statements import sql
from service.store.tables import Tables

if TYPE_CHECKING:
    from service.store.lines import Connection, Pool


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token as it is kept: ``digest`` is the SHA-256 of its text, which is kept nowhere."""

    token_id: str
    name: str
    scope: str
    digest: bytes = field(repr=False)
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def state(self, now: datetime) -> str:
        """live · expired · revoked"""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "live"


class TokenTable(Tables):
    """What the service may do: read them, and say which were used."""

    def __init__(self, pool: "Pool", clock: Callable[[], datetime]) -> None:
        Tables.__init__(self, pool, clock)

    async def all(self) -> Sequence[StoredToken]:
        """Every token ever made, also those that open nothing any more; the oldest first."""
        return [StoredToken(**row) for row in await self._rows("tokens")]

    async def used(self, when: Mapping[str, datetime]) -> None:
        """When each of these was last used."""
        for token_id, at in when.items():
            await self._value("token_used", bucket_of(token_id), token_id, at)


async def create(conn: "Connection", token: StoredToken) -> None:
    """With the rights of who migrates: those of the service do not reach so far."""
    await conn.execute(
        sql("create_token"),
        *(bucket_of(token.token_id), token.token_id, token.name, token.scope, token.digest),
        *(token.created_at, token.expires_at),
    )


async def revoke(conn: "Connection", token_id: str, now: datetime) -> datetime | None:
    """Since when it is revoked; None where no token has this id."""
    since: datetime | None = await conn.fetchval(sql("revoke_token"), bucket_of(token_id), token_id, now)
    return since


async def listed(conn: "Connection") -> Sequence[StoredToken]:
    return [StoredToken(**row) for row in await conn.fetch(sql("tokens"))]
