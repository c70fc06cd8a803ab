"""How soon a stranger hears that their proof is wrong: a few at once, many in turn.

Whoever floods the door with forged deliveries or guessed tokens waits for each answer, so the flood gets no
faster than this, and what is proven, which never waits here, hardly notices it. To hang up on those for whom
there is no turn would only have them call again: they are held as long as anybody, and then hung up on.
"""

import time
from collections.abc import Callable


class Refusals:
    """``per_second``, after ``at_once`` without a pause; nobody waits more than ``longest`` seconds.

    Each process counts alone."""

    def __init__(
        self,
        per_second: float = 100,
        at_once: int = 200,
        longest: float = 5.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._apart = 1 / per_second
        self._ahead = (at_once - 1) * self._apart
        self._longest = longest
        self._now = now
        self._turn = now()

    def wait(self) -> tuple[float, bool]:
        """Seconds until this refusal is told, and whether the connection ends then: too many wait already."""
        now = self._now()
        turn = max(self._turn, now)
        wait = max(0.0, turn - now - self._ahead)
        if wait > self._longest:
            return self._longest, True
        self._turn = turn + self._apart
        return wait, False
