"""The laws of the table of an engagement's life, and its full matrix for review.

After a deliberate change of the table run ``python tests/domain/test_lifecycle_table.py`` at the root: it
rewrites lifecycle_matrix.txt; read its diff.
"""

from collections import Counter
from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from domain import commands, effects, events
from domain.codec import EFFECT_TYPES, EVENT_TYPES
from domain.errors import ImpossibleTransition
from domain.lifecycle import BIRTHS, ENDED, EVENTS, LIVE, STATES, TABLE, UNSEEN, machine, move

MATRIX = Path(__file__).with_name("lifecycle_matrix.txt")
ROWS = {(row.event, row.source): row.dest for row in TABLE}
PAIRS = list(product(EVENTS, STATES))


def matrix() -> str:
    """One line an event, one column a state: where it leads, ``-`` a stay, ``x`` refused."""
    lines = [["", *STATES]]
    for event in EVENTS:
        cells = [ROWS[event, s] or "-" if (event, s) in ROWS else "x" for s in STATES]
        lines.append([event, *cells])
    widths = [max(len(line[n]) for line in lines) for n in range(len(STATES) + 1)]
    told = ("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)
    return "\n".join(told) + "\n"


def test_the_checked_in_matrix_is_the_table_itself() -> None:
    assert MATRIX.read_text("utf-8") == matrix()


def test_no_event_has_two_rows_for_one_state() -> None:
    assert [pair for pair, n in Counter((row.event, row.source) for row in TABLE).items() if n > 1] == []


def test_every_event_of_an_engagement_is_in_the_table_and_no_other_is() -> None:
    assert {row.event for row in TABLE} == {event.__name__ for event in get_args(events.EngagementEvent)}


def test_the_table_names_only_states_that_exist() -> None:
    assert {row.source for row in TABLE} | {row.dest for row in TABLE if row.dest} == set(STATES)


def test_every_state_can_be_reached_from_the_first_news() -> None:
    reached, new = set(), {UNSEEN}
    while new:
        reached |= new
        new = {row.dest for row in TABLE if row.source in reached and row.dest} - reached
    assert reached == set(STATES)


def test_every_live_state_can_end() -> None:
    assert {s for s in LIVE if ROWS["ContractEnded", s] == ENDED} == set(LIVE)


def test_the_end_is_final_and_still_hears_every_event() -> None:
    assert {event: ROWS[event, ENDED] for event in EVENTS} == dict.fromkeys(EVENTS)


def test_a_life_begins_only_with_news_of_the_contract() -> None:
    assert {row.event for row in TABLE if row.source == UNSEEN} == set(BIRTHS)
    assert all(row.dest for row in TABLE if row.source == UNSEEN)


def test_nothing_leads_back_to_before_the_first_news() -> None:
    assert UNSEEN not in {row.dest for row in TABLE}


def test_once_begun_every_event_is_answered_in_every_state() -> None:
    assert [pair for pair in PAIRS if pair[1] != UNSEEN and pair not in ROWS] == []


def test_the_machine_has_no_guard_and_no_callback_that_could_decide_the_past_again() -> None:
    built = machine()
    transitions = [t for event in built.events.values() for ts in event.transitions.values() for t in ts]
    assert len(transitions) == len(TABLE)
    assert [t for t in transitions if t.conditions or t.prepare or t.before or t.after] == []
    assert [s for s in built.states.values() if s.on_enter or s.on_exit] == []
    hooks = (built.prepare_event, built.before_state_change, built.after_state_change, built.finalize_event)
    assert hooks == ([], [], [], [])


@pytest.mark.parametrize(("event", "state"), PAIRS)
def test_the_machine_walks_exactly_as_the_table_says(event: str, state: str) -> None:
    if (event, state) in ROWS:
        assert move(state, event) == (ROWS[event, state] or state)
    else:
        with pytest.raises(ImpossibleTransition) as refused:
            move(state, event)
        assert refused.value.fields == {"state": state, "event": event}


def test_an_event_nobody_has_heard_of_moves_nothing() -> None:
    with pytest.raises(ImpossibleTransition, match="offered can take the event ContractFrobnicated"):
        move("offered", "ContractFrobnicated")


class TestVocabularies:
    def test_the_codec_knows_every_event(self) -> None:
        assert set(EVENT_TYPES.values()) == set(defined(events)) == set(get_args(events.Event))

    def test_the_codec_knows_every_effect_and_each_has_a_channel(self) -> None:
        kinds = set(get_args(effects.Effect))
        assert set(EFFECT_TYPES.values()) == kinds == set(effects.CHANNELS)
        assert set(effects.CHANNELS.values()) == set(get_args(effects.Channel))
        assert set(defined(effects)) - {effects.Wanted} == kinds

    def test_every_command_is_in_its_union(self) -> None:
        assert set(defined(commands)) == set(get_args(commands.Command))


def defined(module: object) -> list[type]:
    return [x for x in vars(module).values() if isinstance(x, type) and x.__module__ == module.__name__]  # type: ignore[attr-defined]


if __name__ == "__main__":
    MATRIX.write_text(matrix(), "utf-8")
