"""Hands for a demonstration: asks a running service, and moves the sandboxes behind it, only over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp

from domain.errors import CoverdError

PATIENCE = 30.0
"""Seconds a demonstration waits for one step."""

PAUSES = (0.05, 1.0)
"""Seconds after which it looks again though nothing was told: at first, and doubled up to at most.

Not all that happens is an event: a delivery that is set aside, a call at a vendor.
"""


class DemoFailed(CoverdError):
    """{what}"""


class Peer:
    """A JSON API at ``url``; every answer that isn't 2xx becomes `DemoFailed` with the server's words."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self._session = session
        self.url = url
        self._headers = headers or {}

    async def get(self, path: str) -> Any:
        return await self._send("GET", path, None)

    async def post(
        self, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        return await self._send("POST", path, body or {}, headers)

    async def find(self, path: str) -> Any:
        """Like `get`, but None where there is nothing."""
        async with self._session.get(self.url + path, headers=self._headers) as response:
            return None if response.status == 404 else await response.json()

    async def raw_post(self, path: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Send bytes as they are; the status."""
        sent = {**headers, "Content-Type": "application/json"}
        async with self._session.post(self.url + path, data=body, headers=sent) as response:
            await response.read()
            return response.status

    @asynccontextmanager
    async def told(self, path: str) -> AsyncIterator[asyncio.Event]:
        """Set with each message that a stream of Server-Sent Events brings from now on."""
        news = asyncio.Event()
        without_end = aiohttp.ClientTimeout(total=None)
        async with self._session.get(self.url + path, headers=self._headers, timeout=without_end) as stream:
            if stream.status != 200:
                raise DemoFailed(what=f"GET {self.url}{path} answered {stream.status}")
            listening = asyncio.create_task(_listen(stream.content, news))
            try:
                yield news
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
                stream.close()

    async def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        try:
            async with self._session.request(
                method, self.url + path, json=body, headers={**self._headers, **(headers or {})}
            ) as response:
                found = await response.json(content_type=None)
                if response.status >= 300:
                    detail = found.get("detail", found) if isinstance(found, dict) else found
                    raise DemoFailed(what=f"{method} {self.url}{path} answered {response.status}: {detail}")
                return found
        except aiohttp.ClientError as error:
            raise DemoFailed(
                what=f"{self.url} cannot be reached ({type(error).__name__}): is coverd up?"
            ) from None


class Driver:
    """The service and the two sandboxes."""

    patience: float | None = None
    """Seconds it waits for one thing; None: as long as every demonstration does."""

    def __init__(self, service: Peer, upwork: Peer, ten99policy: Peer) -> None:
        self.service = service
        self.upwork = upwork
        self.ten99policy = ten99policy

    # the world

    async def contract(self, **body: Any) -> str:
        """A new contract at Upwork whose offer is accepted; its id."""
        made = await self.upwork.post("/_control/contracts", body)
        return str(made["contract"]["id"])

    async def offer(self, engagement_id: str) -> None:
        await self.upwork.post(f"/_control/contracts/{engagement_id}/offer")

    async def activate(self, engagement_id: str) -> None:
        await self.upwork.post(f"/_control/contracts/{engagement_id}/activate")

    async def end(self, engagement_id: str) -> None:
        await self.upwork.post(f"/_control/contracts/{engagement_id}/end")

    async def complete_session(self, engagement_id: str) -> None:
        """The contractor opts in."""
        shown = await self.status(engagement_id)
        session = shown["ten99policy"]["session"]["id"]
        await self.ten99policy.post(f"/_control/sessions/{session}/complete")

    async def policy(self, engagement_id: str, act: str, **body: Any) -> None:
        """``act``: expire · cancel · reactivate."""
        policy = (await self.status(engagement_id))["ten99policy"]["policy"]
        await self.ten99policy.post(f"/_control/policies/{policy}/{act}", body)

    async def certificate(self, engagement_id: str, act: str, **body: Any) -> None:
        """``act``: approve · flag · deny, once the certificate is uploaded."""
        shown = await self.until(engagement_id, lambda s: s["ten99policy"]["certificate"] is not None)
        certificate = shown["ten99policy"]["certificate"]
        await self.ten99policy.post(f"/_control/certificates/{certificate}/{act}", body)

    # the service

    async def status(self, engagement_id: str) -> dict[str, Any]:
        shown: dict[str, Any] = await self.service.get(f"/v1/engagements/{engagement_id}")
        return shown

    async def until_state(self, engagement_id: str, *states: str) -> dict[str, Any]:
        return await self.until(engagement_id, lambda shown: shown["state"] in states)

    async def until(self, engagement_id: str, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The engagement's answer once ``reached`` holds. Raises `DemoFailed` when patience ends."""
        shown: dict[str, Any] = {}

        async def look() -> bool:
            found = await self.service.find(f"/v1/engagements/{engagement_id}")
            shown.clear()
            shown.update(found or {})
            return bool(shown) and reached(shown)

        await self.until_true(look, f"engagement {engagement_id}", lambda: _brief(shown))
        return shown

    async def until_event(self, engagement_id: str, type_name: str) -> None:
        """Wait for an event of this type in the history."""

        async def look() -> bool:
            return any(event["type"] == type_name for event in await self.events(engagement_id))

        await self.until_true(look, f"{type_name} of engagement {engagement_id}")

    async def until_true(
        self,
        look: Callable[[], Awaitable[bool]],
        what: str,
        seen: Callable[[], str] = lambda: "nothing yet",
    ) -> None:
        """Look, and again after each event of the service's feed, until it is so.

        An event is in the feed only when the lists show it too, so what it leads to is there to be seen.
        """
        patience = self.patience or PATIENCE
        try:
            async with asyncio.timeout(patience):
                if not await look():
                    await self._watch(look)
        except TimeoutError:
            raise DemoFailed(what=f"Waited {patience:.0f} s for {what}; it shows {seen()}.") from None

    async def _watch(self, look: Callable[[], Awaitable[bool]]) -> None:
        pause, longest = PAUSES
        async with self.service.told("/v1/feed") as news:
            # The first look is for what came before the feed was opened.
            while not await look():
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await news.wait()
                pause = min(2 * pause, longest)
                news.clear()

    async def events(self, engagement_id: str) -> list[dict[str, Any]]:
        found = await self.service.get(f"/v1/engagements/{engagement_id}/events")
        items: list[dict[str, Any]] = found["items"]
        return items


async def _listen(stream: aiohttp.StreamReader, news: asyncio.Event) -> None:
    async for _ in stream.iter_any():
        news.set()


def _brief(shown: Mapping[str, Any]) -> str:
    if not shown:
        return "nothing"
    codes = ", ".join(a["code"] for a in shown["attention"]) or "no attention"
    return f"state {shown['state']}, {codes}"
