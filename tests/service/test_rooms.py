"""Reads that wait for Upwork's limit take no place from calls, nor calls from them."""

import pytest

from service.effects.rooms import CALLING, READING, READS, Room, Rooms

READ, JOB, QUOTE = "ReadContract", "CreateJob", "CreateQuote"


def rooms(calls: int = 4, *, inside: dict[str, int] | None = None) -> Rooms:
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
    ("inside", "free", "full"),
    [
        ({}, 4, frozenset()),
        ({JOB: 3}, 1, frozenset()),
        ({JOB: 4}, READS, CALLING),
        ({JOB: 5}, READS, CALLING),
        ({READ: READS - 1}, 1, frozenset()),
        ({READ: READS}, 4, READING),
        ({READ: READS, JOB: 4}, 0, READING | CALLING),
    ],
)
def test_who_finds_no_room_keeps_nobody_else_out(
    inside: dict[str, int], free: int, full: frozenset[str]
) -> None:
    assert rooms(inside=inside).look(for_all=True) == (free, full)


def test_places_are_reserved_for_all_or_for_none() -> None:
    made = rooms()
    assert made.reserve([READ, JOB, JOB, JOB])
    assert not made.reserve([READ, JOB, QUOTE])
    assert made.of(JOB).free == 1
    assert made.of(READ).free == READS - 1
    made.let_go([READ, JOB, JOB, JOB])
    assert (made.of(JOB).free, made.of(READ).free) == (4, READS)


def test_an_outcome_being_recorded_makes_room_for_what_it_leads_to() -> None:
    made = rooms(inside={JOB: 4})
    with made.of(JOB).making_room():
        assert made.reserve([QUOTE])
    assert made.of(JOB).free == -1


def test_a_room_is_worth_a_look_once_it_has_places_that_somebody_missed() -> None:
    made = rooms(inside={JOB: 4, READ: 1})
    assert not made.worth_a_look
    made.look(for_all=False)
    assert not made.worth_a_look
    made.of(JOB).inside = 3
    assert made.worth_a_look
    made.look(for_all=False)
    assert made.worth_a_look, "one stream was looked at, not all"
    made.look(for_all=True)
    assert not made.worth_a_look


def test_a_full_room_of_one_is_worth_a_look_when_nobody_is_inside() -> None:
    room = Room(READING, 1)
    room.inside, room.missed = 1, True
    assert not room.worth_a_look
    room.inside = 0
    assert room.worth_a_look
