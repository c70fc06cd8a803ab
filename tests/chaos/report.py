"""What a run found: counts, how quickly all worked again, and every complaint in words."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from chaos.schedule import Recovery


@dataclass
class Report:
    """No complaint means that the run is good. ``slowest_refusal``: seconds until a replica answered 503, and
    the last fault before it.

    ``processed_after``, ``called_after``: median and most seconds from a delivery's receipt, or from when
    a call was wanted, to its end."""

    seed: int
    engagements: int = 0
    right: int = 0
    accepted: int = 0
    stored: int = 0
    polled: int = 0
    refused: dict[int, int] = field(default_factory=dict)
    slowest_refusal: tuple[float, str] = (0.0, "")
    processed_after: tuple[float, float] = (0.0, 0.0)
    called_after: tuple[float, float] = (0.0, 0.0)
    wanted: int = 0
    done: int = 0
    doubled: int = 0
    tries: int = 0
    keys: int = 0
    calls: int = 0
    events: int = 0
    faults: list[str] = field(default_factory=list)
    recoveries: list[Recovery] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.complaints

    def view(self) -> dict[str, Any]:
        return {**asdict(self), "good": self.good}

    def text(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"seed                 {self.seed}"
        yield f"faults               {len(self.faults)}"
        yield (
            f"deliveries           {self.accepted} accepted, {self.stored} of them stored once,"
            f" {self.polled} more found by asking"
        )
        took, during = self.slowest_refusal
        refused = dict(sorted(self.refused.items())) or "none"
        yield f"refused meanwhile    {refused}, a replica's slowest 503 after {took:.2f} s ({during})"
        yield f"processed            after {_usual_and_most(self.processed_after)}"
        yield (
            f"effects              {self.wanted} wanted, {self.done} done in {self.tries} tries,"
            f" {self.doubled} doubled at the vendors ({self.calls} calls under {self.keys} keys)"
        )
        yield f"called               after {_usual_and_most(self.called_after)}"
        yield f"engagements          {self.right} of {self.engagements} in their right state"
        yield f"log                  {self.events} events"
        yield from self._recoveries()
        yield from (f"WRONG: {complaint}" for complaint in self.complaints)
        yield "Nothing lost, nothing doubled, all right." if self.good else "NOT GOOD."

    def _recoveries(self) -> Iterator[str]:
        kinds: dict[str, list[float]] = defaultdict(list)
        for recovery in self.recoveries:
            kinds[recovery.fault].append(recovery.seconds)
        for fault, seconds in sorted(kinds.items()):
            yield (
                f"working again after  {fault}: {len(seconds)} times,"
                f" median {median(seconds):.2f} s, slowest {max(seconds):.2f} s"
            )


def _usual_and_most(seconds: tuple[float, float]) -> str:
    return "{:.2f} s (median), {:.2f} s (slowest)".format(*seconds)
