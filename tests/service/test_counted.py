"""How long a count over many rows is kept."""

import pytest

from service.counted import Counted, Moment

HOUR = Moment(few=100, each=3600, most=3600)


@pytest.mark.parametrize(
    ("rows", "seconds"), [(0, 0), (100, 0), (101, 0.505), (1000, 5), (2000, 10), (1_000_000, 10)]
)
def test_the_more_rows_the_longer_and_few_not_at_all(rows, seconds):
    assert Moment(few=100, each=0.005, most=10).of(rows) == pytest.approx(seconds)


async def test_many_are_counted_once_for_all_who_ask_the_same():
    counted, counts = Counted[int](HOUR, abs), iter([500, 501, 502])

    async def count() -> int:
        return next(counts)

    assert [await counted.get(key, count) for key in ("a", "a", "b", "a")] == [500, 500, 501, 500]


async def test_few_are_counted_for_whoever_asks():
    counted, counts = Counted[int](HOUR, abs), iter([7, 8, 500])

    async def count() -> int:
        return next(counts)

    assert [await counted.get(None, count) for _ in range(4)] == [7, 8, 500, 500]


async def test_a_count_that_fails_is_not_kept():
    counted, answers = Counted[int](HOUR, abs), iter([OSError("away"), 500])

    async def count() -> int:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    with pytest.raises(OSError, match="away"):
        await counted.get(None, count)
    assert await counted.get(None, count) == 500
