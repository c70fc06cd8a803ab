"""Keeps the state in one JSON file, so that a restarted sandbox remembers."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from service.sandbox.upwork.account import UpworkAccount
from service.sandbox.upwork.records import State

EVERY_SECONDS = 1.0


class Storage:
    """Loads at startup, saves about once a second when something changed, and at cleanup."""

    def __init__(self, account: UpworkAccount, path: Path) -> None:
        self._account = account
        self._path = path
        self._dirty = False
        self._written = b""

    @web.middleware
    async def notice_changes(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        finally:
            self._dirty = True

    async def run(self, app: web.Application) -> AsyncIterator[None]:
        """For `app.cleanup_ctx`, inside the emitter's, so that unsent webhooks are still known at the end."""
        if self._path.exists():
            self._account.state = msgspec.json.decode(self._path.read_bytes(), type=State)
            self._account.clock.ahead_by = self._account.state.clock_ahead_by
            self._account.send_unsent()
        saving = asyncio.create_task(self._save_often())
        yield
        saving.cancel()
        await asyncio.gather(saving, return_exceptions=True)
        self.save()

    def save(self) -> None:
        """Write the file anew, whole or not at all."""
        self._dirty = False
        raw = self._snapshot()
        if raw == self._written:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(self._path.suffix + ".new")
        beside.write_bytes(raw)
        os.replace(beside, self._path)
        self._written = raw

    def _snapshot(self) -> bytes:
        account = self._account
        now = account.clock.now()
        state = account.state
        for tokens in (state.access_tokens, state.refresh_tokens, state.codes):
            for token in [token for token, held in tokens.items() if held.expires_at < now]:
                del tokens[token]
        state.unsent = account.unsent()
        state.clock_ahead_by = account.clock.ahead_by
        return msgspec.json.encode(state)

    async def _save_often(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            if self._dirty or self._account.state.unsent or self._account.emitter.undelivered():
                self.save()
