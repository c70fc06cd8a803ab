"""How many effects may be under way at once in this process: calls, and apart from them reads of contracts.

Most reads wait for Upwork's limit, which bounds them, and hold nothing meanwhile; the more of them wait, the
more one request carries. So they take no place from calls that could be made.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager

from domain.effects import CHANNELS, ReadContract
from service.clients.gathering import MOST

READS = 16 * MOST
"""Reads under way at once: what Upwork's limit lets out in under two seconds."""

AHEAD = 4
"""For each call under way so many more may wait here for their turn, handed over by whoever asked for them:
that costs neither a look into the store nor the pause before it."""

CALLS_OF_A_READ = 2
"""A contract that was read asks for its contractor and its job."""

READS_WHILE_CALLS_FLOW = 4 * MOST
"""So many reads may be under way as long as no call waits: what Upwork's limit lets out in half a second, so
that its requests go out full."""

READING = frozenset({ReadContract.__name__})
CALLING = frozenset(kind.__name__ for kind in CHANNELS) - READING


class Room:
    """Places for effects of some kinds. One that only has its outcome recorded makes room for what that leads
    to. ``missed``: others wait in the store, for all that is known here."""

    def __init__(self, kinds: frozenset[str], size: int, ahead: int = 0) -> None:
        self.kinds = kinds
        self.slots = asyncio.Semaphore(size)
        self.inside = self.settling = self.reserved = 0
        self.missed = False
        self.size = size
        self._ahead = ahead

    @property
    def free(self) -> int:
        return self.size - (self.inside - self.settling) - self.reserved

    @property
    def to_hand(self) -> int:
        """Places for what is handed over, those to wait in among them."""
        return self.free + self._ahead * self.size

    @property
    def most_to_hand(self) -> int:
        return (1 + self._ahead) * self.size

    @property
    def to_claim(self) -> int:
        """Places for what waits in the store, where others may take it: no more than soon get their turn, but
        always some, that nothing there waits for ever while more is handed over."""
        if not self._ahead:
            return self.free
        return max(self.free + self.size, min(self.few, self.to_hand + self.size))

    @property
    def few(self) -> int:
        return max(1, self.size // 4)

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
        self._calls, self._reads = Room(CALLING, calls, AHEAD), Room(READING, READS)
        self._all = (self._calls, self._reads)

    def of(self, kind: str) -> Room:
        return self._reads if kind in READING else self._calls

    def look(self) -> tuple[int, frozenset[str]]:
        """How many effects surely find room, and the kinds that find none."""
        places = {room: self._to_claim(room) for room in self._all}
        full = [room for room in places if places[room] <= 0]
        for room in full:
            room.missed = True
        free = min((places[room] for room in places if room not in full), default=0)
        return free, frozenset(kind for room in full for kind in room.kinds)

    def looked(self, without: Collection[str], found: Collection[str], *, all_taken: bool) -> None:
        """What was ``found``, of all kinds but those left out: whatever was due, or as much as was wanted."""
        for room in self._all:
            if all_taken and room.kinds.isdisjoint(without):
                room.missed = False
            elif not all_taken and not room.kinds.isdisjoint(found):
                room.missed = True

    @property
    def at_once(self) -> int:
        """How many effects would surely begin at once, where any would."""
        return min((room.free for room in self._all if room.free > 0), default=0)

    @property
    def worth_a_look(self) -> bool:
        """Others wait in the store, and there are a few places, or any where nothing is under way."""
        return any(room.missed and self._to_claim(room) >= self._worth(room) for room in self._all)

    def reserve(self, kinds: Sequence[str]) -> bool:
        """A place for each, or none for any."""
        wanted = Counter(self.of(kind) for kind in kinds)
        if any(self._to_hand(room) < count for room, count in wanted.items()):
            return False
        for room, count in wanted.items():
            room.reserved += count
        return True

    def left(self, kinds: Iterable[str]) -> None:
        """Some of these were left to the store."""
        for kind in kinds:
            self.of(kind).missed = True

    def let_all_in(self) -> None:
        """Whoever waits for a turn gets it now, where nothing is begun any more."""
        for room in self._all:
            for _ in range(room.inside):
                room.slots.release()

    def let_go(self, kinds: Sequence[str]) -> None:
        """Give reserved places back."""
        for kind in kinds:
            self.of(kind).reserved -= 1

    def _to_claim(self, room: Room) -> int:
        return min(room.to_claim, self._to_begin) if room is self._reads else room.to_claim

    def _to_hand(self, room: Room) -> int:
        return min(room.to_hand, self._to_begin) if room is self._reads else room.to_hand

    def _worth(self, room: Room) -> int:
        """How many places are worth a look: a good part of those there can be."""
        if not room.inside:
            return 1
        if room is self._calls:
            return room.few
        return max(1, min(room.size, self._calls.most_to_hand // CALLS_OF_A_READ) // 4)

    @property
    def _to_begin(self) -> int:
        """What was begun is carried on first: once calls wait for their turn, no more contracts are read than
        will find places for the calls they lead to."""
        flowing = READS_WHILE_CALLS_FLOW if self._calls.free > 0 else 0
        reading = self._reads.inside + self._reads.reserved
        return max(self._calls.to_hand // CALLS_OF_A_READ, flowing) - reading
