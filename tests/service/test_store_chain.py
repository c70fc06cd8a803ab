"""The hash chain: Postgres and Python agree on it, and whoever changes the log is found out."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest
from contracts.given import ADA, NOON, OFFER, Clock, append, neighbours
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain import events as e
from domain.ids import bucket_of
from service.store.chain import START, Link, event_hash, verify_chain
from service.store.log import ranges
from service.store.postgres import PostgresStore

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LINK = Link(
    ADA, 1, 7, "JobCreated", 1, 1_777_000_000, NOON, "d-1", "d-1", "webhook:upwork", '{"job_id":"j"}', START
)

characters = st.characters(blacklist_categories=["Cs"])
text = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"))
links = st.builds(
    Link,
    stream_id=text,
    version=st.integers(1, 2**31 - 1),
    position=st.integers(1, 2**63 - 1),
    type=text,
    schema=st.integers(1, 2**31 - 1),
    effective_at=st.integers(-(2**63), 2**63 - 1),
    recorded_at=st.integers(-(2**50), 2**54).map(lambda micros: EPOCH + timedelta(microseconds=micros)),
    cause=text,
    correlation=text,
    actor=text,
    data=st.dictionaries(st.text(characters), st.text(characters)).map(json.dumps),
    hash=st.just(START),
)


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator["Connection"]:
    """Whoever migrated the database: the one who could change the log."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[PostgresStore]:
    store = await PostgresStore.open(database_url, Clock())
    yield store
    await store.close()


def test_the_hash_of_an_event_is_fixed_for_ever():
    assert event_hash(START, LINK).hex() == (
        "340ebca8a057b3eca7c400b77320c295d7be4eba8b18fe0c0730cf1e235bf69f"
    )


async def test_postgres_and_python_hash_alike(owner):
    cases: list[tuple[bytes, Link]] = []

    @given(previous=st.binary(min_size=32, max_size=32), link=links)
    def collect(previous: bytes, link: Link) -> None:
        cases.append((previous, link))

    collect()
    assert len(cases) >= 50
    for previous, link in cases:
        assert await hashed(owner, previous, link) == event_hash(previous, link), link


async def hashed(connection: "Connection", previous: bytes, link: Link) -> bytes:
    row = (
        "ROW(0, $2::text, $3::int, $4::bigint, $5::text, $6::int, $7::bigint, $8::timestamptz, $9::text,"
        " $10::text, $11::text, $12::text::json, NULL)::coverd.event"
    )
    values = [getattr(link, name) for name in Link.__struct_fields__[:-1]]
    found: bytes = await connection.fetchval(f"SELECT coverd.event_hash($1, {row})", previous, *values)
    return found


@given(text, text)
def test_no_value_can_pass_for_a_part_of_its_neighbour(cause, correlation):
    moved = replace(LINK, cause=cause + correlation[:1], correlation=correlation[1:])
    if correlation:
        assert event_hash(START, moved) != event_hash(
            START, replace(LINK, cause=cause, correlation=correlation)
        )


def test_a_chain_that_was_not_touched_is_whole():
    assert verify_chain([]) is None
    assert verify_chain(chain(5)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"data": '{"job_id":"k"}'},
        {"data": '{"job_id": "j"}'},
        {"recorded_at": NOON + timedelta(microseconds=1)},
        {"effective_at": 0},
        {"position": 99},
        {"actor": "somebody"},
        {"cause": "d-2"},
        {"correlation": "d-2"},
        {"type": "QuoteCreated"},
        {"schema": 2},
        {"stream_id": "engagement:9002"},
        {"hash": bytes(32)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_part_of_an_event_is_covered(change):
    events = chain(3)
    events[1] = replace(events[1], **change)
    fault = verify_chain(events)
    assert fault is not None
    assert fault.version in (2, 3)


def test_a_missing_event_is_named():
    events = chain(3)
    del events[1]
    fault = verify_chain(events)
    assert fault is not None
    assert (fault.version, fault.why) == (2, "event 2 is missing: 3 follows")


def chain(length: int) -> list[Link]:
    events: list[Link] = []
    for number in range(1, length + 1):
        event = replace(LINK, version=number, position=number)
        events.append(replace(event, hash=event_hash(events[-1].hash if events else START, event)))
    return events


TAMPERING = {
    "data": """UPDATE coverd.event SET data = '{"job_id": "j_9"}' WHERE version = 2""",
    "time": "UPDATE coverd.event SET recorded_at = recorded_at - interval '1 s' WHERE version = 2",
    "tail": "DELETE FROM coverd.event WHERE version = 3",
    "middle": "DELETE FROM coverd.event WHERE version = 2",
    "all": "DELETE FROM coverd.event WHERE version <= 3",
}


@pytest.mark.parametrize("what", TAMPERING)
async def test_whoever_changes_the_log_is_found_out(store, owner, what):
    (neighbour,) = neighbours(1)
    await store.append(append(OFFER, e.JobCreated("j_1"), e.QuoteCreated("q_1", 1, 2)))
    await store.append(append(OFFER, stream=neighbour))
    bucket = bucket_of(ADA)
    assert await store.verify_buckets(bucket, bucket) == []

    assert await owner.execute(f"{TAMPERING[what]} AND stream_id = $1", ADA)

    fault = await store.verify_stream(ADA)
    assert fault is not None
    assert fault.stream_id == ADA
    assert await store.verify_stream(neighbour) is None
    faults = await store.verify_buckets(bucket, bucket)
    assert faults[0] == fault
    assert len(faults) == (1 if what in ("data", "time") else 2), (
        "an event that is gone leaves a hole as well"
    )


async def test_a_stream_removed_whole_leaves_a_hole_in_its_bucket(store, owner):
    await store.append(append(OFFER))
    await store.append(append(OFFER, stream=neighbours(1)[0]))
    await owner.execute("DELETE FROM coverd.event WHERE stream_id = $1", ADA)
    await owner.execute("DELETE FROM coverd.stream WHERE stream_id = $1", ADA)

    (fault,) = await store.verify_buckets(bucket_of(ADA), bucket_of(ADA))

    assert "was numbered up to 2, holds 1 events" in fault.why


async def test_events_without_a_head_are_found_out(store, owner):
    await store.append(append(OFFER))
    await owner.execute("DELETE FROM coverd.stream WHERE stream_id = $1", ADA)

    (fault,) = await store.verify_buckets(bucket_of(ADA), bucket_of(ADA))

    assert (fault.stream_id, fault.why) == (ADA, "it has events and no head")


def test_ranges_hold_every_bucket_once_and_a_good_part_of_a_long_log():
    small = dict.fromkeys(range(0, 1024, 3), 10)
    assert ranges(small) == [(0, 1023)]
    long = dict.fromkeys(range(1024), 15_000)
    found = ranges(long)
    assert [first for first, _ in found[1:]] == [last + 1 for _, last in found[:-1]]
    assert (found[0][0], found[-1][1]) == (0, 1023)
    assert len(found) == 8
    assert ranges({}) == []
