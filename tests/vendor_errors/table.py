"""The table of vendor errors, written from the rows that are tested: `python -m vendor_errors.table FILE`."""

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from vendor_errors import of_1099policy, of_upwork, questions, sweeps
from vendor_errors.rows import FATES, Fate, Row

Answers = tuple[tuple[Fate, tuple[str, ...]], ...]
"""What becomes of a call, and the answers that lead to it."""

HEAD = """\
# What becomes of a call

Every answer that a vendor may give to each call that coverd makes, and what becomes of the call then.
Written by `make errors` from the rows of [tests/vendor_errors](../tests/vendor_errors). Each row is a test,
{number:,} of them; those of effects show as well that in the end everything stands at the vendor once.

| what becomes of it | that is |
|---|---|
"""

CHAPTERS = (
    ("Effects: 1099Policy", of_1099policy.ROWS),
    ("Effects: Upwork", of_upwork.ROWS),
    ("Sweeps", sweeps.ROWS),
    ("`coverd config check`", questions.ROWS),
)


def written() -> str:
    head = HEAD.format(number=sum(len(rows) for _, rows in CHAPTERS))
    fates = "\n".join(f"| {fate} | {meaning} |" for fate, meaning in FATES.items())
    return head + fates + "\n" + "".join(_chapter(name, rows) for name, rows in CHAPTERS)


def _chapter(name: str, rows: Iterable[Row]) -> str:
    return f"\n## {name}\n" + "".join(_section(calls, answers) for calls, answers in _alike(rows))


def _alike(rows: Iterable[Row]) -> Iterator[tuple[list[str], Answers]]:
    """Calls to which the same happens, together."""
    alike: dict[Answers, list[str]] = defaultdict(list)
    for call, of_call in groupby(rows, key=_call):
        alike[_answers(of_call)].append(call)
    for answers, calls in alike.items():
        yield calls, answers


def _call(row: Row) -> str:
    return f"**{row.operation}**, {row.place}: `{row.call}`"


def _answers(rows: Iterable[Row]) -> Answers:
    by_fate: dict[Fate, list[str]] = {fate: [] for fate in FATES}
    for row in rows:
        by_fate[row.fate].append(row.what)
    return tuple((fate, tuple(answers)) for fate, answers in by_fate.items() if answers)


def _section(calls: list[str], answers: Answers) -> str:
    named = "  \n".join(calls)
    lines = "\n".join(f"| {'; '.join(whats)} | {fate} |" for fate, whats in answers)
    return f"\n{named}\n\n| answer | what becomes of it |\n|---|---|\n{lines}\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(written())
