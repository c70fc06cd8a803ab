"""The current answer kept ready: what one made anew says at every instant, and never older than the store."""

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lives import life
from story import DAY, NOW

from domain.codec import status_data
from domain.errors import NotKnown
from domain.evolve import Entry, evolve
from domain.ids import engagement_stream
from domain.state import Engagement
from service.api import statuses
from service.api.statuses import Shown, Statuses, show
from service.api.views import engagement_view
from service.ports import Append, Head
from service.store.memory import MemoryStore

WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)


def head(engagement: Engagement) -> Head:
    status = orjson.loads(orjson.dumps(status_data(engagement)))
    return Head(engagement_stream("9001"), engagement.version, engagement.state, status, WRITTEN)


def times(value: object) -> set[int]:
    """Every number in a state that may be an instant."""
    if isinstance(value, dict | list):
        inside = value.values() if isinstance(value, dict) else value
        return set[int]().union(*map(times, inside))
    return {value} if type(value) is int and value > 1_000_000_000 else set()


@given(st.integers(0, 10_000), st.integers(1, 25))
def test_an_answer_holds_for_just_as_long_as_one_made_anew_says_the_same(seed: int, length: int) -> None:
    engagement = life(seed, "9001", length).engagement
    named = times(head(engagement).status)
    instants = sorted({NOW, *(t + d for t in named for d in (-DAY, -1, 0, 1, DAY))})
    made: list[Shown] = []
    for now in instants:
        anew = orjson.dumps(engagement_view(engagement, now, WRITTEN))
        holding = [shown for shown in made if shown.holds(now, None)]
        assert [shown.body for shown in holding] in ([], [anew])
        if not holding:
            made.append(show(head(engagement), now, None))
            assert made[-1].body == anew
    assert len({shown.tag for shown in made}) == len(made)


def test_silence_makes_another_answer_with_another_tag() -> None:
    engagement = life(1, "9001").engagement
    heard, unheard = show(head(engagement), NOW, None), show(head(engagement), NOW, NOW - 60)
    assert heard.tag != unheard.tag
    assert not heard.holds(NOW, NOW - 60)
    assert not unheard.holds(NOW, None)


class World:
    def __init__(self) -> None:
        self.now = WRITTEN
        self.store = MemoryStore(lambda: self.now)
        self.statuses = Statuses(self.store, lambda: self.now)

    async def tell(self, engagement: Engagement, seen: int = 0) -> None:
        await self.store.append(
            Append(
                stream_id=engagement_stream(engagement.engagement_id),
                expected=seen,
                cause=f"c{seen}",
                correlation="c",
                actor="test",
                effective_at=NOW,
                events=tuple(e.event for e in entries(engagement)[seen : engagement.version]),
                state=engagement.state,
                status=status_data(engagement),
            )
        )


def entries(engagement: Engagement) -> tuple[Entry, ...]:
    return life(3, engagement.engagement_id).entries


def stages(id: str) -> list[Engagement]:
    """The same life after fewer and after more events."""
    engagement, found = Engagement(id), []
    for entry in life(3, id).entries:
        engagement = evolve(engagement, entry)
        found.append(engagement)
    return found


async def test_what_another_writer_committed_is_in_the_next_answer() -> None:
    world, (first, second, *_) = World(), stages("9001")
    await world.tell(first)
    assert orjson.loads((await world.statuses.of("9001")).body)["version"] == 1

    await world.tell(second, seen=1)

    assert orjson.loads((await world.statuses.of("9001")).body)["version"] == 2


async def test_an_answer_that_still_holds_is_made_once() -> None:
    world, (first, *_) = World(), stages("9001")
    await world.tell(first)
    assert await world.statuses.of("9001") is await world.statuses.of("9001")


async def test_only_so_many_answers_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statuses, "REMEMBERED", 2)
    world = World()
    for id in ("1", "2", "3"):
        await world.tell(stages(id)[0])
    kept = {id: await world.statuses.of(id) for id in ("1", "2", "1", "3")}
    assert await world.statuses.of("1") is kept["1"]
    assert await world.statuses.of("2") is not kept["2"]


async def test_an_engagement_nobody_knows_is_not_made_up() -> None:
    with pytest.raises(NotKnown):
        await World().statuses.of("nobody")
