"""Two revisions of a projection side by side, at the same place in the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from projections.projection import Projection
from projections.statements import sql

if TYPE_CHECKING:
    from projections.statements import Connection


@dataclass(frozen=True, slots=True)
class Compared:
    """A table's rows in the old and the new revision, and how many are found in one alone as they stand."""

    old: int = 0
    new: int = 0
    only_old: int = 0
    only_new: int = 0

    @property
    def same(self) -> bool:
        return not (self.only_old or self.only_new)

    def plus(self, more: "Compared") -> "Compared":
        return Compared(
            self.old + more.old,
            self.new + more.new,
            self.only_old + more.only_old,
            self.only_new + more.only_new,
        )


async def compare(
    conn: "Connection", projection: Projection, buckets: Sequence[int], old: int, new: int
) -> tuple[Sequence[int], dict[str, Compared]]:
    """Those of the buckets in which both revisions have come equally far, and each table's rows in them."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        level = [
            row["bucket"] for row in await conn.fetch(sql("are_level"), buckets, projection.name, old, new)
        ]
        found = {}
        for table, key in projection.tables.items():
            row = await conn.fetchrow(sql("compare", new, table, old, ", ".join(key)), level)
            assert row is not None, "an aggregate always gives a row"
            found[table] = Compared(**row)
        return level, found
