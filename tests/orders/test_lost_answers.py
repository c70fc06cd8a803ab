"""The answer to POST /assignments is lost and not asked for again: what was made is found and ended."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from orders.flows import Script
from orders.harness import POLITE, Clock, Delivered, World
from story import DAY, NOW, START

from domain import commands as c
from service.clients.http import VendorRefused, VendorUnavailable
from service.handle import Origin
from service.store.memory import MemoryStore

Meanwhile = Callable[[World], Any]


async def world(script: Callable[[Script], None]) -> World:
    """A freelancer who has opted in; ``script`` tells of their next engagement b, under policy p."""
    s = Script("t")
    s.offer()
    s.active()
    s.policy("policy.active", NOW + 2 * DAY)
    s.the_rest_is_shuffled()
    s.assigned_under("p", "b")
    s.offer("b", NOW + 3 * DAY)
    s.active("b", NOW + 4 * DAY)
    script(s)
    clock = Clock(NOW)
    return World(MemoryStore(clock), clock, s.flow("lost answers", "ended"), POLITE, Random(0))


def losing(made: World, meanwhile: Meanwhile) -> None:
    """The first answer to POST /assignments is lost, and something happens before the next try."""
    client: Any = made.worker._desk.ten99policy
    create, tries = client.create_assignment, iter([True])

    async def lost(*given: Any, **named: Any) -> Any:
        if not next(tries, False):
            return await create(*given, **named)
        await create(*given, **named)
        await meanwhile(made)
        raise VendorUnavailable(vendor="double", what="POST /assignments", why="the answer was lost")

    client.create_assignment = lost


async def lived(made: World, last: int = 0) -> Any:
    """Engagement b when all is said but the ``last`` few pieces of news, which a test says itself."""
    news = (*made.flow.prelude, *made.flow.news)
    for one in news[: len(news) - last]:
        await made._say(Delivered(one))
        await made._quiet()
    return await made.handler.load("tb")


async def says_the_rest(made: World) -> None:
    await made._say(Delivered(made.flow.news[-1]))


@pytest.mark.parametrize(
    ("ended_at", "deed"), [(START - DAY, "cancel_assignments"), (START + DAY, "shorten_assignment")]
)
async def test_when_the_contract_ends_before_the_next_try_it_is_ended_too(ended_at: int, deed: str) -> None:
    made = await world(lambda s: s.ended("b", ended_at))
    losing(made, says_the_rest)
    s = await lived(made, last=1)
    assert (s.state, s.assignment.assignment_id, s.assignment.ended) == ("ended", "an_tb", True)
    assert made.vendors.done["tb", deed] == 1
    assert made.vendors.done["tb", "create_assignment"] == 1


async def test_when_a_certificate_makes_it_needless_it_is_known_all_the_same() -> None:
    made = await world(lambda s: None)

    async def approved(_made: World) -> None:
        news = c.NoteCertificateValidated(NOW + 5 * DAY, "crt_1", NOW, START + 90 * DAY)
        await made.handler.engagement("tb", news, Origin("c", "c", "webhook:1099policy"))

    losing(made, approved)
    s = await lived(made)
    assert (s.assignment.assignment_id, made.vendors.done["tb", "create_assignment"]) == ("an_tb", 1)


async def test_a_refusal_of_the_next_try_is_no_proof_that_there_is_none() -> None:
    """The first try made it; then its key ran out or its policy ended, and the second is refused."""
    made = await world(lambda s: None)
    client: Any = made.worker._desk.ten99policy

    async def refused(*_given: Any, **_named: Any) -> Any:
        raise VendorRefused(
            vendor="double", what="POST /assignments", why="", status=400, code="no_active_policy"
        )

    async def from_now_on(_made: World) -> None:
        client.create_assignment = refused

    losing(made, from_now_on)
    s = await lived(made)
    assert (s.assignment.assignment_id, s.assignment_refused, s.state) == ("an_tb", None, "insured")


async def test_a_first_refusal_is_believed() -> None:
    made = await world(lambda s: None)
    client: Any = made.worker._desk.ten99policy

    async def refused(*_given: Any, **_named: Any) -> Any:
        raise VendorRefused(
            vendor="double", what="POST /assignments", why="none", status=400, code="no_active_policy"
        )

    client.create_assignment = refused
    s = await lived(made)
    assert (s.assignment, s.assignment_refused) == (None, "none")
    assert made.vendors.done["tb", "read_assignments"] == 0


async def test_what_a_person_starts_afresh_looks_for_it_first() -> None:
    made = await world(lambda s: None)

    async def given_up(_made: World) -> None:
        told = Origin("c", "c", "a person")
        await made.handler.engagement("tb", c.ParkEffect(NOW, "assignment", "CreateAssignment", "lost"), told)
        again = Origin("r", "r", "a person")
        await made.handler.engagement("tb", c.RequestRetry(NOW, "again"), again)

    losing(made, given_up)
    s = await lived(made)
    assert (s.assignment.assignment_id, made.vendors.done["tb", "create_assignment"]) == ("an_tb", 1)
