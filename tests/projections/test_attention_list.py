"""What waits for a person: it appears, it clears, and its row remembers how often."""

from datetime import UTC, datetime, timedelta

import pytest
from projection_plans import Explaining
from replacing import replace
from story import COI, FRONTEND, JOB, NOW, RULES, Story, contract_read, given, insured, offer
from written_log import BEGINNING

from domain import commands as c
from domain.attention import UNMOVED_BY_RETRY
from projections.attention_list import (
    AttentionGroup,
    AttentionRow,
    Retryable,
    attention_by_cause,
    attention_by_code,
    count_retryable,
    list_attention,
    list_retryable,
)
from projections.engagement_list import list_engagements
from projections.errors import BadCursor
from projections.runner import Runner
from service import lists
from service.counted import Moment
from service.lists import ReadModels

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


@pytest.mark.parametrize("filters", [{}, {"code": "effect_parked"}], ids=str)
async def test_the_longest_waiting_are_read_in_order_from_an_index(pool, owner, filters):
    await owner.execute(
        "INSERT INTO coverd.attention_r1 SELECT coverd.bucket_of('engagement:e' || n), 'e' || n,"
        " CASE WHEN n % 2 = 0 THEN 'effect_parked' ELSE 'coverage_lapsed' END, '', '', '', at, at, at, 1,"
        " CASE WHEN n % 100 > 0 THEN at END"
        " FROM generate_series(1, 20000) n, (SELECT $1::timestamptz AS at) t",
        BEGINNING,
    )
    await owner.execute("ANALYZE coverd.attention_r1")
    explaining = Explaining(pool)
    await list_attention(explaining, **filters)
    assert "Index Scan" in explaining.plan
    assert "Sort" not in explaining.plan


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


def given_up(id: str, error: str, step: str = "job", at: int = NOW) -> Story:
    read = contract_read(replace(FRONTEND, attachments=(COI,)))
    return given(offer(), read, c.ParkEffect(at, step, "CreateJob", error), id=id)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("422: contractor cn_FoA42zQ is barred", "422: contractor cn_Zk39A2L is barred"),
        (
            "400: request 1f9c2f3e-0c1a-4b6e-9b1d-1234567890ab",
            "400: request 0" + "0000000-0000-4000-8000-000000000000",
        ),
        ("409: order 1764628800", "409: order 1764628801"),
    ],
)
async def test_vendors_words_that_differ_in_ids_alone_are_one_cause(pool, log, runner, first, second):
    await log.tell(given_up("a", first))
    await log.tell(given_up("b", second))
    await runner.caught_up()
    (cause,) = await attention_by_cause(pool)
    assert (cause.count, cause.engagements, cause.longest) == (2, 2, "a")
    assert cause.cause.partition("…")[0] in f"CreateJob was given up: {first}"
    assert "…" in cause.cause


async def test_other_words_other_steps_and_other_holds_are_other_causes(pool, log, runner):
    await log.tell(given_up("a", "422: category_code: unknown"))
    await log.tell(given_up("b", "503: category_code: unknown"))
    await log.tell(given_up("c", "422: category_code: unknown", step="contractor"))
    await log.tell(given_up("d", "422: category_code: unknown", step="fetch:at_1"))
    for n, client in enumerate(["cl_70001", "cl_70002"]):
        rules = replace(RULES, clients={})
        await log.tell(
            given(c.AcceptOffer(NOW, "of_1", "fl_1", client), contract_read(), id=f"e{n}", rules=rules)
        )
    await runner.caught_up()

    found = await attention_by_cause(pool)
    assert sorted((f.step or "", f.count) for f in found) == [
        *(("", 1), ("", 1), ("contractor", 1), ("fetch", 1), ("job", 1), ("job", 1))
    ]
    assert [f.code for f in await attention_by_cause(pool, "client_unmapped")] == ["client_unmapped"] * 2
    assert len(await attention_by_cause(pool, limit=1)) == 1


async def test_what_can_be_tried_again_is_found_by_code_step_and_time(pool, log, runner):
    await log.tell(given_up("a", "422", at=NOW + 60))
    await log.tell(given_up("b", "422", step="contractor", at=NOW + 30))
    await log.tell(given_up("c", "422", step="fetch:at_1", at=NOW + 90))
    unmapped = contract_read(replace(FRONTEND, category="Falconry"), at=NOW + 10)
    await log.tell(given(offer(), unmapped, id="d"))
    await log.tell(insured().given(c.NotePolicyOver(NOW + 10**6, "pl_1", NOW + 10**6, canceled=True)))
    await runner.caught_up()

    async def found(**asked) -> list[tuple[str, tuple[str, ...]]]:
        filter = Retryable(sorted(UNMOVED_BY_RETRY), **asked)
        rows = await list_retryable(pool, filter, 10)
        assert await count_retryable(pool, filter) == (len(rows), len(rows))
        return rows

    assert await found() == [
        *(("d", ("read",)), ("b", ("contractor",)), ("a", ("job",)), ("c", ("fetch:at_1",)))
    ]
    assert await found(code="effect_parked", since=datetime.fromtimestamp(NOW + 60, UTC)) == [
        *(("a", ("job",)), ("c", ("fetch:at_1",)))
    ]
    assert await found(step="fetch") == [("c", ("fetch:at_1",))]
    assert await found(code="category_unmapped") == [("d", ("read",))]
    assert await found(code="coverage_lapsed") == []
    assert await list_retryable(pool, Retryable([]), 1) == [("d", ("read",))]


async def test_several_calls_of_one_engagement_are_tried_again_together(pool, log, runner):
    await log.tell(given(offer(), contract_read(), CONTRACTOR_PARKED, JOB_PARKED))
    await runner.caught_up()
    everything = Retryable([])
    assert await list_retryable(pool, everything, 10) == [("9001", ("contractor", "job"))]
    assert await count_retryable(pool, everything) == (2, 1)


async def test_what_waits_in_great_number_is_not_counted_for_every_reader(pool, log, runner, monkeypatch):
    assert await ReadModels(pool).attention_by_code() == []
    await log.tell(given(offer(), contract_read(replace(FRONTEND, category="Falconry"))))
    await runner.caught_up()
    monkeypatch.setattr(lists, "WAITING", Moment(few=0, each=3600, most=3600))
    models = ReadModels(pool)
    counted = await models.attention_by_code()
    assert [group.count for group in counted] == [1]

    await log.tell(given(offer(), contract_read(replace(FRONTEND, category="Falconry")), id="9002"))
    await runner.caught_up()

    assert await models.attention_by_code() == counted
    assert [group.count for group in await ReadModels(pool).attention_by_code()] == [2]
