"""The error table: what a vendor may answer each call of an effect, and its fate. One test a row."""

import pytest
from vendor_errors import of_1099policy, of_upwork
from vendor_errors.fates import FATES
from vendor_errors.places import PLACES
from vendor_errors.rows import Row
from vendor_errors.stages import stage_of

TABLE = [*of_1099policy.ROWS, *of_upwork.ROWS]


@pytest.mark.parametrize("row", TABLE, ids=str)
async def test_what_becomes_of_a_call(row: Row) -> None:
    async with stage_of(row, PLACES[row.place]) as stage:
        assert stage.hits, "the call was made"
        await FATES[row.fate](stage)
