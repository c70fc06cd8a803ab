"""What commands share: talk on stderr, data on stdout, and clear ends."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import orjson
from rich.console import Console
from rich.table import Table

FAILED, MISUSED = 1, 2
"""Exit codes: it failed; it was called wrongly or with settings that cannot be used."""


def say(text: str) -> None:
    """Talk to the person, on stderr, at once."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def put(text: str) -> None:
    """Data, on stdout, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def put_json(data: Any) -> None:
    put(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode())


def put_table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """A table on a terminal; plain tab-separated lines into a pipe."""
    if not sys.stdout.isatty():
        for row in rows:
            put("\t".join(row))
        return
    table = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def end(message: str, code: int = FAILED) -> NoReturn:
    say(message)
    raise SystemExit(code)


def short(value: Any) -> str:
    """A value in a cell."""
    if isinstance(value, Mapping):
        return " ".join(f"{k}={short(v)}" for k, v in value.items() if v not in (None, {}, []))
    return "–" if value is None else str(value)
