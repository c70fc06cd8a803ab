"""What a projection is: tables, and a way to apply events to them. It never causes an effect."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from projections.feed import Told

if TYPE_CHECKING:
    from projections.statements import Connection


class Projection(Protocol):
    """A read model, or several folded from the same events."""

    @property
    def name(self) -> str: ...

    @property
    def tables(self) -> Mapping[str, Sequence[str]]:
        """In the order in which `apply` writes them, each with the columns of its key besides the bucket."""
        ...

    @property
    def follows(self) -> tuple[str, ...]:
        """The projections that apply an event before this one does."""
        ...

    async def apply(self, conn: "Connection", revision: int, events: Sequence[Told]) -> None:
        """Bring the revision's tables from just before ``events`` to just after, in the open transaction.

        They are the next ones of one or several buckets, each in its order.
        What is written may depend on the events alone: not on the clock, nor on how they were batched.
        """
        ...


@runtime_checkable
class Rebuildable(Projection, Protocol):
    """One that may be folded again from the log.

    Each of its ``tables`` is a view over ``<table>_r<revision>``, the table that serves. The SQL function
    ``coverd.create_<name>(revision)`` makes a revision's tables, each with ``bucket`` first in its key.
    """

    async def fill(self, conn: "Connection", revision: int, streams: AsyncIterator[Sequence[Told]]) -> None:
        """Write what `apply` would, from all streams of some buckets that the revision knows nothing of."""
        ...
