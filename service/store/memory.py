"""The store in plain dictionaries: the same promises as on Postgres, for tests of what is built on it."""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256

from service.ports import Append, Appended
from service.store.memory_events import MemoryEvents
from service.store.memory_operations import MemoryOperations
from service.store.memory_sources import MemorySources
from service.store.memory_vendors import MemoryVendors


class MemoryStore(MemoryEvents, MemorySources, MemoryVendors, MemoryOperations):
    """Every promise of `service.ports.Store` but to outlive the process. ``clock`` gives aware times.

    Its methods never wait, so each of them is one transaction.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        MemoryEvents.__init__(self, clock)
        MemorySources.__init__(self, clock)
        MemoryVendors.__init__(self, clock)
        MemoryOperations.__init__(self, clock)
        self._files: dict[str, bytes] = {}

    async def append(self, append: Append) -> Appended:
        appended = await MemoryEvents.append(self, append)
        if appended.outcome == "appended" and append.delivery is not None:
            done = append.delivery
            await self.settle_delivery(done.delivery_id, "applied", done.type, None, [append.stream_id])
        return appended

    async def put_file(self, content: bytes) -> str:
        digest = sha256(content).hexdigest()
        self._files.setdefault(digest, content)
        return digest

    async def file(self, sha256: str) -> bytes | None:
        return self._files.get(sha256)

    async def ready(self) -> None:
        return None

    async def close(self) -> None:
        return None
