"""Two processes that handle commands: what one remembers of an engagement may be behind the other."""

import asyncio

import pytest
from contracts.given import NOON

from domain import commands as c
from domain.ids import engagement_stream
from domain.rules import Rules
from service.handle import Handler, Origin
from service.ports import Head
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


async def test_an_offer_told_twice_to_two_processes_is_one_offer(two):
    here, there = two
    await here.engagement("9001", c.AcceptOffer(AT, "of_1", "fl_1"), origin("offer"))
    await here.engagement("9001", c.ParkEffect(AT, "job", "CreateJob", "no"), origin("parked"))

    same = await there.engagement("9001", c.AcceptOffer(AT, "of_1", "fl_1"), origin("offer"))
    other = await there.engagement("9001", c.AcceptOffer(AT, "of_2", "fl_1"), origin("another"))

    assert not same.new
    assert other.new
    assert other.after.parked.keys() == {"job"}
    assert (await here.load("9001")) == other.after


async def test_what_is_remembered_of_a_freelancer_may_be_behind_another_process(two):
    here, there = two
    await here.freelancer("fl_1", c.DecideName(AT, "Ava", "Nguyen"), origin("first"))
    await there.freelancer("fl_1", c.DecideName(AT, "Ava", "Lee"), origin("second"))

    decided = await here.freelancer("fl_1", c.DecideName(AT, "Ava", "Nguyen"), origin("third"))

    assert (decided.last_name, decided.version) == ("Nguyen", 3)
    assert await there.load_freelancer("fl_1") == decided


async def test_a_contractor_linked_by_another_process_stays_the_one(two):
    here, there = two
    await here.freelancer("fl_1", c.DecideName(AT, "Ava", "Nguyen"), origin("first"))
    await there.freelancer("fl_1", c.LinkContractor(AT, "cn_1", "a@b.c"), origin("there"))

    linked = await here.freelancer("fl_1", c.LinkContractor(AT, "cn_2", "a@b.c"), origin("here"))

    assert linked.contractor_id == "cn_1"


async def test_who_asks_again_of_another_process_is_told_what_came_of_it(two):
    here, there = two
    await here.engagement("9001", c.AcceptOffer(AT, "of_1", "fl_1"), origin("offer"))
    await there.load("9001")
    parked = await here.engagement("9001", c.ParkEffect(AT, "job", "CreateJob", "no"), origin("parked"))

    again = await there.engagement("9001", c.ParkEffect(AT, "job", "CreateJob", "no"), origin("parked"))

    assert (again.new, again.after) == (False, parked.after)


class SlowReads(MemoryStore):
    """Gives a head only when told to: as it was when it was asked for."""

    def __init__(self) -> None:
        super().__init__(lambda: NOON)
        self.asked, self.answers = asyncio.Event(), asyncio.Event()
        self.answers.set()

    async def head(self, stream_id: str) -> Head:
        found = await super().head(stream_id)
        self.asked.set()
        await self.answers.wait()
        return found


async def test_what_was_read_before_it_was_written_does_not_put_back_what_is_remembered():
    store = SlowReads()
    handler = Handler(store, Rules)
    await handler.engagement("9001", c.AcceptOffer(AT, "of_1", "fl_1"), origin("offer"))
    await handler.freelancer("fl_1", c.LinkContractor(AT, "cn_1", "a@b.c"), origin("link"))
    store.asked.clear()
    store.answers.clear()
    reading = [
        asyncio.create_task(handler.load("9001")),
        asyncio.create_task(handler.load_freelancer("fl_1")),
    ]
    await store.asked.wait()
    parked = await handler.engagement("9001", c.ParkEffect(AT, "job", "CreateJob", "no"), origin("parked"))
    named = await handler.freelancer("fl_1", c.DecideName(AT, "Ava", "Nguyen"), origin("named"))
    store.answers.set()

    assert await asyncio.gather(*reading) == [parked.after, named]
    assert handler.remembered(engagement_stream("9001")) == parked.after
