"""A flood of forged deliveries and guessed tokens gets answers in turn; what is proven never waits for it."""

import asyncio
from contextlib import AsyncExitStack, suppress
from dataclasses import replace

import pytest
from places import ENOUGH, TOKEN, Place, PlaceMaker, answered

from service.api.refusals import Refusals
from service.compose import Tuning

LINES = b"POST /webhooks/upwork HTTP/1.1\r\nHost: localhost\r\nX-Upwork-Webhook-Token: guess\r\n"
FORGED = LINES + b"Content-Length: 2\r\n\r\n{}"


def slow(longest: float) -> Tuning:
    """After the first refusal, the next is told in an hour."""
    return Tuning(refusals=Refusals(per_second=1 / 3600, at_once=1, longest=longest))


async def good(place: Place, number: int) -> int:
    body = b'{"id":"good-%d"}' % number
    return (await place.ask("POST", "/webhooks/upwork", data=body, headers=TOKEN)).status


async def test_a_good_delivery_waits_for_no_forged_one(places: PlaceMaker) -> None:
    async with places(slow(longest=1e9)) as place, place.connection() as (reader, writer):
        first = await place.raw(FORGED)
        assert first
        assert first.problem["status"] == 401
        writer.write(FORGED)
        waiting = asyncio.create_task(answered(reader))
        assert [await good(place, n) for n in range(20)] == [202] * 20
        assert not waiting.done()
        waiting.cancel()


GUESSED = b"GET /v1/attention HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer guess\r\n\r\n"


@pytest.mark.parametrize("sent", [FORGED, GUESSED], ids=["forged", "guessed"])
async def test_when_too_many_wait_the_others_are_held_and_then_hung_up_on(
    places: PlaceMaker, sent: bytes
) -> None:
    """To hang up at once would only have a flood call again the sooner."""
    async with places(slow(longest=0.05), COVERD_API_TOKENS="read:r") as place:
        async with asyncio.timeout(ENOUGH), place.connection() as (reader, writer):
            writer.write(sent * 3)
            told = [await answered(reader) for _ in range(3)]
        assert [t.status if t else None for t in told] == [401, 401, None]
        assert told[1]
        assert told[1].headers["connection"] == "close"


@pytest.mark.parametrize("sent", [FORGED, GUESSED], ids=["forged", "guessed"])
async def test_who_is_held_makes_room_and_is_not_kept_when_it_leaves(places: PlaceMaker, sent: bytes) -> None:
    tuning = replace(slow(longest=1e9), room=10)
    async with places(tuning, COVERD_API_TOKENS="read:r") as place, AsyncExitStack() as stack:
        await place.raw(sent)
        for _ in range(30):
            _, writer = await stack.enter_async_context(place.connection())
            writer.write(sent)
        assert [await good(place, n) for n in range(3)] == [202] * 3
        reader, writer = await stack.enter_async_context(place.connection())
        writer.write(sent)
        writer.write_eof()
        async with asyncio.timeout(ENOUGH):
            assert b" 200 " not in await reader.read()


async def test_who_is_held_fills_no_memory(places: PlaceMaker) -> None:
    async with places(slow(longest=1e9)) as place, place.connection() as (reader, writer):
        await place.raw(FORGED)
        writer.write(FORGED + b"x" * 200_000)
        async with asyncio.timeout(ENOUGH):
            with suppress(ConnectionError):
                assert await reader.read() == b""


@pytest.mark.parametrize(
    ("sent", "told"), [(FORGED, b""), (GUESSED, b"HTTP/1.1 401")], ids=["forged", "guessed"]
)
async def test_who_is_held_does_not_hold_up_the_end(places: PlaceMaker, sent: bytes, told: bytes) -> None:
    async with AsyncExitStack() as stack:
        async with places(slow(longest=1e9), COVERD_API_TOKENS="read:r") as place:
            await place.raw(sent)
            reader, writer = await stack.enter_async_context(place.connection())
            writer.write(sent)
            assert [await good(place, n) for n in range(3)] == [202] * 3
        async with asyncio.timeout(ENOUGH):
            assert (await reader.read())[:12] == told


SIGNATURES = [b"t=1,v1=" + b"00" * 32, b"v1=00", b"nonsense"]


@pytest.mark.parametrize("signature", SIGNATURES)
async def test_a_forged_delivery_is_refused_before_its_body_is_read(place: Place, signature: bytes) -> None:
    never_sent = b"Content-Length: 200000\r\n\r\n"
    policy = (
        b"POST /webhooks/1099policy HTTP/1.1\r\nHost: localhost\r\nTen99Policy-Signature: %b\r\n" % signature
    )
    for head in (LINES, policy):
        told = await place.raw(head + never_sent)
        assert told
        assert told.problem["status"] == 401
