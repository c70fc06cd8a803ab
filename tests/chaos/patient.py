"""Hands that outlast an outage: they ask again until the service answers, and look until it is so."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import uuid4

import aiohttp

from service.demo.driver import DemoFailed, Driver, Peer
from service.demo.flows import FLOWS, MONTH, Flow, returning

PAUSE = 0.2


class Stubborn(Peer):
    """Asks again for ``patience`` seconds while nobody answers; a write keeps its Idempotency-Key."""

    def __init__(self, session: aiohttp.ClientSession, url: str, patience: float) -> None:
        super().__init__(session, url)
        self._patience = patience

    async def find(self, path: str) -> Any:
        return await self._until_answered("GET", path, None, missing_is_none=True)

    async def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        return await self._until_answered(method, path, body, missing_is_none=False)

    async def _until_answered(
        self, method: str, path: str, body: Mapping[str, Any] | None, *, missing_is_none: bool
    ) -> Any:
        headers = {"Idempotency-Key": uuid4().hex}
        async with asyncio.timeout(self._patience):
            while True:
                try:
                    async with self._session.request(
                        method, self.url + path, json=body, headers=headers
                    ) as answered:
                        if answered.status == 404 and missing_is_none:
                            return None
                        if answered.status < 300:
                            return await answered.json(content_type=None)
                        why = f"{method} {path} answered {answered.status}: {await answered.text()}"
                except (aiohttp.ClientError, ConnectionError, ValueError) as error:
                    why = f"{method} {path}: {type(error).__name__}"
                if why.partition("answered ")[2][:1] == "4" and "answered 404" not in why:
                    raise DemoFailed(what=why)
                await asyncio.sleep(PAUSE)


class Patient(Driver):
    """A driver without a feed. ``calendar`` is held while the sandbox's clock stands elsewhere."""

    def __init__(
        self, service: Peer, upwork: Peer, ten99policy: Peer, patience: float, pause: float = PAUSE
    ) -> None:
        super().__init__(service, upwork, ten99policy)
        self._patience, self._pause = patience, pause
        self.calendar = asyncio.Lock()

    async def contract(self, **body: Any) -> str:
        async with self.calendar:
            return await super().contract(**body)

    async def end(self, engagement_id: str) -> None:
        async with self.calendar:
            await super().end(engagement_id)

    async def until_true(
        self,
        look: Callable[[], Awaitable[bool]],
        what: str,
        seen: Callable[[], str] = lambda: "nothing yet",
    ) -> None:
        try:
            async with asyncio.timeout(self._patience):
                while not await look():
                    await asyncio.sleep(self._pause)
        except TimeoutError:
            raise DemoFailed(what=f"Waited {self._patience:.0f} s for {what}; it shows {seen()}.") from None


async def ended_after_start(drive: Driver) -> str:
    """The flow of that name, with the sandbox's clock to itself for the moment of the end."""
    assert isinstance(drive, Patient)
    engagement = await returning(drive)
    async with drive.calendar:
        await drive.upwork.post("/_control/clock", {"advance": MONTH})
        await Driver.end(drive, engagement)
        await drive.upwork.post("/_control/clock", {"now": None})
    await drive.until_event(engagement, "CoverageEnded")
    return engagement


KINDS: dict[str, tuple[Flow, str]] = {**FLOWS, "ended after start": (ended_after_start, "ended")}
