"""Nobody holds the service by dawdling: half-sent heads, slow bodies, readers who don't read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace

import pytest
from places import ENOUGH, TOKEN, Place, PlaceMaker, answered

from service.api.patience import Patience
from service.api.room import Room
from service.compose import Tuning

HASTY = Patience(head=0.05, body=0.05, upload=0.05, idle=99, unread=0.05, refused_body=0.05)

RETRY = b"POST /v1/engagements/9001/retry HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HEAD = b"POST /webhooks/upwork HTTP/1.1\r\nHost: coverd\r\nX-Upwork-Webhook-Token: upwork-sandbox-token\r\n"


@pytest.fixture
async def hasty(places: PlaceMaker) -> AsyncIterator[Place]:
    async with places(Tuning(patience=HASTY)) as made:
        yield made


@pytest.mark.parametrize("sent", [b"G", b"GET /livez HTTP/1.1\r\nHost: localhost", HEAD, b"\r\n\r\n"])
async def test_a_head_that_never_ends_is_answered_and_closed(hasty: Place, sent: bytes) -> None:
    async with hasty.connection() as (reader, writer), asyncio.timeout(ENOUGH):
        writer.write(sent)
        told = await answered(reader)
        assert told
        assert told.problem["status"] == 408
        assert await reader.read() == b""


async def test_a_head_sent_drop_by_drop_has_one_deadline_for_all_of_it(hasty: Place) -> None:
    async with hasty.connection() as (reader, writer), asyncio.timeout(ENOUGH):
        waiting = asyncio.create_task(answered(reader))
        drops = 0
        while not waiting.done():
            writer.write(b"X-Drop: 1\r\n" if drops else HEAD)
            drops += 1
            await asyncio.wait({waiting}, timeout=0.01)
        told = waiting.result()
        assert told is None or told.status == 408


async def test_who_never_speaks_is_let_go(places: PlaceMaker) -> None:
    tuning = Tuning(patience=replace(HASTY, idle=0.05))
    async with places(tuning) as made, made.connection() as (reader, _), asyncio.timeout(ENOUGH):
        assert await reader.read() == b""


async def test_a_second_head_on_a_kept_connection_has_its_deadline_too(hasty: Place) -> None:
    async with hasty.connection() as (reader, writer), asyncio.timeout(ENOUGH):
        writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        first = await answered(reader)
        assert first
        assert first.status == 200
        writer.write(b"GET /livez HTTP/1.1\r\n")
        second = await answered(reader)
        assert second
        assert second.problem["status"] == 408


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 100\r\n\r\n{",
        b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        b"Content-Length: 9\r\n\r\n",
    ],
)
async def test_a_body_that_never_ends_is_answered_and_closed(hasty: Place, framing: bytes) -> None:
    for head in (
        HEAD,
        b"POST /v1/engagements/9001/retry HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n",
    ):
        async with hasty.connection() as (reader, writer), asyncio.timeout(ENOUGH):
            writer.write(head + framing)
            told = await answered(reader)
            assert told
            assert told.problem["status"] == 408
            assert await reader.read() == b""
    listed = await hasty.ask("GET", "/v1/deliveries")
    assert b'"items":[]' in listed.body


async def test_a_body_that_was_refused_is_not_waited_for(hasty: Place) -> None:
    async with hasty.connection() as (reader, writer), asyncio.timeout(ENOUGH):
        writer.write(b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nx")
        told = await answered(reader)
        assert told
        assert told.problem["status"] == 404
        assert await reader.read() == b""


async def asked_for_ever(writer: asyncio.StreamWriter, asked: bytes) -> None:
    while True:
        writer.write(asked * 32)
        await writer.drain()
        await asyncio.sleep(0)


async def test_who_does_not_read_is_cut_off(hasty: Place) -> None:
    async with hasty.connection() as (reader, writer), asyncio.timeout(ENOUGH):
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        with pytest.raises(ConnectionError):
            await asked_for_ever(writer, b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n")


async def test_hundreds_of_half_sent_heads_keep_no_good_delivery_out(hasty: Place) -> None:
    async with AsyncExitStack() as stack:
        held = [await stack.enter_async_context(hasty.connection()) for _ in range(300)]
        for _, writer in held:
            writer.write(HEAD)
        told = await hasty.ask("POST", "/webhooks/upwork", data=b'{"id":"good-1"}', headers=TOKEN)
        assert told.status == 202
        async with asyncio.timeout(ENOUGH):
            assert {len(await reader.read()) > 0 for reader, _ in held} == {True}


async def test_when_all_room_is_held_who_was_silent_longest_makes_room(places: PlaceMaker) -> None:
    patient = Patience(head=99, body=99, idle=99)
    async with places(Tuning(patience=patient, room=20)) as made, AsyncExitStack() as stack:
        held = []
        for _ in range(60):
            held.append(await stack.enter_async_context(made.connection()))
            held[-1][1].write(HEAD)
        told = await made.ask("POST", "/webhooks/upwork", data=b'{"id":"good-1"}', headers=TOKEN)
        assert told.status == 202
        async with asyncio.timeout(ENOUGH):
            for reader, _ in held[:20]:
                with suppress(ConnectionError):
                    assert await reader.read() == b""


async def test_bodies_that_never_end_keep_no_good_delivery_out(places: PlaceMaker) -> None:
    patient = Patience(head=99, body=99, idle=99)
    async with places(Tuning(patience=patient, room=20)) as made, AsyncExitStack() as stack:
        for _ in range(60):
            _, writer = await stack.enter_async_context(made.connection())
            writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n")
            await made.ask("GET", "/livez")
        told = await made.ask("POST", "/webhooks/upwork", data=b'{"id":"good-1"}', headers=TOKEN)
        assert told.status == 202


async def test_who_is_being_answered_is_never_cut_for_others(places: PlaceMaker) -> None:
    async with (
        places(Tuning(room=3)) as made,
        made.connection() as (reader, writer),
        AsyncExitStack() as stack,
    ):
        writer.write(b"GET /v1/feed HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(ENOUGH):
            assert b" 200 OK" in await reader.readline()
        for _ in range(10):
            await stack.enter_async_context(made.connection())
            assert (await made.ask("GET", "/livez")).status == 200
        told = await made.ask("POST", "/webhooks/upwork", data=b'{"id":"good-2"}', headers=TOKEN)
        assert told.status == 202
        waiting = asyncio.create_task(reader.read())
        done, _ = await asyncio.wait({waiting}, timeout=0)
        assert not done
        waiting.cancel()


@dataclass(eq=False)
class Guest:
    """A connection without a socket."""

    waits: bool = True
    was_cut: bool = False

    def cut(self) -> None:
        self.was_cut = True


def cut_when_one_more_comes(held: list[Guest], heard: list[int]) -> list[int]:
    """Which of those held, and of the comer behind them, were cut."""
    room = Room(len(held))
    everyone = [*held, Guest()]
    for one in held:
        room.enter(one)
    for at in heard:
        room.heard(held[at])
    room.enter(everyone[-1])
    return [at for at, one in enumerate(everyone) if one.was_cut]


@pytest.mark.parametrize(
    ("busy", "heard", "cut"),
    [
        ([], [], [0]),
        ([], [0, 1], [2]),
        ([0, 1], [], [2]),
        ([0], [1], [2]),
        ([0, 1, 2], [], [3]),
    ],
)
def test_the_room_is_never_overfull(busy: list[int], heard: list[int], cut: list[int]) -> None:
    assert cut_when_one_more_comes([Guest(at not in busy) for at in range(3)], heard) == cut
