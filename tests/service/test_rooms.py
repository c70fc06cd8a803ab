"""How many effects a process holds: under way, waiting here for their turn, and those left to all."""

import pytest

from service.effects.rooms import AHEAD, CALLING, READING, READS_WHILE_CALLS_FLOW, Room, Rooms

READ, JOB, QUOTE = "ReadContract", "CreateJob", "CreateQuote"
CALLS = 4
HELD = CALLS * (1 + AHEAD)
"""Calls that are handed over at most: under way and waiting."""


def rooms(calls: int = CALLS, *, inside: dict[str, int] | None = None) -> Rooms:
    made = Rooms(calls)
    for kind, count in (inside or {}).items():
        made.of(kind).inside = count
    return made


def test_reads_and_calls_have_a_room_each() -> None:
    made = rooms()
    assert made.of(JOB) is made.of(QUOTE) is made.of("FetchAttachment") is made.of("WakeUp")
    assert made.of(READ) is not made.of(JOB)
    assert not READING & CALLING


@pytest.mark.parametrize(
    ("inside", "places", "full"),
    [
        ({}, 2 * CALLS, frozenset()),
        ({JOB: CALLS}, CALLS, frozenset()),
        ({JOB: HELD - 2}, 1, frozenset()),
        ({JOB: HELD}, 1, READING),
        ({JOB: HELD + CALLS}, 0, READING | CALLING),
        ({READ: READS_WHILE_CALLS_FLOW - 1}, 1, frozenset()),
        ({READ: READS_WHILE_CALLS_FLOW}, 2 * CALLS, READING),
        ({READ: (HELD - CALLS) // 2 - 1, JOB: CALLS}, 1, frozenset()),
        ({READ: (HELD - CALLS) // 2, JOB: CALLS}, CALLS, READING),
    ],
)
def test_what_waits_in_the_store_finds_few_places_but_some_to_the_last(
    inside: dict[str, int], places: int, full: frozenset[str]
) -> None:
    assert rooms(inside=inside).look() == (places, full)


def test_places_are_reserved_for_all_or_for_none() -> None:
    made = rooms(inside={JOB: HELD - 4})
    assert made.reserve([READ, JOB, JOB, JOB])
    assert not made.reserve([JOB, QUOTE])
    assert made.reserve([JOB])
    assert not made.reserve([QUOTE])
    made.let_go([READ, JOB, JOB, JOB, JOB])
    assert made.reserve([JOB, JOB, QUOTE, QUOTE])


def test_no_more_is_begun_than_can_be_carried_on() -> None:
    made = rooms(inside={JOB: CALLS})
    assert made.reserve([READ] * ((HELD - CALLS) // 2))
    assert not made.reserve([READ])
    made.let_go([READ] * ((HELD - CALLS) // 2))
    made.of(JOB).inside = HELD - 2
    assert made.reserve([READ])
    assert not made.reserve([READ])


def test_while_no_call_waits_enough_is_read_to_fill_the_requests() -> None:
    made = rooms()
    assert made.reserve([READ] * READS_WHILE_CALLS_FLOW)
    assert not made.reserve([READ])


def test_an_outcome_being_recorded_makes_room_for_what_it_leads_to() -> None:
    made = rooms(inside={JOB: HELD})
    assert not made.reserve([QUOTE])
    with made.of(JOB).making_room():
        assert made.reserve([QUOTE])


def test_a_room_is_worth_a_look_once_it_has_places_that_somebody_missed() -> None:
    made = rooms(8, inside={JOB: 8 * (2 + AHEAD) - 1})
    assert not made.worth_a_look
    made.left([JOB])
    assert not made.worth_a_look, "one place is not worth it"
    made.of(JOB).inside -= 1
    assert made.worth_a_look
    made.looked(frozenset(), {JOB}, all_taken=False)
    assert made.worth_a_look, "as many were found as were looked for"
    made.looked({JOB}, (), all_taken=True)
    assert made.worth_a_look, "these were not looked for"
    made.looked(frozenset(), (), all_taken=True)
    assert not made.worth_a_look


def test_who_looks_for_others_learns_nothing_of_a_room_that_was_full() -> None:
    made = rooms(inside={JOB: HELD + CALLS})
    _, full = made.look()
    made.looked(full, (), all_taken=True)
    made.of(JOB).inside = 0
    assert made.worth_a_look


def test_a_full_room_of_one_is_worth_a_look_when_nobody_is_inside() -> None:
    made = rooms(1, inside={JOB: 2 + AHEAD})
    made.left([JOB])
    assert not made.worth_a_look
    made.of(JOB).inside = 0
    assert made.worth_a_look


def test_reads_are_worth_a_look_before_all_of_them_have_ended() -> None:
    made = rooms(inside={READ: (HELD - CALLS) // 2, JOB: CALLS})
    made.left([READ])
    assert not made.worth_a_look
    made.of(READ).inside -= HELD // 2 // 4
    assert made.worth_a_look


def test_reads_that_find_no_place_for_their_calls_are_not_worth_a_look() -> None:
    made = rooms(inside={JOB: HELD})
    made.left([READ])
    assert not made.worth_a_look
    made.of(JOB).inside -= 2
    assert made.worth_a_look


def test_one_that_is_to_find_out_goes_where_it_begins_at_once() -> None:
    made = rooms()
    assert made.at_once == CALLS
    made.of(JOB).inside = CALLS - 1
    assert made.at_once == 1
    assert Room(READING, 3).to_claim == 3
