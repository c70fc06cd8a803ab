"""The table that people read is the one that is tested."""

from pathlib import Path

from vendor_errors.rows import FATES
from vendor_errors.table import CHAPTERS, written

TABLE = Path(__file__).parents[2] / "docs" / "vendor-errors.md"


def test_the_table_is_current() -> None:
    assert TABLE.read_text() == written(), "write it anew: make errors"


def test_every_row_has_a_name_of_its_own_and_a_known_fate() -> None:
    rows = [row for _, of_chapter in CHAPTERS for row in of_chapter]
    assert len({str(row) for row in rows}) == len(rows)
    assert {row.fate for row in rows} == set(FATES)
