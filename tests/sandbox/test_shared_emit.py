"""Webhooks go out at least once, in order, with the faults a test orders."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from ten99policy_driver import Receiver, receiving

from service.sandbox.clock import Clock
from service.sandbox.control import Faults
from service.sandbox.emit import Delivery, Emitter, Target

PATH = "/webhooks/here"


def sign(raw: bytes, now: float) -> Mapping[str, str]:
    return {"X-Proof": "abc"}


@asynccontextmanager
async def emitting(**how: float) -> AsyncIterator[Emitter]:
    emitter = Emitter(Clock(), Faults(), retry_base_seconds=0.001, **how)
    runs = emitter.run(web.Application())
    await anext(runs)
    yield emitter
    with pytest.raises(StopAsyncIteration):
        await anext(runs)


async def told(
    emitter: Emitter, receiver: Receiver, *types: str, fault: str = "", times: int = 1
) -> list[str]:
    """Emit these, drain, and give the types in the order they arrived."""
    if fault:
        emitter.faults.add(PATH, fault, times)
    target = Target(receiver.url + PATH, PATH, sign)
    for type in types:
        emitter.emit(f"ev_{type}", type, {"type": type}, [target])
    await emitter.drain()
    return receiver.types


def only(emitter: Emitter) -> Delivery:
    (delivery,) = emitter.log
    return delivery


async def test_events_arrive_in_order():
    async with receiving() as receiver, emitting() as emitter:
        types = [str(n) for n in range(20)]
        assert await told(emitter, receiver, *types) == types
        assert {delivery.status for delivery in emitter.log} == {"delivered"}


async def test_a_failing_delivery_moves_aside_and_comes_again():
    async with receiving(503, 200, 500) as receiver, emitting() as emitter:
        assert await told(emitter, receiver, "a", "b") == ["a", "b", "a", "a"]
        assert [(d.attempts, d.status) for d in emitter.log] == [(3, "delivered"), (1, "delivered")]


@pytest.mark.parametrize("answer", [307, 400, 401, 503])
async def test_after_six_tries_it_is_given_up(answer: int):
    async with receiving(*[answer] * 6) as receiver, emitting() as emitter:
        await told(emitter, receiver, "a")
        delivery = only(emitter)
        assert (delivery.attempts, delivery.status, delivery.answer) == (6, "failed", answer)


async def test_nobody_there_is_a_failure_too():
    async with emitting() as emitter:
        await told(emitter, Receiver("http://127.0.0.1:9"), "a")
        assert (only(emitter).status, only(emitter).answer) == ("failed", None)


async def test_a_duplicate_is_sent_twice():
    async with receiving() as receiver, emitting() as emitter:
        assert await told(emitter, receiver, "a", "b", fault="duplicate") == ["a", "a", "b"]


async def test_a_lost_one_is_never_sent():
    async with receiving() as receiver, emitting() as emitter:
        assert await told(emitter, receiver, "a", "b", fault="lose") == ["b"]
        assert [d.status for d in emitter.log] == ["lost", "delivered"]


async def test_a_reordered_one_waits_for_the_next():
    async with receiving() as receiver, emitting() as emitter:
        assert await told(emitter, receiver, "a", "b", "c", fault="reorder") in (
            ["b", "a", "c"],
            ["b", "c", "a"],
        )


async def test_a_reordered_one_alone_goes_when_drained():
    async with receiving() as receiver, emitting() as emitter:
        assert await told(emitter, receiver, "a", fault="reorder") == ["a"]


async def test_a_reordered_one_alone_does_not_wait_for_ever():
    async with receiving() as receiver, emitting(hold_seconds=0.0) as emitter:
        assert await told(emitter, receiver, "a", fault="reorder") == ["a"]


async def test_a_bad_signature_spoils_one_try():
    async with receiving(401) as receiver, emitting() as emitter:
        await told(emitter, receiver, "a", fault="bad-signature")
        proofs = [headers["X-Proof"] for _, headers, _ in receiver.taken]
        assert proofs == ["ab0", "abc"]
        assert only(emitter).faults == ["bad-signature"]


async def test_a_fault_for_another_path_is_left():
    async with receiving() as receiver, emitting() as emitter:
        emitter.faults.add("/webhooks/there", "lose")
        assert await told(emitter, receiver, "a") == ["a"]


async def test_without_a_target_an_event_is_only_recorded():
    async with emitting() as emitter:
        emitter.emit("ev_1", "a", {"x": 1}, [])
        await emitter.drain()
        shown = only(emitter).shown()
        assert (shown["status"], shown["attempts"], shown["body"]) == ("recorded", 0, {"x": 1})


async def test_what_is_still_on_its_way_can_be_asked():
    async with receiving(*[500] * 3) as receiver, emitting() as emitter:
        emitter.emit("ev_a", "a", {}, [Target(receiver.url + PATH, PATH, sign)])
        assert emitter.undelivered() == ["ev_a"]
        await emitter.drain()
        assert emitter.undelivered() == []
