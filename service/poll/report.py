"""What a sweep asked, found and healed, as people and scripts read it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Found:
    """A fact nobody here knew. ``outcome`` is what became of its delivery; ``late``: a webhook should have
    brought it by now, or a person's sweep was quicker."""

    source: str
    type: str
    about: str
    delivery: str
    outcome: str | None
    engagements: tuple[str, ...]
    late: bool


@dataclass(frozen=True, slots=True)
class Unread:
    """Something of an engagement that a vendor does not show: ``plain`` is what a log may hold of ``why``."""

    source: str
    what: str
    why: str
    plain: str


@dataclass(slots=True)
class Report:
    """``asked``: requests by source and what for · ``checked``: engagements compared, by source ·
    ``errors``: why a source could not be asked to the end, and in ``plain`` what a log may hold of that."""

    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    found: list[Found] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    plain: dict[str, str] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)

    @property
    def healed(self) -> list[Found]:
        return [one for one in self.found if one.outcome == "applied"]

    def view(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "asked": [
                {"source": source, "what": what, "requests": number}
                for (source, what), number in sorted(self.asked.items())
            ],
            "checked": dict(sorted(self.checked.items())),
            "found": [
                {
                    "source": one.source,
                    "type": one.type,
                    "about": one.about,
                    "delivery": one.delivery,
                    "outcome": one.outcome,
                    "engagements": list(one.engagements),
                    "drift": one.late,
                }
                for one in self.found
            ],
            "healed": len(self.healed),
            "drift": sum(one.late for one in self.found),
            "errors": self.errors,
            "unread": [{"source": one.source, "what": one.what, "why": one.why} for one in self.unread],
        }
