"""The life of an engagement as a drawing: where its boxes stand, how its arrows run, and what was walked."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from domain import lifecycle as life
from service.web import labels
from service.web.timeline import Move

WIDTH, BOX, TALL, STRIDE, TOP = 360, 158, 38, 72, 8
"""The drawing's width, a box's width and height, from one row to the next, and the first row's place."""

_LEFT, _MIDDLE, _RIGHT = 97, 180, 263

PLACES = {
    life.OFFERED: (_MIDDLE, 0),
    life.CONTRACTOR_READY: (_MIDDLE, 1),
    life.QUOTED: (_MIDDLE, 2),
    life.AWAITING_OPT_IN: (_LEFT, 3),
    life.ASSIGNED: (_RIGHT, 3),
    life.INSURED: (_LEFT, 4),
    life.COI_VALIDATED: (_RIGHT, 4),
    life.LAPSED: (_LEFT, 5),
    life.UNDER_REVIEW: (_RIGHT, 5),
    life.ENDED: (_MIDDLE, 6),
}
"""Each state's column (the middle of its box) and row."""

USUAL = (
    (life.OFFERED, life.CONTRACTOR_READY),
    (life.CONTRACTOR_READY, life.QUOTED),
    (life.QUOTED, life.AWAITING_OPT_IN),
    (life.QUOTED, life.ASSIGNED),
    (life.AWAITING_OPT_IN, life.INSURED),
    (life.ASSIGNED, life.INSURED),
    (life.ASSIGNED, life.COI_VALIDATED),
    (life.INSURED, life.LAPSED),
    (life.COI_VALIDATED, life.UNDER_REVIEW),
    (life.INSURED, life.ENDED),
    (life.COI_VALIDATED, life.ENDED),
    (life.LAPSED, life.ENDED),
    (life.UNDER_REVIEW, life.ENDED),
)
"""The moves always drawn. News may make others, which are drawn once they were made."""


@dataclass(frozen=True, slots=True)
class Box:
    state: str
    label: str
    x: int
    y: int
    mark: Literal["now", "walked", "ahead"]


@dataclass(frozen=True, slots=True)
class Arrow:
    """``path`` is SVG path data."""

    path: str
    walked: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """``box`` and ``tall`` are the size of every box."""

    width: int
    height: int
    box: int
    tall: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    told: str


def drawing(walked: Sequence[Move]) -> Drawing:
    """The machine with the way walked and, as ``told``, the same in words."""
    seen = [move.state for move in walked]
    steps = set(pairwise(seen))
    ahead = [pair for pair in USUAL if pair not in steps]
    arrows = [Arrow(_path(*pair), walked=False) for pair in ahead]
    arrows += [Arrow(_path(*pair), walked=True) for pair in sorted(steps) if pair[0] != pair[1]]
    rows = 1 + max(row for _, row in PLACES.values())
    return Drawing(
        width=WIDTH,
        height=TOP * 2 + STRIDE * (rows - 1) + TALL,
        box=BOX,
        tall=TALL,
        boxes=tuple(_box(state, seen) for state in (*life.LIVE, life.ENDED)),
        arrows=tuple(arrows),
        told=_told(seen),
    )


def _box(state: str, seen: Sequence[str]) -> Box:
    x, row = PLACES[state]
    mark: Literal["now", "walked", "ahead"] = "walked" if state in seen else "ahead"
    if seen and state == seen[-1]:
        mark = "now"
    return Box(state, labels.STATES[state], x - BOX // 2, TOP + row * STRIDE, mark)


def _told(seen: Sequence[str]) -> str:
    if not seen:
        return "Nothing has happened yet."
    way = ", then ".join(labels.STATES[state].lower() for state in seen)
    return f"It is {labels.STATES[seen[-1]].lower()} now. The way so far: {way}."


def _path(source: str, dest: str) -> str:
    (x1, row1), (x2, row2) = PLACES[source], PLACES[dest]
    y1, y2 = TOP + row1 * STRIDE, TOP + row2 * STRIDE
    if row1 == row2:
        middle, side = y1 + TALL // 2, BOX // 2 if x2 > x1 else -BOX // 2
        shift = -6 if x2 > x1 else 6
        return f"M{x1 + side} {middle + shift} H{x2 - side}"
    if row2 - row1 == 1:
        middle = (y1 + TALL + y2) // 2
        return f"M{x1} {y1 + TALL} C{x1} {middle} {x2} {middle} {x2} {y2}"
    if row1 - row2 == 1:
        middle = (y2 + TALL + y1) // 2
        return f"M{x1 + 16} {y1} C{x1 + 16} {middle} {x2 + 16} {middle} {x2 + 16} {y2 + TALL}"
    return _around(x1, y1, x2, y2)


def _around(x1: int, y1: int, x2: int, y2: int) -> str:
    """Past the rows between, along the margin, and into the target from the gap before it."""
    left = x1 < _MIDDLE or (x1 == _MIDDLE and x2 < _MIDDLE)
    out, lane, turn = (x1 - BOX // 2, 9, 8) if left else (x1 + BOX // 2, WIDTH - 9, -8)
    start = y1 + TALL // 2
    down = y2 > y1
    gap, end, step = (y2 - 15, y2, 8) if down else (y2 + TALL + 15, y2 + TALL, -8)
    into = x2 - 22 if left else x2 + 22
    back = 8 if into > lane else -8
    return (
        f"M{out} {start} H{lane + turn} Q{lane} {start} {lane} {start + step} "
        f"V{gap - step} Q{lane} {gap} {lane + back} {gap} "
        f"H{into - back // 2} Q{into} {gap} {into} {gap + step // 2} V{end}"
    )
