"""Sends a sandbox's webhooks: signed, at least once, in order, with the faults a test orders.

Any 2xx is success; a redirect, a timeout or anything else is a failure and is tried again later, aside, so
that the events after it do not wait. Without a target an event is only recorded.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, web

from service.sandbox.clock import Clock

# Makes the proof of origin: (raw body, the sandbox clock's now) -> headers.
Sign = Callable[[bytes, float], Mapping[str, str]]

TRIES = 6
KEPT = 10_000


class DeliveryFaults(Protocol):
    """The part of the fault rules the emitter asks."""

    def take_for_delivery(self, kinds: Sequence[str], path: str) -> str | None: ...


@dataclass(frozen=True)
class Target:
    """Where a webhook goes: `path` is what fault rules match, `sign` makes its headers."""

    url: str
    path: str
    sign: Sign


@dataclass(eq=False)
class Delivery:
    """One event on its way to one target (None: nobody listens).

    `status` is pending, delivered, failed (given up), lost (by a fault) or recorded (no target);
    `answer` is the last HTTP status, None when there was none.
    """

    id: str
    type: str
    raw: bytes
    target: Target | None
    attempts: int = 0
    status: str = "pending"
    answer: int | None = None
    faults: list[str] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": self.type,
            "body": orjson.loads(self.raw),
            "url": self.target and self.target.url,
            "attempts": self.attempts,
            "status": self.status,
            "answer": self.answer,
            "faults": self.faults,
        }


class Emitter:
    """A queue and a background task per lane; add `emitter.run` to the app's `cleanup_ctx`.

    One lane (the default) keeps the order of the whole app. With more, events that share an `order_key` keep
    their order and the rest go side by side, for load tests.
    """

    def __init__(
        self,
        clock: Clock,
        faults: DeliveryFaults,
        *,
        retry_base_seconds: float = 1.0,
        timeout_seconds: float = 10.0,
        hold_seconds: float = 5.0,
        lanes: int = 1,
    ) -> None:
        self.clock = clock
        self.faults = faults
        self.log: deque[Delivery] = deque(maxlen=KEPT)
        self._retry_base = retry_base_seconds
        self._timeout = ClientTimeout(total=timeout_seconds)
        self._hold_seconds = hold_seconds
        self._lanes: list[asyncio.Queue[Delivery]] = [asyncio.Queue() for _ in range(lanes)]
        self._pending: dict[Delivery, None] = {}
        self._held: list[Delivery] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._session: ClientSession | None = None

    def emit(self, id: str, type: str, body: Any, targets: Sequence[Target], order_key: str = "") -> None:
        """Queue one event (`body` is dumped as JSON once) to every target; with none it is only recorded."""
        raw = orjson.dumps(body)
        if not targets:
            self.log.append(Delivery(id, type, raw, None, status="recorded"))
        for target in targets:
            delivery = Delivery(id, type, raw, target)
            self.log.append(delivery)
            self._pending[delivery] = None
            self._lanes[hash(order_key) % len(self._lanes)].put_nowait(delivery)

    def undelivered(self) -> list[str]:
        """Ids of the events still on their way, oldest first: what a sandbox that restarts sends again."""
        return list(dict.fromkeys(delivery.id for delivery in self._pending))

    def forget(self) -> None:
        """Drop the log and everything on its way."""
        self.log.clear()
        self._pending.clear()
        self._held.clear()
        self._changed.set()

    async def drain(self) -> None:
        """Return when every delivery has been answered or given up; held ones go when only they are left."""
        while self._pending:
            self._changed.clear()
            if len(self._held) == len(self._pending):
                self._release()
            await self._changed.wait()

    async def run(self, app: web.Application) -> AsyncIterator[None]:
        """For `app.cleanup_ctx`: sends while the app is up."""
        async with ClientSession(timeout=self._timeout, cookie_jar=DummyCookieJar()) as self._session:
            for lane in self._lanes:
                self._spawn(self._send_lane(lane))
            yield
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._session = None

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_lane(self, lane: "asyncio.Queue[Delivery]") -> None:
        while True:
            delivery = await lane.get()
            if delivery in self._pending:
                await self._first_try(delivery)

    async def _first_try(self, delivery: Delivery) -> None:
        fault = self._take(delivery, "reorder", "lose", "duplicate")
        if fault == "lose":
            self._close(delivery, "lost")
            return
        if fault == "reorder":
            self._held.append(delivery)
            self._spawn(self._release_later(delivery))
            self._changed.set()
            return
        if fault == "duplicate":
            await self._post(delivery)
        await self._try(delivery)
        self._release()

    def _release(self) -> None:
        held, self._held = self._held, []
        for delivery in held:
            self._spawn(self._try(delivery))

    async def _release_later(self, delivery: Delivery) -> None:
        """At least once: a held delivery does not wait for ever for a next one that never comes."""
        await asyncio.sleep(self._hold_seconds)
        if delivery in self._held:
            self._release()

    async def _try(self, delivery: Delivery) -> None:
        if await self._post(delivery):
            self._close(delivery, "delivered")
        else:
            self._spawn(self._retry(delivery))

    async def _retry(self, delivery: Delivery) -> None:
        for doubling in range(TRIES - 1):
            await asyncio.sleep(self._retry_base * 2**doubling)
            if await self._post(delivery):
                self._close(delivery, "delivered")
                return
        self._close(delivery, "failed")

    async def _post(self, delivery: Delivery) -> bool:
        target = delivery.target
        if target is None or self._session is None:
            return False
        headers = dict(target.sign(delivery.raw, self.clock.now()))
        if self._take(delivery, "bad-signature"):
            headers = {name: _spoilt(value) for name, value in headers.items()}
        headers["Content-Type"] = "application/json"
        delivery.attempts += 1
        delivery.answer = None
        with contextlib.suppress(ClientError, TimeoutError, OSError):
            posting = self._session.post(
                target.url, data=delivery.raw, headers=headers, allow_redirects=False
            )
            async with posting as answer:
                delivery.answer = answer.status
        return delivery.answer is not None and 200 <= delivery.answer < 300

    def _take(self, delivery: Delivery, *kinds: str) -> str | None:
        fault = self.faults.take_for_delivery(kinds, delivery.target.path) if delivery.target else None
        if fault:
            delivery.faults.append(fault)
        return fault

    def _close(self, delivery: Delivery, status: str) -> None:
        delivery.status = status
        self._pending.pop(delivery, None)
        self._changed.set()


def _spoilt(value: str) -> str:
    return value[:-1] + ("0" if value[-1:] != "0" else "1")
