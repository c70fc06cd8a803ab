"""Freelancers: their contractor, their opt-in, and the engagements that name them."""

from datetime import UTC, datetime

from story import NOW, given, offer

from domain import events as e
from projections.freelancers import FreelancerRow, freelancer


async def test_a_freelancer_gathers_what_their_stream_and_their_engagements_say(pool, log, runner):
    await log.freelancer("fl_12345", NOW, e.ContractorLinked("cn_1", "ava@relay.example"))
    await log.tell(given(offer(), id="first"))
    await log.tell(given(offer(), id="second"))
    await log.tell(given(offer(freelancer="fl_other"), id="third"))
    await runner.caught_up()
    assert await freelancer(pool, "fl_12345") == FreelancerRow("fl_12345", "cn_1", None, ("second", "first"))

    await log.freelancer("fl_12345", NOW + 5, e.FreelancerOptedIn("pl_1", NOW + 4))
    await log.freelancer("fl_12345", NOW + 6, e.NameDecided("Ava", "Nguyen"))
    await runner.caught_up()
    found = await freelancer(pool, "fl_12345")
    assert found
    assert found.opted_in_at == datetime.fromtimestamp(NOW + 4, UTC)
    assert found.contractor_id == "cn_1"


async def test_one_whom_only_an_engagement_names_is_known_all_the_same(pool, log, runner):
    await log.tell(given(offer()))
    await runner.caught_up()
    assert await freelancer(pool, "fl_12345") == FreelancerRow("fl_12345", None, None, ("9001",))


async def test_one_whom_nothing_names_is_not_known(pool):
    assert await freelancer(pool, "fl_nobody") is None
