"""What a look around found, in the order in which it is best mended."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.errors import CoverdError
from service.clients.http import VendorRefused
from service.sources import NAMES


@dataclass(frozen=True, slots=True)
class Hole:
    """What will be held or refused, and the fix; ``contracts`` are Upwork's ids of those that meet it now.

    ``certain`` is False for what depends on traffic that may never come.
    """

    code: str
    message: str
    fix: str
    certain: bool = True
    contracts: tuple[str, ...] = ()


@dataclass(slots=True)
class Findings:
    """``asked`` says of each vendor what it was asked, or why it could not be."""

    holes: list[Hole] = field(default_factory=list)
    asked: dict[str, str] = field(default_factory=dict)

    @property
    def certain(self) -> bool:
        return any(hole.certain for hole in self.holes)

    def ordered(self) -> list[Hole]:
        """First what is certain: the vendors, the file, then the holds most contracts meet; notes at last."""
        met = Counter[str]()
        for hole in self.holes:
            met[hole.code] += len(hole.contracts)
        return sorted(
            self.holes,
            key=lambda h: (not h.certain, h.code not in FIRST, met[h.code] > 0, -met[h.code], h.code),
        )

    def unanswered(self, vendor: str, error: CoverdError, after: str = "") -> None:
        """A vendor that refuses or does not answer is a hole itself, never a yes."""
        refused = isinstance(error, VendorRefused)
        self.asked[vendor] = f"{'refused' if refused else 'no answer'}{after}: {error}"
        if refused:
            fix = "Check the key in the settings, what it may read, and the dialect that is set."
            self.holes.append(
                Hole("vendor_refused", f"{NAMES[vendor]} does not let itself be asked: {error}", fix)
            )
        else:
            fix = "Check the URL in the settings, and that the vendor can be reached from here."
            self.holes.append(Hole("vendor_unanswered", f"{NAMES[vendor]} does not answer: {error}", fix))

    def not_asked(self, vendor: str, why: str) -> None:
        self.asked[vendor] = f"not asked: {why}"


FIRST = frozenset({"settings_missing", "vendor_refused", "vendor_unanswered"})
"""Until these are mended the rest is not known."""


def listed(names: Iterable[str], most: int = 20) -> str:
    """Names for a sentence, and how many more there are."""
    every = list(names)
    more = len(every) - most
    return ", ".join(every[:most]) + (f" and {more} more" if more > 0 else "")
