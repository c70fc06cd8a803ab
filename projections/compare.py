"""Two revisions of a projection side by side, at the same place in the log."""

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
    conn: "Connection", projection: Projection, bucket: int, old: int, new: int
) -> dict[str, Compared] | None:
    """Each table's rows in one bucket; None while the two revisions have not come equally far there."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        if not await conn.fetchval(sql("are_level"), bucket, projection.name, old, new):
            return None
        found = {}
        for table, key in projection.tables.items():
            row = await conn.fetchrow(sql("compare", new, table, old, ", ".join(key)), bucket)
            assert row is not None, "an aggregate always gives a row"
            found[table] = Compared(**row)
        return found
