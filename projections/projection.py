"""What a projection is: tables, and a way to apply events to them. It never causes an effect."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from domain.recorded import Recorded

if TYPE_CHECKING:
    from projections.statements import Connection


class Projection(Protocol):
    """A read model, or several folded from the same events.

    Each of ``tables`` is a view over ``<table>_r<revision>``, the table that serves. The SQL function
    ``coverd.create_<name>(revision)`` makes a revision's tables, each with ``bucket`` first in its key.
    One that is never rebuilt has plain tables, made once.
    """

    @property
    def name(self) -> str: ...

    @property
    def tables(self) -> tuple[str, ...]:
        """In the order in which `apply` writes them."""
        ...

    @property
    def follows(self) -> tuple[str, ...]:
        """The projections that apply an event before this one does."""
        ...

    @property
    def rebuilds(self) -> bool:
        """Whether it may be folded again from the log."""
        ...

    async def apply(self, conn: "Connection", revision: int, bucket: int, events: Sequence[Recorded]) -> None:
        """Bring the revision's tables from just before ``events`` to just after, in the open transaction.

        What is written may depend on the events alone: not on the clock, nor on how they were batched.
        """
        ...
