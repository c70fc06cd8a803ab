"""A picture of growth: how long each question takes, as a multiple of the smallest database's."""

from collections.abc import Iterator, Sequence
from html import escape
from math import log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.growth import Point

WIDTH, HEIGHT = 780, 380
LEFT, RIGHT, TOP, BOTTOM = 60, 520, 30, 330
MOST = 2.0
"""Multiples beyond are drawn at the upper edge; the labels tell the milliseconds."""

AIM = 1.3
COLOURS = ("#0b6e4f", "#c1121f", "#1d4e89", "#e09f3e", "#6a4c93", "#5f7470", "#9c6644", "#2a9d8f")


def draw(curve: "Sequence[Point]") -> str:
    """SVG: sizes from left to right, multiples of the first median upwards."""
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
            ' font-size="12">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
            f'<text x="{LEFT}" y="18" fill="#333">Median time, as a multiple of that in the smallest</text>',
            *_grid(curve),
            *_lines(curve),
            "</svg>\n",
        )
    )


def _grid(curve: "Sequence[Point]") -> Iterator[str]:
    for multiple in (0.0, 0.5, 1.0, AIM, 1.5, MOST):
        dash = ' stroke-dasharray="5 4"' if multiple == AIM else ""
        y = _y(multiple)
        yield f'<path d="M{LEFT} {y:.1f}H{RIGHT}" stroke="#ccc"{dash}/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#555">{multiple:g}×</text>'
    for point in curve:
        x = _x(point, curve)
        at = f'x="{x:.1f}" y="{BOTTOM + 18}" text-anchor="middle"'
        yield f'<text {at} fill="#555">{point.engagements:,}</text>'
    middle = (LEFT + RIGHT) / 2
    yield f'<text x="{middle}" y="{BOTTOM + 38}" text-anchor="middle" fill="#333">engagements</text>'


def _lines(curve: "Sequence[Point]") -> Iterator[str]:
    names = sorted(curve[0].p50_ms, key=lambda name: -_multiple(curve[-1], curve, name))
    for place, name in enumerate(names):
        colour = COLOURS[place % len(COLOURS)]
        spots = [(_x(point, curve), _y(_multiple(point, curve, name))) for point in curve]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)
        yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in spots)
        told = f"{name}: {curve[0].p50_ms[name]:.1f} → {curve[-1].p50_ms[name]:.1f} ms"
        y = TOP + 20 + 22 * place
        yield f'<text x="{RIGHT + 14}" y="{y}" fill="{colour}">{escape(told)}</text>'


def _multiple(point: "Point", curve: "Sequence[Point]", name: str) -> float:
    return point.p50_ms[name] / curve[0].p50_ms[name]


def _x(point: "Point", curve: "Sequence[Point]") -> float:
    first, last = log10(curve[0].engagements), log10(curve[-1].engagements)
    share = (log10(point.engagements) - first) / (last - first) if last > first else 0.5
    return LEFT + 30 + share * (RIGHT - LEFT - 60)


def _y(multiple: float) -> float:
    return BOTTOM - min(multiple, MOST) / MOST * (BOTTOM - TOP)
