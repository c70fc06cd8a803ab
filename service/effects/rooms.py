"""How many effects may be under way at once in this process: calls, and apart from them reads of contracts.

Most reads wait for Upwork's limit, which bounds them, and hold nothing meanwhile; the more of them wait, the
more one request carries. So they take no place from calls that could be made.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from domain.effects import CHANNELS, ReadContract
from service.clients.gathering import MOST

READS = 4 * MOST
"""Reads under way at once: what Upwork's limit lets out in half a second."""

READING = frozenset({ReadContract.__name__})
CALLING = frozenset(kind.__name__ for kind in CHANNELS) - READING


class Room:
    """Places for effects of some kinds. One that only has its outcome recorded makes room for what that leads
    to. ``missed``: somebody found it full."""

    def __init__(self, kinds: frozenset[str], size: int) -> None:
        self.kinds = kinds
        self.slots = asyncio.Semaphore(size)
        self.inside = self.settling = self.reserved = 0
        self.missed = False
        self._size = size

    @property
    def free(self) -> int:
        return self._size - (self.inside - self.settling) - self.reserved

    @property
    def worth_a_look(self) -> bool:
        """A few places are, or any when nothing is under way."""
        return self.missed and (self.free >= max(1, self._size // 4) or not self.inside)

    @contextmanager
    def making_room(self) -> Iterator[None]:
        self.settling += 1
        try:
            yield
        finally:
            self.settling -= 1


class Rooms:
    """Every kind of effect has its room."""

    def __init__(self, calls: int) -> None:
        self._calls, self._reads = Room(CALLING, calls), Room(READING, READS)
        self._all = (self._calls, self._reads)

    def of(self, kind: str) -> Room:
        return self._reads if kind in READING else self._calls

    def look(self, *, for_all: bool) -> tuple[int, frozenset[str]]:
        """How many effects surely find room, and the kinds that find none.

        ``for_all``: all that is due is looked for, so that nobody misses what has room now.
        """
        full = [room for room in self._all if room.free <= 0]
        for room in self._all:
            room.missed = room in full or (room.missed and not for_all)
        free = min((room.free for room in self._all if room not in full), default=0)
        return free, frozenset(kind for room in full for kind in room.kinds)

    @property
    def worth_a_look(self) -> bool:
        return any(room.worth_a_look for room in self._all)

    def reserve(self, kinds: Sequence[str]) -> bool:
        """A place for each, or none for any."""
        wanted = Counter(self.of(kind) for kind in kinds)
        short = [room for room, count in wanted.items() if room.free < count]
        for room in short:
            room.missed = True
        if not short:
            for room, count in wanted.items():
                room.reserved += count
        return not short

    def let_go(self, kinds: Sequence[str]) -> None:
        """Give reserved places back."""
        for kind in kinds:
            self.of(kind).reserved -= 1
