"""While 1099Policy is silent past its limit, nothing that was not known before passes for true."""

from datetime import UTC, datetime

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from lives import life
from story import DAY, END, NOW, START, insured

from domain import commands as c
from domain.coverage import answer
from domain.days import over_day
from domain.state import Engagement

HEARD = START + DAY


def test_after_it_was_last_heard_the_answer_is_unknown_and_says_since_when() -> None:
    told = answer(insured().engagement, HEARD + 1, HEARD)
    heard = datetime.fromtimestamp(HEARD, UTC).isoformat().replace("+00:00", "Z")
    assert (told.covered, told.basis, told.since) == (None, None, HEARD)
    assert told.reason == f"1099Policy has not answered since {heard}."
    assert told.evidence == ()


def test_up_to_then_the_answer_is_what_it_was_and_changes_when_silence_sets_in() -> None:
    s = insured().engagement
    told = answer(s, HEARD, HEARD)
    assert (told.covered, told.next_change_at) == (True, HEARD + 1)
    assert answer(s, HEARD).next_change_at == END


def test_a_contract_that_has_ended_stays_known_and_one_that_will_end_is_known_again_then() -> None:
    ended = HEARD + 5 * DAY
    s = insured().when(c.EndContract(NOW, ended)).engagement
    assert answer(s, ended, HEARD).covered is False
    told = answer(s, ended - 1, HEARD)
    assert (told.covered, told.next_change_at) == (None, ended)


def test_of_a_day_on_which_it_fell_silent_a_part_is_unknown() -> None:
    s = insured().engagement
    assert over_day(s, HEARD, HEARD + DAY).extent == "all"
    told = over_day(s, HEARD, HEARD + DAY, HEARD + 3600)
    assert (told.extent, told.covered) == ("unknown", None)
    assert [(p.starts_at, p.ends_at) for p in told.parts] == [(HEARD, HEARD + 3601)]


@pytest.mark.parametrize("silent_since", [None, HEARD])
def test_of_an_engagement_nobody_knows_nothing_is_known_either_way(silent_since: int | None) -> None:
    assert answer(Engagement("9001"), HEARD + 1, silent_since).covered is None


@drawn(
    st.integers(0, 10_000),
    st.integers(NOW - 99 * DAY, NOW + 99 * DAY),
    st.integers(NOW - DAY, NOW + 60 * DAY),
)
def test_in_no_life_does_silence_leave_an_answer_true(seed: int, at: int, heard: int) -> None:
    s = life(seed, "9001").engagement
    told, before = answer(s, at, heard), answer(s, at)
    if at <= heard:
        assert told.covered == before.covered
    else:
        assert told.covered is (False if s.ended_at is not None and s.ended_at <= at else None)
