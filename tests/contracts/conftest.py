"""The two stores that must keep the same promises."""

from collections.abc import AsyncIterator

import pytest
from contracts.given import Clock

from service.store.memory import MemoryStore
from service.store.postgres import PostgresStore

Either = MemoryStore | PostgresStore


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[Either]:
    made: Either
    if request.param == "memory":
        made = MemoryStore(clock)
    else:
        made = await PostgresStore.open(request.getfixturevalue("database_url"), clock)
    yield made
    await made.close()
