"""Answers kept under their idempotency keys for a day (fact sheet 5)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Stored:
    """The first answer given under a key, failures included."""

    at: float
    status: int
    body: bytes


class Answers:
    """Keys are scoped by environment and path before they come here. Times are the sandbox clock's."""

    def __init__(self) -> None:
        self._stored: dict[str, Stored] = {}
        self._running: set[str] = set()

    def find(self, key: str, now: float) -> Stored | None:
        stored = self._stored.get(key)
        return stored if stored and now - stored.at < KEPT_SECONDS else None

    def keep(self, key: str, stored: Stored) -> None:
        self._stored[key] = stored

    def is_running(self, key: str) -> bool:
        return key in self._running

    @contextmanager
    def running(self, key: str) -> Iterator[None]:
        """While inside, a second request with the key is a clash."""
        self._running.add(key)
        try:
            yield
        finally:
            self._running.discard(key)

    def clear(self) -> None:
        self._stored.clear()

    def dump(self, now: float) -> dict[str, Any]:
        """What is still good at `now`; the rest is forgotten."""
        self._stored = {key: s for key, s in self._stored.items() if now - s.at < KEPT_SECONDS}
        return {key: [s.at, s.status, s.body.decode()] for key, s in self._stored.items()}

    def load(self, saved: dict[str, Any]) -> None:
        self._stored = {key: Stored(at, status, body.encode()) for key, (at, status, body) in saved.items()}
