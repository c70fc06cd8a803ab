"""Room for connections: as many as the process can hold; beyond that who was silent longest makes room."""

from collections import OrderedDict
from contextlib import suppress
from typing import Protocol

FILES = 10_240
"""What a process asks to have open at once; no system that allows more than it needs allows less."""

OTHER_FILES = 256
"""What it opens beside its connections, with some to spare."""


class Held(Protocol):
    """A connection. ``waits``: whether it is this side that waits, for a request or for the rest of one."""

    @property
    def waits(self) -> bool: ...

    def cut(self) -> None: ...


class Room:
    """``most`` connections at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[Held, None] = OrderedDict()
        """Who was heard last stands last."""

    def enter(self, comer: Held) -> None:
        """Takes it in, and cuts another, or where all others are being answered, the comer itself."""
        self._held[comer] = None
        if len(self._held) > self._most:
            self._cut_the_most_silent()

    def heard(self, one: Held) -> None:
        if one in self._held:
            self._held.move_to_end(one)

    def leave(self, one: Held) -> None:
        self._held.pop(one, None)

    def _cut_the_most_silent(self) -> None:
        for _ in range(len(self._held)):
            one = next(iter(self._held))
            if one.waits:
                self.leave(one)
                one.cut()
                return
            self._held.move_to_end(one)  # being answered: not looked at again for as long as it can be


def room_for(most: int | None = None) -> Room:
    """For ``most``; None: for as many as this process can hold, after it has asked for all it may open."""
    return Room(_most() if most is None else most)


def _most() -> int:
    try:
        import resource
    except ImportError:  # where there is no such limit
        return FILES - OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < FILES:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (FILES if hard < 0 else min(FILES, hard), hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(FILES if soft < 0 else min(soft, FILES), 2 * OTHER_FILES) - OTHER_FILES
