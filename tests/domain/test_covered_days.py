"""A day is covered wholly, in part, or not at all, and unknown is none of these."""

from story import DAY, END, NOW, START, awaiting_opt_in, insured, policy_active

from domain import commands as c
from domain.coverage import answer
from domain.days import over_day
from domain.values import Window

MIDNIGHT = START - START % DAY


def test_the_day_cover_begins_at_22_40_is_covered_in_part() -> None:
    day = over_day(insured().engagement, MIDNIGHT, MIDNIGHT + DAY)
    assert (day.extent, day.covered) == ("part", False)
    assert day.parts == (Window(START, MIDNIGHT + DAY),)


def test_the_next_day_is_covered_wholly_with_its_evidence() -> None:
    day = over_day(insured().engagement, MIDNIGHT + DAY, MIDNIGHT + 2 * DAY)
    assert (day.extent, day.covered) == ("all", True)
    assert day.evidence == answer(insured().engagement, MIDNIGHT + DAY).evidence


def test_the_day_before_is_not_covered() -> None:
    assert over_day(insured().engagement, MIDNIGHT - DAY, MIDNIGHT).extent == "none"


def test_a_back_dated_cancellation_takes_the_day_away() -> None:
    cancelled = insured().given(c.NotePolicyOver(START + 9 * DAY, "pl_1", START + DAY, canceled=True))
    day = MIDNIGHT + 3 * DAY
    assert over_day(insured().engagement, day, day + DAY).extent == "all"
    assert over_day(cancelled.engagement, day, day + DAY).extent == "none"


def test_a_gap_within_the_day_leaves_two_parts() -> None:
    noon = MIDNIGHT + 2 * DAY + DAY // 2
    again = insured().given(
        c.NotePolicyOver(noon, "pl_1", noon, canceled=True),
        policy_active(noon + 3600, starts=noon + 3600, ends=END),
    )
    day = over_day(again.engagement, MIDNIGHT + 2 * DAY, MIDNIGHT + 3 * DAY)
    assert day.extent == "part"
    assert day.parts == (Window(MIDNIGHT + 2 * DAY, noon), Window(noon + 3600, MIDNIGHT + 3 * DAY))


def test_a_contract_that_ends_at_noon_is_covered_until_then() -> None:
    noon = MIDNIGHT + 2 * DAY + DAY // 2
    ended = insured().given(c.EndContract(noon, noon))
    day = over_day(ended.engagement, MIDNIGHT + 2 * DAY, MIDNIGHT + 3 * DAY)
    assert day.parts == (Window(MIDNIGHT + 2 * DAY, noon),)


def test_a_policy_without_dates_makes_the_day_unknown_never_covered() -> None:
    undated = awaiting_opt_in().given(policy_active(NOW, starts=None, ends=None))
    day = over_day(undated.engagement, MIDNIGHT, MIDNIGHT + DAY)
    assert (day.extent, day.covered) == ("unknown", None)
