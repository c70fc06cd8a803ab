"""How much one token may ask."""

from service.api.rates import Rates


def test_a_minutes_worth_in_one_go_and_then_as_it_comes_back() -> None:
    now = [1000.0]
    rates = Rates(60, now=lambda: now[0])
    assert [rates.wait("a") for _ in range(60)] == [0.0] * 60
    assert round(rates.wait("a"), 6) == 1
    assert rates.wait("b") == 0
    now[0] += 0.5
    assert round(rates.wait("a"), 6) == 0.5
    now[0] += 0.5
    assert [rates.wait("a") > 0, rates.wait("a") > 0] == [False, True]
    now[0] += 3600
    assert [rates.wait("a") > 0 for _ in range(61)] == [False] * 60 + [True]


def test_who_is_refused_is_not_counted() -> None:
    now = [0.0]
    rates = Rates(1, now=lambda: now[0])
    assert [rates.wait("a") for _ in range(3)] == [0, 60, 60]
    now[0] = 60.0
    assert rates.wait("a") == 0


def test_without_a_limit_nobody_waits() -> None:
    rates = Rates(0)
    assert {rates.wait("a") for _ in range(1000)} == {0.0}
