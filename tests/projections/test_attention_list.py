"""What waits for a person: it appears, it clears, and its row remembers how often."""

from datetime import UTC, datetime, timedelta

import pytest
from story import JOB, NOW, contract_read, given, insured, offer
from written_log import BEGINNING

from domain import commands as c
from projections.attention_list import AttentionGroup, AttentionRow, attention_by_code, list_attention
from projections.engagement_list import list_engagements
from projections.errors import BadCursor
from projections.runner import Runner

PARKED = c.ParkEffect(NOW + 60, "read", "ReadContract", "403: no such contract")
CONTRACTOR_PARKED = c.ParkEffect(NOW, "contractor", "EnsureContractor", "422")
JOB_PARKED = c.ParkEffect(NOW, "job", "CreateJob", "422")


async def test_it_appears_with_its_words_and_clears(pool, log, runner):
    story = given(offer(), PARKED)
    await log.tell(story)
    await runner.caught_up()

    assert await list_attention(pool) == (
        [
            AttentionRow(
                engagement_id="9001",
                code="effect_parked",
                step="read",
                message="ReadContract was given up: 403: no such contract",
                clears="Mend the cause the vendor names, then retry.",
                since=datetime.fromtimestamp(NOW + 60, UTC),
                first_seen=BEGINNING + timedelta(seconds=2),
                last_seen=BEGINNING + timedelta(seconds=2),
                count=1,
            )
        ],
        None,
    )
    ((row,), _) = await list_engagements(pool, now=BEGINNING, attention=True)
    assert (row.attention_count, row.attention_codes) == (1, ("effect_parked",))

    await log.tell(story.given(contract_read(at=NOW + 90)))
    await runner.caught_up()
    assert await list_attention(pool) == ([], None)
    assert await attention_by_code(pool) == []
    assert await list_engagements(pool, now=BEGINNING, attention=True) == ([], None)


@pytest.mark.parametrize("batch", [1, 500])
async def test_raised_again_it_counts_again_however_events_are_batched(pool, log, batch):
    again = c.ParkEffect(NOW + 300, "read", "ReadContract", "502")
    await log.tell(given(offer(), PARKED, c.RequestRetry(NOW + 200, "mended"), again))
    await Runner(pool, batch=batch).caught_up()

    ((row,), _) = await list_attention(pool)
    assert (row.count, row.message) == (2, "ReadContract was given up: 502")
    assert row.since == datetime.fromtimestamp(NOW + 300, UTC)
    assert row.first_seen == BEGINNING + timedelta(seconds=2)
    assert row.last_seen == BEGINNING + timedelta(seconds=4)


async def test_each_failed_call_waits_for_itself(pool, log, runner):
    story = given(offer(), contract_read(), CONTRACTOR_PARKED, JOB_PARKED)
    await log.tell(story)
    await runner.caught_up()
    assert {row.step for row in (await list_attention(pool))[0]} == {"contractor", "job"}
    await log.tell(story.given(JOB))
    await runner.caught_up()
    assert {row.step for row in (await list_attention(pool))[0]} == {"contractor"}


async def test_groups_tell_how_many_wait_under_one_code(pool, log, runner):
    await log.tell(given(offer(), contract_read(), CONTRACTOR_PARKED, JOB_PARKED, id="a"))
    await log.tell(given(offer(), PARKED, id="b"))
    await log.tell(insured().given(c.NotePolicyOver(NOW + 10**6, "pl_1", NOW + 10**6, canceled=True)))
    await runner.caught_up()
    parked, lapsed = await attention_by_code(pool)
    assert parked == AttentionGroup(
        "effect_parked", 3, 2, BEGINNING + timedelta(seconds=4), BEGINNING + timedelta(seconds=7)
    )
    assert (lapsed.code, lapsed.count) == ("coverage_lapsed", 1)


async def test_the_longest_waiting_come_first_page_by_page(pool, log, runner):
    for n, wait in enumerate([50, 10, 30, 20, 40]):
        await log.tell(given(offer(), c.ParkEffect(NOW + wait, "read", "ReadContract", "403"), id=f"e{n}"))
    await log.tell(given(offer(freelancer=None), id="other"))
    await runner.caught_up()

    seen, cursor = [], None
    while True:
        rows, cursor = await list_attention(pool, code="effect_parked", cursor=cursor, limit=2)
        seen += [row.engagement_id for row in rows]
        if cursor is None:
            break
    assert seen == ["e1", "e3", "e2", "e4", "e0"]
    everything, _ = await list_attention(pool)
    assert [row.engagement_id for row in everything] == ["other", *seen]


async def test_a_foreign_cursor_is_refused(pool, log, runner):
    await log.interleave([given(offer(), id=f"e{n}") for n in range(2)])
    await runner.caught_up()
    _, cursor = await list_engagements(pool, now=BEGINNING, limit=1)
    assert cursor
    with pytest.raises(BadCursor):
        await list_attention(pool, cursor=cursor)


async def test_a_note_of_an_older_program_is_set_right_with_the_next_event(pool, log, runner, owner):
    story = given(offer(), PARKED)
    await log.tell(story)
    await runner.caught_up()
    await owner.execute("DELETE FROM coverd.attention_r1")
    await log.tell(story.given(contract_read()))
    await runner.caught_up()
    assert await runner.stopped() == []
    assert await list_attention(pool) == ([], None)
