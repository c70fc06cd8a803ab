"""Refusals are told a few at once and then in turn; beyond that they are late, and the last."""

from service.api.refusals import Refusals


class Time:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_the_first_are_told_at_once_and_the_others_in_turn() -> None:
    refusals = Refusals(per_second=10, at_once=3, now=Time())
    assert [round(refusals.wait()[0], 3) for _ in range(6)] == [0, 0, 0, 0.1, 0.2, 0.3]


def test_what_was_not_used_comes_back_with_time_up_to_the_first_few() -> None:
    now = Time()
    refusals = Refusals(per_second=10, at_once=3, now=now)
    for _ in range(6):
        refusals.wait()
    now.at += 3600
    assert [round(refusals.wait()[0], 3) for _ in range(5)] == [0, 0, 0, 0.1, 0.2]


def test_nobody_waits_longer_than_the_longest_and_who_would_takes_no_turn() -> None:
    now = Time()
    refusals = Refusals(per_second=10, at_once=1, longest=0.25, now=now)
    told = [refusals.wait() for _ in range(6)]
    assert [(round(wait, 3), ends) for wait, ends in told[:3]] == [(0, False), (0.1, False), (0.2, False)]
    assert told[3:] == [(0.25, True)] * 3
    now.at += 0.1
    assert refusals.wait()[1] is False
    assert refusals.wait() == (0.25, True)
