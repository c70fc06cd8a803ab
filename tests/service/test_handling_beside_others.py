"""Two processes that handle commands: what one remembers of an engagement may be behind the other."""

import pytest
from contracts.given import NOON

from domain import commands as c
from domain.rules import Rules
from service.handle import Handler, Origin
from service.store.memory import MemoryStore

AT = int(NOON.timestamp())


def origin(cause: str) -> Origin:
    return Origin(cause, cause, "test")


@pytest.fixture
def two() -> tuple[Handler, Handler]:
    store = MemoryStore(lambda: NOON)
    one, other = (Handler(store, Rules) for _ in range(2))
    return one, other


async def test_a_command_without_meaning_in_what_is_remembered_may_have_one_now(two):
    here, there = two
    await here.engagement("9001", c.AcceptOffer(AT, "of_1", "fl_1"), origin("offer"))
    await there.engagement("9001", c.ParkEffect(AT, "job", "CreateJob", "no"), origin("parked"))

    handled = await here.engagement("9001", c.RequestRetry(AT, "mended", ("job",)), origin("retry"))

    assert handled.new
    assert handled.after.parked == {}


async def test_a_command_without_meaning_is_no_news(two):
    here, _ = two
    accepted = await here.engagement("9001", c.AcceptOffer(AT, "of_1", "fl_1"), origin("offer"))
    handled = await here.engagement("9001", c.RequestRetry(AT, "mended", ("job",)), origin("retry"))
    assert (handled.new, handled.events, handled.after) == (False, (), accepted.after)
