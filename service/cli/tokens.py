"""`coverd token`: API tokens are made, listed and revoked in the database, which keeps their hashes only."""

import re
import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from service.cli.migrate import connection
from service.cli.terminal import MISUSED, end, put, put_json, put_table, say
from service.clock import rfc3339, utc_now
from service.store import tokens as table
from service.store.tokens import StoredToken

PATIENCE = 10.0
"""Seconds within which a database that is there has answered."""

MOST_NAME = 100
"""Characters."""

UNITS = {"d": "days", "h": "hours", "m": "minutes"}


async def create(scope: str, name: str, expires: str | None, as_json: bool) -> None:
    """The token goes to stdout and can be had nowhere else afterwards."""
    now = utc_now()
    until = None if expires is None else _until(expires, now)
    if len(name) > MOST_NAME or not name.isprintable():
        end(f"--name takes one line of at most {MOST_NAME} characters.", MISUSED)
    text = f"cvd_{secrets.token_urlsafe(32)}"
    digest = sha256(text.encode()).digest()
    made = StoredToken(f"tk_{secrets.token_hex(6)}", name, scope, digest, now, until, None, None)
    async with connection(PATIENCE) as conn:
        await table.create(conn, made)
    if as_json:
        put_json({"token": text, **_view(made, now)})
        return
    ends = f", until {rfc3339(until)}" if until else ""
    say(f"Token {made.token_id} may {scope}{ends}. It is shown this once:")
    put(text)


async def show(as_json: bool) -> None:
    now = utc_now()
    async with connection(PATIENCE) as conn:
        found = [_view(token, now) for token in await table.listed(conn)]
    if as_json:
        put_json(found)
        return
    columns = ("id", "name", "scope", "state", "created_at", "expires_at", "last_used_at")
    rows = [tuple(str(one[column] or "–") for column in columns) for one in found]
    put_table(("id", "name", "scope", "state", "created", "expires", "last used"), rows)


async def revoke(token_id: str, as_json: bool) -> None:
    if not re.fullmatch(r"tk_[0-9a-z]{1,40}", token_id):
        end("A token's id looks like tk_4f1c09d2a7b3; coverd token list shows them.", MISUSED)
    async with connection(PATIENCE) as conn:
        since = await table.revoke(conn, token_id, utc_now())
    if since is None:
        end(f"No token has the id {token_id}; coverd token list shows them.")
    if as_json:
        put_json({"id": token_id, "revoked_at": rfc3339(since)})
    else:
        say(f"Token {token_id} is revoked; within seconds it opens nothing any more.")


def _view(token: StoredToken, now: datetime) -> dict[str, Any]:
    return {
        "id": token.token_id,
        "name": token.name,
        "scope": token.scope,
        "state": token.state(now),
        "created_at": rfc3339(token.created_at),
        "expires_at": rfc3339(token.expires_at),
        "revoked_at": rfc3339(token.revoked_at),
        "last_used_at": rfc3339(token.last_used_at),
    }


def _until(text: str, now: datetime) -> datetime:
    """``90d``, ``12h``, ``30m``, a day (it ends with it, UTC) or an instant with an offset."""
    try:
        if span := re.fullmatch(r"([1-9][0-9]{0,5})([dhm])", text):
            until = now + timedelta(**{UNITS[span[2]]: int(span[1])})
        elif re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            until = datetime.fromisoformat(text).replace(tzinfo=UTC) + timedelta(days=1)
        else:
            until = datetime.fromisoformat(text)
        if until <= now:
            raise ValueError
    except (ValueError, TypeError, OverflowError):
        end("--expires takes a time to come: 90d, 12h, 2027-06-30, or 2027-06-30T12:00:00Z.", MISUSED)
    return until
