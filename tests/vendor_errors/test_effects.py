"""The error table: what a vendor may answer each call of an effect, and its fate. One test a row."""

import pytest
from contracts.given import Clock
from vendor_errors import of_1099policy, of_upwork
from vendor_errors.fates import FATES
from vendor_errors.places import PLACES
from vendor_errors.rows import Row
from vendor_errors.stages import stage_of

from service.store.postgres import PostgresStore

TABLE = [*of_1099policy.ROWS, *of_upwork.ROWS]


@pytest.mark.parametrize("row", TABLE, ids=str)
async def test_what_becomes_of_a_call(row: Row) -> None:
    async with stage_of(row, PLACES[row.place]) as stage:
        assert stage.hits, "the call was made"
        await FATES[row.fate](stage)


@pytest.mark.parametrize("row", [row for row in TABLE if row.stored or row.later], ids=str)
async def test_what_was_made_is_found_on_postgres_too(row: Row, database_url: str) -> None:
    clock = Clock()
    store = await PostgresStore.open(database_url, clock)
    async with stage_of(row, PLACES[row.place], store, clock) as stage:
        await FATES[row.fate](stage)
    await store.close()
