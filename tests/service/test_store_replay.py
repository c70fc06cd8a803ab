"""The whole log folded again: a head that says something else than its events is found out."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from contracts.given import Clock
from story import NOW, contract_read

from domain import commands as c
from domain.ids import bucket_of, engagement_stream, freelancer_stream
from domain.rules import Rules
from service.audit.buckets import over_all
from service.handle import Handler, Origin
from service.store.chain import Fault
from service.store.postgres import PostgresStore

ORIGIN = Origin("delivery-1", "delivery-1", "webhook:upwork")
STREAM = engagement_stream("9001")


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Any]:
    conn = await asyncpg.connect(database_url)
    yield conn
    await conn.close()


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[PostgresStore]:
    store = await PostgresStore.open(database_url, Clock())
    handler = Handler(store, Rules)
    await handler.engagement("9001", c.AcceptOffer(NOW, "of_77", "fl_12345", "org_7"), ORIGIN)
    await handler.engagement("9001", contract_read(), Origin("effect-1", "delivery-1", "coverd"))
    await handler.freelancer("fl_12345", c.LinkContractor(NOW, "cn_1", "ava@relay.example"), ORIGIN)
    yield store
    await store.close()


async def replayed(store: PostgresStore) -> list[Fault]:
    return await over_all(await store.heads_of_buckets(), store.replay_buckets)


async def test_what_was_appended_is_what_the_heads_say(store):
    assert await replayed(store) == []


@pytest.mark.parametrize(
    "change",
    [
        "status = replace(status::text, 'fl_12345', 'fl_other')::json",
        "state = 'insured'",
        """status = (status::jsonb || '{"version": 1}')::json""",
    ],
)
async def test_a_head_that_says_something_else_is_found_out(store, owner, change):
    assert (
        await owner.execute(f"UPDATE coverd.stream SET {change} WHERE stream_id = $1", STREAM) == "UPDATE 1"
    )

    (fault,) = await replayed(store)

    assert (fault.stream_id, fault.why) == (STREAM, "its head is not what its events add up to")


async def test_a_freelancers_head_is_looked_at_too(store, owner):
    await owner.execute(
        "UPDATE coverd.stream SET status = replace(status::text, 'cn_1', 'cn_2')::json WHERE stream_id = $1",
        freelancer_stream("fl_12345"),
    )
    (fault,) = await replayed(store)
    assert fault.stream_id == freelancer_stream("fl_12345")


async def test_events_that_cannot_follow_one_another_are_named(store, owner):
    await owner.execute(
        "UPDATE coverd.event SET type = 'NobodyKnows' WHERE stream_id = $1 AND version = 2", STREAM
    )
    faults = await store.replay_buckets(bucket_of(STREAM), bucket_of(STREAM))
    assert [(f.stream_id, f.why) for f in faults] == [(STREAM, "event 2 cannot be folded: KeyError")]
