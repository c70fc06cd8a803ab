"""How long an answer may be shown again: never over the instant at which it changes, and never for long."""

from datetime import timedelta
from math import inf

import orjson
import pytest
from contracts.given import NOON, Clock
from story import DAY, END, NOW, START, Story, assigned, awaiting_opt_in, given, insured, offer, quoted

from domain import commands as c
from domain import events as e
from domain.codec import status_data
from domain.coverage import answer
from domain.ids import engagement_stream
from domain.state import Engagement
from service.api.statuses import FRESH_SECONDS, Shown, show
from service.metrics import Metrics
from service.ports import Head
from service.sources import TEN99POLICY, Sources
from service.store.memory import MemoryStore

HOUR = timedelta(hours=1)


def shown(engagement: Engagement, now: int, silent_since: int | None = None) -> Shown:
    status = orjson.loads(orjson.dumps(status_data(engagement)))
    head = Head(engagement_stream("9001"), engagement.version, engagement.state, status, NOON)
    return show(head, now, silent_since)


def seconds(header: str) -> int:
    assert header.startswith("private, max-age=")
    assert header.endswith(", must-revalidate")
    return int(header.split("=")[1].split(",")[0])


def settled() -> Story:
    """Insured, with nothing left to do but wait."""
    return insured().given(e.OptInShared())


@pytest.mark.parametrize(
    ("left", "silent_in", "kept"),
    [
        (86_400.0, inf, FRESH_SECONDS),
        (6.0, inf, 5),
        (5.0, inf, 5),
        (4.999, inf, 4),
        (2.0, inf, 2),
        (1.1, inf, 1),
        (0.5, inf, 0),
        (0.0, inf, 0),
        (86_400.0, 3.9, 3),
        (2.0, 3.9, 2),
        (86_400.0, 0.2, 0),
        (86_400.0, -60.0, 0),
    ],
)
def test_what_is_left_is_rounded_down_and_five_seconds_at_most(
    left: float, silent_in: float, kept: int
) -> None:
    begins = shown(settled().engagement, NOW)
    assert begins.ends_at <= START
    assert seconds(begins.cache_control(begins.ends_at - left, silent_in)) == kept


@pytest.mark.parametrize("now", [NOW, START, START + DAY, END - 1])
def test_no_answer_outlives_the_next_change_of_cover(now: int) -> None:
    engagement = settled().engagement
    change = answer(engagement, now).next_change_at
    assert change is not None
    assert now < shown(engagement, now).ends_at <= change
    assert seconds(shown(engagement, change - 1).cache_control(change - 0.5, inf)) == 0


def test_no_answer_outlives_the_contract() -> None:
    at = START + 10 * DAY
    ends = settled().given(c.EndContract(START + 5 * DAY, at)).engagement
    assert shown(ends, at - 1).ends_at == at


def test_unknown_cover_is_not_kept_at_all() -> None:
    engagement = settled().engagement
    assert answer(engagement, START + DAY, START).covered is None
    assert seconds(shown(engagement, START + DAY, START).cache_control(START + DAY, inf)) == 0


@pytest.mark.parametrize("story", [given(offer()), quoted(), assigned(), insured()])
def test_nothing_is_kept_while_calls_are_under_way(story: Story) -> None:
    assert seconds(shown(story.engagement, NOW).cache_control(NOW, inf)) == 0


@pytest.mark.parametrize(
    "story", [awaiting_opt_in(), quoted().given(e.EffectParked("session", "OpenSession", "refused"))]
)
def test_what_waits_for_a_person_may_be_kept(story: Story) -> None:
    assert seconds(shown(story.engagement, NOW).cache_control(NOW, inf)) == FRESH_SECONDS


async def test_the_time_until_a_silence_is_counted_from_the_last_answer_that_was_seen() -> None:
    clock = Clock()
    store = MemoryStore(clock)
    sources = Sources(store, clock, Metrics(), HOUR)
    assert sources.silent_in() == inf
    await store.watch_source(TEN99POLICY, NOON)
    assert await sources.silent_since() is None
    assert sources.silent_in() == 3600
    clock.move(3598.5)
    assert sources.silent_in() == 1.5
    clock.move(2)
    assert sources.silent_in() < 0
    assert await sources.silent_since() is not None


async def test_nobody_falls_silent_whom_nobody_asks() -> None:
    store = MemoryStore(Clock())
    await store.watch_source(TEN99POLICY, NOON)
    sources = Sources(store, Clock(), Metrics(), None)
    await sources.silent_since()
    assert sources.silent_in() == inf
