"""The list of engagements: what a row says, what the filters leave, and how pages hold still."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lives import life
from projection_plans import Explaining
from story import (
    CONTRACTOR,
    DAY,
    END,
    FRONTEND,
    JOB,
    NOW,
    QUOTE,
    SESSION,
    START,
    awaiting_opt_in,
    contract_read,
    given,
    insured,
    offer,
    policy_active,
)
from written_log import BEGINNING

from domain import commands as c
from domain.coverage import answer
from domain.values import Person
from projections.engagement_list import EngagementRow, count_engagements, list_engagements, live_engagements
from projections.errors import BadCursor


def on(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


async def ids(pool: Any, now: int = NOW, **filters: Any) -> list[str]:
    rows, after = await list_engagements(pool, now=on(now), limit=200, **filters)
    assert after is None
    return [row.engagement_id for row in rows]


async def test_a_row_says_what_lists_show(pool, log, runner):
    await log.tell(insured())
    await runner.caught_up()

    ((row,), after) = await list_engagements(pool, now=on(START))

    assert after is None
    assert row == EngagementRow(
        engagement_id="9001",
        state="insured",
        covered=True,
        client_id=None,
        freelancer_id="fl_12345",
        contractor_id="cn_FoA42zQ",
        title="Frontend Developer",
        attention_count=0,
        attention_codes=(),
        version=insured().engagement.version,
        created_at=BEGINNING + timedelta(seconds=1),
        updated_at=BEGINNING + timedelta(seconds=log.recorded),
    )


@pytest.mark.parametrize(
    ("now", "covered"),
    [(START - 1, False), (START, True), (END - 1, True), (END, False)],
)
async def test_covered_is_judged_at_the_time_of_asking(pool, log, runner, now, covered):
    await log.tell(insured())
    await runner.caught_up()
    rows, _ = await list_engagements(pool, now=on(now))
    assert [row.covered for row in rows] == [covered]
    found = {word: await ids(pool, now, covered=word) for word in ("true", "false", "null")}
    assert found == {
        "null": [],
        **{word: ["9001"] if covered is (word == "true") else [] for word in ("true", "false")},
    }


async def test_a_policy_without_dates_leaves_the_answer_open(pool, log, runner):
    await log.tell(awaiting_opt_in().given(policy_active(starts=None, ends=None)))
    await runner.caught_up()
    rows, _ = await list_engagements(pool, now=on(START))
    assert [row.covered for row in rows] == [None]
    assert await ids(pool, START, covered="null") == ["9001"]
    assert await ids(pool, START, covered="true") == await ids(pool, START, covered="false") == []


async def test_a_policy_whose_end_could_not_be_read_back_leaves_the_answer_open(pool, log, runner):
    told = awaiting_opt_in().given(policy_active(ends=None))
    given_up = c.ParkEffect(NOW + 3 * DAY, "policy:pl_1:8", "ConfirmPolicy", "it shows no dates")
    await log.tell(told.given(given_up))
    await runner.caught_up()
    assert await ids(pool, START, covered="null") == ["9001"]
    assert await ids(pool, START, covered="true") == await ids(pool, START, covered="false") == []


async def test_nothing_is_covered_after_the_contracts_end(pool, log, runner):
    await log.tell(insured().given(c.EndContract(START + DAY, START + 2 * DAY)))
    await runner.caught_up()
    assert await ids(pool, START + 2 * DAY - 1, covered="true") == ["9001"]
    assert await ids(pool, START + 2 * DAY, covered="false") == ["9001"]


@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize("seed", range(6))
async def test_covered_is_what_the_domain_answers_at_every_instant(pool, log, runner, seed, silent):
    told = [life(seed, f"e{n}") for n in range(12)]
    await log.interleave(told)
    await runner.caught_up()
    known = set()
    for now in range(NOW - DAY, NOW + 500 * DAY, 7 * DAY):
        rows, _ = await list_engagements(pool, now=on(now), limit=200, silent=silent)
        heard = now - 1 if silent else None
        wanted = {s.engagement.engagement_id: answer(s.engagement, now, heard).covered for s in told}
        assert {row.engagement_id: row.covered for row in rows} == wanted
        for word, value in (("true", True), ("false", False), ("null", None)):
            found = await ids(pool, now, covered=word, silent=silent)
            assert set(found) == {i for i, v in wanted.items() if v is value}
        counts = await count_engagements(pool, on(now), silent)
        answers = {True: "covered", False: "not_covered", None: "unknown"}
        for value, name in answers.items():
            assert counts[name] == list(wanted.values()).count(value)
        known |= set(wanted.values())
    assert ({None, False} if silent else {True, False}) <= known


async def test_the_live_ones_are_walked_oldest_first_and_the_ended_left_out(pool, log, runner):
    for number in range(7):
        story = given(offer(), id=f"e{number}")
        await log.tell(story.given(c.EndContract(NOW, NOW)) if number == 3 else story)
    await runner.caught_up()

    walked, after = [], None
    while rows := await live_engagements(pool, after, 4):
        walked += [engagement_id for _, engagement_id in rows]
        after = rows[-1]

    assert walked == ["e0", "e1", "e2", "e4", "e5", "e6"]


async def test_counts_tell_those_over_among_the_uncovered_and_what_waits(pool, log, runner):
    assert await count_engagements(pool, on(START)) == dict.fromkeys(
        ("covered", "not_covered", "unknown", "attention", "ended"), 0
    )
    ready = (offer(), contract_read(), CONTRACTOR, JOB, QUOTE, SESSION)
    ends = c.EndContract(START + DAY, START + 2 * DAY)
    await log.tell(insured())
    await log.tell(given(offer(), c.EndContract(NOW, NOW), id="over"))
    await log.tell(given(offer(freelancer=None), id="waiting"))
    await log.tell(given(*ready, policy_active(), ends, id="ending"))
    await log.tell(given(*ready, policy_active(starts=None, ends=None), id="open"))
    await runner.caught_up()
    counts = {"covered": 2, "not_covered": 2, "unknown": 1, "attention": 1, "ended": 1}
    assert await count_engagements(pool, on(START + DAY)) == counts
    later = {"covered": 1, "not_covered": 3, "ended": 2}
    assert await count_engagements(pool, on(START + 2 * DAY)) == {**counts, **later}


async def test_filters_leave_what_matches_all_of_them(pool, log, runner):
    await log.tell(given(c.AcceptOffer(NOW, None, "fl_1", "cl_1"), id="a"))
    await log.tell(given(c.AcceptOffer(NOW, None, "fl_2", "cl_1"), id="b"))
    await log.tell(given(c.AcceptOffer(NOW, None, "fl_1", "cl_2"), contract_read(), CONTRACTOR, id="c"))
    await log.tell(given(offer(freelancer=None), id="d"))
    await runner.caught_up()

    assert await ids(pool) == ["d", "c", "b", "a"]
    assert await ids(pool, state="contractor_ready") == ["c"]
    assert await ids(pool, client="cl_1") == ["b", "a"]
    assert await ids(pool, freelancer="fl_1") == ["c", "a"]
    assert await ids(pool, client="cl_1", freelancer="fl_1", state="offered") == ["a"]
    assert await ids(pool, ids=["a", "d", "no such"]) == ["d", "a"]
    assert await ids(pool, ids=[]) == []
    assert await ids(pool, attention=True) == ["d"]
    assert await ids(pool, attention=False, client="cl_2") == ["c"]


async def test_pages_hold_still_while_rows_change_and_new_ones_come(pool, log, runner):
    await log.interleave([given(offer(), id=f"e{n}") for n in range(7)])
    await runner.caught_up()

    seen, cursor = [], None
    while True:
        rows, cursor = await list_engagements(pool, now=on(NOW), cursor=cursor, limit=3)
        seen += [row.engagement_id for row in rows]
        if cursor is None:
            break
        await log.tell(given(offer(), contract_read(), id=seen[0]))
        await log.tell(given(offer(), id=f"new{len(seen)}"))
        await runner.caught_up()

    assert seen == [f"e{n}" for n in range(6, -1, -1)]


async def test_a_full_last_page_has_no_cursor(pool, log, runner):
    await log.interleave([given(offer(), id=f"e{n}") for n in range(3)])
    await runner.caught_up()
    rows, cursor = await list_engagements(pool, now=on(NOW), limit=3)
    assert (len(rows), cursor) == (3, None)


@pytest.mark.parametrize(
    "cursor", ["", "x", "bm9uZQ", "WyJ5ZXN0ZXJkYXkiLCJlMSJd", "WyIyMDI2LTAxLTAxIiwiZTEiXQ", "ü"]
)
async def test_a_cursor_of_ones_own_making_is_refused(pool, cursor):
    with pytest.raises(BadCursor):
        await list_engagements(pool, now=on(NOW), cursor=cursor)


async def test_what_a_text_column_cannot_hold_stops_nothing(pool, log, runner):
    person = Person(display_name="Ava\x00 Nguyen")
    terms = contract_read(FRONTEND.__class__("Zero \x00 title", None, None, None, None, None, person))
    await log.tell(given(offer(), terms))
    await runner.caught_up()
    ((row,), _) = await list_engagements(pool, now=on(NOW))
    assert row.title == "Zero \ufffd title"


async def test_dates_beyond_the_calendar_stop_nothing(pool, log, runner):
    await log.tell(awaiting_opt_in().given(policy_active(starts=-(10**15), ends=10**15)))
    await runner.caught_up()
    assert await ids(pool, START, covered="true") == ["9001"]


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"state": "lapsed"},
        {"client": "cl_7"},
        {"freelancer": "fl_7"},
        {"ids": ["e1", "e2"]},
        {"attention": True},
        {"covered": "true"},
        {"covered": "null"},
    ],
    ids=str,
)
async def test_every_filter_finds_its_index(pool, owner, filters):
    await owner.execute(
        "INSERT INTO coverd.engagements_r1 SELECT coverd.bucket_of('engagement:e' || n), 'e' || n, 1,"
        " CASE WHEN n % 100 = 0 THEN 'lapsed' ELSE 'insured' END,"
        " 'cl_' || n % 500, 'fl_' || n % 500, NULL, NULL,"
        " ('{[2020-01-01,' || CASE WHEN n = 9 THEN 2027 ELSE 2021 END || '-01-01)}')::tstzmultirange,"
        " CASE WHEN n % 100 = 3 THEN 'infinity'::timestamptz END, '{}', (n % 100 = 5)::int,"
        " '2026-01-01'::timestamptz + n * interval '1 second', '2026-01-01', '{}'"
        " FROM generate_series(1, 20000) n"
    )
    await owner.execute("ANALYZE coverd.engagements_r1")
    plan = await plan_of(pool, filters)
    assert "Index" in plan
    assert "Seq Scan" not in plan


async def test_the_walk_of_the_live_ones_finds_its_index(pool, owner):
    await owner.execute(
        "INSERT INTO coverd.engagements_r1 SELECT coverd.bucket_of('engagement:e' || n), 'e' || n, 1,"
        " CASE WHEN n % 100 = 0 THEN 'insured' ELSE 'ended' END, NULL, NULL, NULL, NULL, '{}', NULL, '{}', 0,"
        " '2026-01-01'::timestamptz + n * interval '1 second', '2026-01-01', '{}'"
        " FROM generate_series(1, 20000) n"
    )
    await owner.execute("ANALYZE coverd.engagements_r1")
    explaining = Explaining(pool)
    await live_engagements(explaining, None, 100)
    assert "Index" in explaining.plan
    assert "Seq Scan" not in explaining.plan


async def plan_of(pool: Any, filters: dict[str, Any]) -> str:
    explaining = Explaining(pool)
    await list_engagements(explaining, now=on(START), **filters)
    return explaining.plan
