"""When Postgres goes away: said clearly, nothing written twice, and all works again once it is back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
from contracts.given import ADA, NOON, OFFER, READ, Clock, append, delivery
from contracts.wire import Wire, wire_to

from domain import events as e
from service.ports import Claimed
from service.store.errors import StoreUnavailable
from service.store.postgres import PostgresStore

CLAIMED = Claimed(ADA, "read", 1, "upwork", "ReadContract", {}, "k", 1, 1, "c", NOON)


@pytest.fixture
async def wire(database_url: str) -> AsyncIterator[Wire]:
    async with wire_to(database_url) as wire:
        yield wire


@pytest.fixture
async def store(wire: Wire) -> AsyncIterator[PostgresStore]:
    store = await PostgresStore.open(wire.url, Clock())
    yield store
    await store.close()


CALLS: dict[str, Callable[[PostgresStore], Awaitable[object]]] = {
    "append": lambda s: s.append(append(OFFER)),
    "head": lambda s: s.head(ADA),
    "history": lambda s: s.history(ADA),
    "feed": lambda s: s.feed(1, 0),
    "heads_of_buckets": lambda s: s.heads_of_buckets(),
    "streams_of": lambda s: s.streams_of("offer", "of_1"),
    "streams_of_any": lambda s: s.streams_of_any(("offer", "job"), "of_1"),
    "claim": lambda s: s.claim(1, 60, NOON),
    "claim_of": lambda s: s.claim_of(ADA, 60, NOON),
    "finish": lambda s: s.finish(CLAIMED, "done"),
    "retry_later": lambda s: s.retry_later(CLAIMED, NOON, "error"),
    "effects_of": lambda s: s.effects_of(ADA),
    "next_due": lambda s: s.next_due(),
    "receive": lambda s: s.receive(delivery()),
    "delivery": lambda s: s.delivery("000-" + "0" * 32),
    "claim_deliveries": lambda s: s.claim_deliveries(1, 60, NOON),
    "settle_delivery": lambda s: s.settle_delivery("000-" + "0" * 32, "quiet", None, None, []),
    "wake_parked": lambda s: s.wake_parked(),
    "replay_delivery": lambda s: s.replay_delivery("000-" + "0" * 32),
    "deliveries": lambda s: s.deliveries(),
    "deliveries_needing_attention": lambda s: s.deliveries_needing_attention(NOON),
    "put_file": lambda s: s.put_file(b"x"),
    "file": lambda s: s.file("0" * 64),
    "ready": lambda s: s.ready(),
}


async def test_every_method_says_that_the_store_is_away_and_works_once_it_is_back(store, wire):
    for call in CALLS.values():
        await call(store)

    await wire.cut()
    for call in CALLS.values():
        with pytest.raises(StoreUnavailable, match=r"The store cannot be reached: .+\."):
            await call(store)

    await wire.mend()
    for call in CALLS.values():
        await call(store)


async def test_all_that_were_gathered_hear_that_the_store_is_away(store, wire):
    await wire.cut()
    commands = [append(OFFER, stream=f"engagement:{n}") for n in range(20)]
    outcomes = await asyncio.gather(*(store.append(one) for one in commands), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}


async def test_a_connection_that_broke_is_made_again_without_anyone_noticing(store, wire):
    await store.append(append(OFFER))
    await store.receive(delivery())
    await wire.cut()
    await wire.mend()

    assert (await store.append(append(e.JobCreated("j"), expected=1))).outcome == "appended"
    assert (await store.receive(delivery("header:2")))[1] is True
    assert (await store.head(ADA)).version == 2


async def test_no_call_fails_on_connections_that_died_while_idle(database_url):
    store = await PostgresStore.open(database_url, Clock())
    await asyncio.gather(store.head(ADA), *(store.effects_of(ADA) for _ in range(30)))
    owner = await asyncpg.connect(database_url)
    ended = await owner.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await owner.close()
    assert len(ended) > 2

    head, *effects = await asyncio.gather(store.head(ADA), *(store.effects_of(ADA) for _ in range(30)))

    assert head.version == 0
    assert effects == [[]] * 30
    await store.close()


async def test_an_append_whose_answer_was_lost_is_written_once(store, wire):
    await store.head(ADA)
    wire.swallow_answer_to(b"cause-with-lost-answer")

    done = await store.append(append(OFFER, cause="cause-with-lost-answer", effects=(READ,)))

    assert wire.swallowed == 1
    assert (done.outcome, done.version) == ("duplicate", 1), "the second try found the first one's work"
    assert len(await store.history(ADA)) == 1
    assert len(await store.effects_of(ADA)) == 1


async def test_a_delivery_whose_answer_was_lost_is_kept_once(store, wire):
    wire.swallow_answer_to(b"header:lost")
    id, _ = await store.receive(delivery("header:lost"))

    assert wire.swallowed == 1
    assert [one.id for one in await store.deliveries()] == [id]


async def test_opening_says_that_the_store_is_away(wire):
    await wire.cut()
    with pytest.raises(StoreUnavailable):
        await PostgresStore.open(wire.url, Clock())


async def test_a_closed_store_takes_nothing_and_closes_again(database_url):
    store = await PostgresStore.open(database_url, Clock())
    await store.close()
    for call in CALLS.values():
        with pytest.raises(StoreUnavailable):
            await call(store)
    await store.close()


async def test_what_is_in_flight_is_seen_through_when_the_store_closes(database_url):
    store = await PostgresStore.open(database_url, Clock())
    waiting = [asyncio.create_task(store.append(append(OFFER, stream=f"engagement:{n}"))) for n in range(600)]
    first, *_ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert first
    await store.close()
    assert {(await one).outcome for one in waiting} == {"appended"}


async def test_without_the_schema_the_store_is_not_ready(empty_database_url):
    store = await PostgresStore.open(empty_database_url, Clock())
    with pytest.raises(StoreUnavailable):
        await store.ready()
    await store.close()
