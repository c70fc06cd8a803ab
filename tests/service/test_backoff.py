"""When a failed call is tried again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.effects.backoff import Ladder

NOW = datetime(2025, 12, 1, 22, 40, tzinfo=UTC)
ROUNDING = 1e-6
"""Times are kept in microseconds."""

attempts = st.integers(1, 10_000)
draws = st.floats(0, 1, exclude_max=True)
ladders = st.builds(Ladder, first=st.floats(0.001, 60), most=st.floats(60, 10**6))


def wait(ladder: Ladder, attempt: int, retry_after: float | None = None, draw: float | None = None) -> float:
    return (ladder.next_try(attempt, NOW, retry_after, draw) - NOW).total_seconds()


@pytest.mark.parametrize(
    ("attempt", "ceiling"), [(1, 1), (2, 2), (3, 4), (10, 512), (15, 16384), (16, 21600), (9999, 21600)]
)
def test_the_ceiling_doubles_up_to_six_hours(attempt: int, ceiling: float) -> None:
    assert wait(Ladder(), attempt, draw=0.5) == ceiling / 2
    assert wait(Ladder(), attempt, draw=0.0) == 0


@given(ladders, attempts, draws)
def test_jitter_spreads_tries_between_now_and_the_ceiling(ladder: Ladder, attempt: int, draw: float) -> None:
    assert 0 <= wait(ladder, attempt, draw=draw) <= ladder.most + ROUNDING
    assert wait(ladder, attempt, draw=draw) <= wait(ladder, attempt + 1, draw=draw)


@given(ladders, attempts, st.floats(0, 10**9), draws)
def test_no_try_comes_before_the_vendor_allows_it(
    ladder: Ladder, attempt: int, wish: float, draw: float
) -> None:
    waited = wait(ladder, attempt, wish, draw)
    assert min(wish, ladder.most) - ROUNDING <= waited <= ladder.most + ROUNDING


def test_a_wish_without_end_is_kept_to_the_longest_wait() -> None:
    assert wait(Ladder(), 1, float("inf")) == Ladder().most


def test_two_workers_do_not_try_again_at_the_same_moment() -> None:
    waits = {wait(Ladder(), 12) for _ in range(50)}
    assert len(waits) > 40
    assert all(0 <= w <= 2048 for w in waits)


def test_a_call_is_given_up_after_three_days() -> None:
    ladder = Ladder()
    assert not ladder.exhausted(NOW, NOW, 40)
    assert not ladder.exhausted(NOW, NOW + timedelta(hours=72, seconds=-1), 40)
    assert ladder.exhausted(NOW, NOW + timedelta(hours=72), 40)


def test_a_call_that_was_held_back_for_long_still_gets_its_tries() -> None:
    assert not Ladder().exhausted(NOW, NOW + timedelta(days=9), 11)
    assert Ladder().exhausted(NOW, NOW + timedelta(days=9), 12)


def test_three_days_of_failures_are_more_than_the_fewest_tries_however_the_jitter_falls() -> None:
    hours = sum(wait(Ladder(), attempt, draw=1 - 2**-53) for attempt in range(1, 12)) / 3600
    assert hours < 72
