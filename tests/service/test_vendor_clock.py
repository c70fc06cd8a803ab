"""The vendor's clock, by the Date of its answers."""

from datetime import UTC, datetime, timedelta

import pytest

from service.clients.vendor_clock import VendorClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def dated(moment: datetime) -> dict[str, str]:
    return {"Date": moment.strftime("%a, %d %b %Y %H:%M:%S GMT")}


@pytest.fixture
def jumps() -> list[float]:
    return []


@pytest.fixture
def clock(jumps: list[float]) -> VendorClock:
    made = VendorClock(lambda: NOON)
    made.on_jump = lambda: jumps.append(made.ahead_by)
    return made


@pytest.mark.parametrize(("seconds", "told"), [(0, 0), (2, 0), (-5, 0), (6, 6), (-90, -90), (86_400, 86_400)])
def test_a_second_or_two_is_the_wire_and_more_is_another_time(
    clock: VendorClock, seconds: int, told: int
) -> None:
    clock.read(dated(NOON + timedelta(seconds=seconds)))
    assert clock.ahead_by == told
    assert clock.is_known


@pytest.mark.parametrize("headers", [{}, {"Date": ""}, {"Date": "yesterday"}])
def test_an_answer_without_a_date_says_nothing(clock: VendorClock, headers: dict[str, str]) -> None:
    clock.read(dated(NOON + timedelta(days=1)))
    clock.read(headers)
    assert clock.ahead_by == 86_400


def test_only_a_clock_that_was_set_jumps(clock: VendorClock, jumps: list[float]) -> None:
    for seconds in (0, 7, 50, 3600, 3610, -3600):
        clock.read(dated(NOON + timedelta(seconds=seconds)))
    assert jumps == [3600, -3600]
