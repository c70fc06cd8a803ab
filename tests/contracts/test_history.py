"""Reading the log back: by stream, by bucket, and with the hashes that prove it."""

from contracts.given import ADA, OFFER, append, neighbours

from domain import events as e
from domain.ids import bucket_of
from service.store.memory import MemoryStore


async def test_a_history_can_be_read_from_the_middle_and_in_part(store):
    await store.append(append(OFFER, *(e.JobCreated(f"j_{n}") for n in range(9))))

    assert [r.version for r in await store.history(ADA)] == list(range(1, 11))
    assert [r.version for r in await store.history(ADA, after_version=7)] == [8, 9, 10]
    assert [r.version for r in await store.history(ADA, limit=3)] == [1, 2, 3]
    assert [r.version for r in await store.history(ADA, after_version=2, limit=2)] == [3, 4]
    assert await store.history(ADA, after_version=10) == []
    assert await store.history(ADA, limit=0) == []


async def test_a_long_history_streams_through_whole(store):
    await store.append(append(*(e.JobCreated(f"j_{n}") for n in range(1234))))
    streamed = [recorded async for recorded in store.stream_history(ADA)]
    assert streamed == list(await store.history(ADA))
    assert len(streamed) == 1234
    assert [r async for r in store.stream_history("engagement:nobody")] == []


async def test_the_feed_of_a_bucket_is_dense_over_all_its_streams(store):
    bucket = bucket_of(ADA)
    streams = [ADA, *neighbours(2)]
    for expected in range(3):
        for stream in streams:
            await store.append(append(e.JobCreated(f"{stream}-{expected}"), stream=stream, expected=expected))
    await store.append(append(OFFER, stream="engagement:elsewhere"))

    feed = await store.feed(bucket, 0)

    assert [r.position for r in feed] == list(range(1, 10))
    assert [r.stream_id for r in feed] == streams * 3
    assert {r.bucket for r in feed} == {bucket}
    assert [r.position for r in await store.feed(bucket, 4, limit=2)] == [5, 6]
    assert await store.feed(bucket, 9) == []
    elsewhere = bucket_of("engagement:elsewhere")
    assert await store.heads_of_buckets() == {bucket: 9, elsewhere: 1}


async def test_what_lost_takes_no_position(store):
    await store.append(append(OFFER))
    await store.append(append(OFFER))
    await store.append(append(e.JobCreated("j"), expected=1))
    assert [r.position for r in await store.feed(bucket_of(ADA), 0)] == [1, 2]


async def test_every_hash_builds_on_the_one_before(store):
    await store.append(append(OFFER, e.JobCreated("j_1")))
    await store.append(append(e.QuoteCreated("q_1", 1, 2), expected=2))

    hashes = [recorded.hash for recorded in await store.history(ADA)]

    assert len(set(hashes)) == 3
    assert {len(value) for value in hashes} == {32}
    assert await store.verify_stream(ADA) is None
    assert await store.verify_stream("engagement:nobody") is None


async def test_both_stores_compute_the_same_hashes(store, clock):
    told = [
        append(OFFER, e.HoldRaised("name", "who is “Jane S.”? \0", "fix"), cause='c"\n\\\u2028\x7f'),
        append(e.JobCreated("j_1"), stream=neighbours(1)[0], effective_at=-1),
    ]
    reference = MemoryStore(clock)
    for one in told:
        await store.append(one)
        await reference.append(one)

    assert await store.feed(bucket_of(ADA), 0) == await reference.feed(bucket_of(ADA), 0)
