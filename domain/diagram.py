"""The life of an engagement drawn from its table, as a mermaid state diagram for the README.

``python -m domain.diagram`` prints it; ``--write README.md`` puts it between the marks, ``--check README.md``
tells whether the one there is current.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from domain.lifecycle import ENDED, LIVE, TABLE, UNSEEN

BEGIN, FINISH = "<!-- lifecycle -->", "<!-- /lifecycle -->"
ANY = "any_live_state"


def diagram() -> str:
    """Every move of the table: events that share an edge share a line, one from everywhere is drawn once."""
    arrows = [f"    {source} --> {dest} : {', '.join(events)}" for source, dest, events in _edges()]
    return "\n".join(
        (
            "stateDiagram-v2",
            f'    state "any live state" as {ANY}',
            *arrows,
            f"    {ENDED} --> [*]",
        )
    )


def _edges() -> list[tuple[str, str, list[str]]]:
    moves: dict[tuple[str, str], list[str]] = {}
    for row in TABLE:
        if row.dest is not None:
            moves.setdefault((row.event, row.dest), []).append(row.source)
    edges: dict[tuple[str, str], list[str]] = {}
    for (event, dest), sources in moves.items():
        everywhere = set(LIVE) <= set(sources)
        drawn = [s for s in sources if not (everywhere and s in LIVE)]
        for source in (*drawn, *([ANY] if everywhere else [])):
            name = "[*]" if source == UNSEEN else source
            edges.setdefault((name, dest), []).append(event)
    return [(source, dest, events) for (source, dest), events in edges.items()]


def block() -> str:
    """The diagram between its marks, fenced for a markdown page."""
    return f"{BEGIN}\n```mermaid\n{diagram()}\n```\n{FINISH}"


def with_diagram(page: str) -> str:
    """The page with its block redrawn; without one, it is added at the end."""
    before, mark, rest = page.partition(BEGIN)
    _, closed, after = rest.partition(FINISH)
    if mark and closed:
        return f"{before}{block()}{after}"
    return f"{page.rstrip()}\n\n{block()}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m domain.diagram", description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--write", type=Path, metavar="PAGE", help="redraw the diagram in this page")
    what.add_argument(
        "--check", type=Path, metavar="PAGE", help="exit 1 unless this page's diagram is current"
    )
    asked = parser.parse_args(arguments)
    if asked.write:
        asked.write.write_text(with_diagram(asked.write.read_text("utf-8")), "utf-8")
    elif asked.check:
        if block() not in asked.check.read_text("utf-8"):
            sys.stderr.write(
                f"The life of an engagement drawn in {asked.check} is not the one in domain/lifecycle.py; "
                "run `make diagram`.\n"
            )
            return 1
    else:
        sys.stdout.write(f"{diagram()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
