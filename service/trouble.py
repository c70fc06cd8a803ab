"""What is wrong with a vendor, or with how it is asked, as something that waits for a person."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Trouble:
    """``code`` and the vendor's ``name`` are stable; it began at ``since``, as far as anybody knows,
    and stands for ``count`` things alike."""

    code: str
    name: str
    message: str
    clears: str
    since: datetime
    first_seen: datetime
    last_seen: datetime
    count: int = 1
