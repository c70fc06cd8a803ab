"""Counts over many rows, kept for a moment: the more there are, the longer."""

import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Count = TypeVar("Count")


@dataclass(frozen=True, slots=True)
class Moment:
    """Up to ``few`` rows are counted for whoever asks; more of them again after ``each`` seconds a row, and
    after ``most`` at the latest."""

    few: int
    each: float
    most: float

    def of(self, rows: int) -> float:
        """Seconds for which a count of so many rows is kept."""
        return min(rows * self.each, self.most) if rows > self.few else 0.0


class Counted(Generic[Count]):
    """``rows`` says how many rows a count is about."""

    def __init__(self, moment: Moment, rows: Callable[[Count], int]) -> None:
        self._moment = moment
        self._rows = rows
        self._kept: dict[Hashable, tuple[float, Count]] = {}

    async def get(self, key: Hashable, count: Callable[[], Awaitable[Count]]) -> Count:
        """What ``count`` gives, or gave a moment ago for the same ``key``."""
        now = time.monotonic()
        kept = self._kept.get(key)
        if kept is not None and now < kept[0]:
            return kept[1]
        found = await count()
        if (seconds := self._moment.of(self._rows(found))) > 0:
            self._kept[key] = now + seconds, found
        else:
            self._kept.pop(key, None)
        return found
