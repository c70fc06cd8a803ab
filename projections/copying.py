"""Many new rows at once: COPY instead of INSERT, where nothing can be there yet."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from projections.statements import Connection


async def copy_into(
    conn: "Connection", table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Rows of ``coverd.table``, as the driver takes values of the columns' types."""
    if rows:
        await conn.copy_records_to_table(table, schema_name="coverd", columns=columns, records=rows)
