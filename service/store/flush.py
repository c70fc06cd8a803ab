"""Flushing gathered work to Postgres over a line of its own; a culprit is found by halves."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

import orjson

from domain.ids import bucket_of
from service.ports import Head, Lookup, Outcome
from service.store.errors import StoreUnavailable, translated
from service.store.lines import Line
from service.store.rows import Row, head
from service.store.statements import sql

Item = TypeVar("Item")
Result = TypeVar("Result")


async def by_halves(
    items: Sequence[Item], send: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]]
) -> Sequence[Result | Exception]:
    """Send all at once; when that fails, each half alone, until only the culprits have failed.

    A store that is away fails them all at once.
    """
    try:
        return list(await send(items))
    except Exception as error:
        problem = translated(error)
        if isinstance(problem, StoreUnavailable):
            return [StoreUnavailable(**problem.fields) for _ in items]
        if len(items) == 1:
            return [problem]
    middle = len(items) // 2
    return [*await by_halves(items[:middle], send), *await by_halves(items[middle:], send)]


class Wrote(NamedTuple):
    """What became of a command, when, and the fences of the effects leased to the writer by their place."""

    outcome: Outcome
    version: int
    at: datetime
    fences: dict[tuple[str, int], int]


class AppendFlush:
    """Sends commands (see `rows.command`) to ``coverd.append_commands``."""

    def __init__(self, line: Line, clock: Callable[[], datetime]) -> None:
        self._line = line
        self._clock = clock

    async def __call__(self, commands: Sequence[dict[str, Any]]) -> Sequence[Wrote | Exception]:
        return await by_halves(commands, self._send)

    async def _send(self, commands: Sequence[dict[str, Any]]) -> Sequence[Wrote]:
        given = [{"ordinal": ordinal, **command} for ordinal, command in enumerate(commands)]
        batch, now = orjson.dumps(given).decode(), self._clock()
        row = await self._line.run(lambda connection: connection.fetchrow(sql("append"), batch, now))
        assert row is not None, "a function gives a row"
        fences = _fences(row["taken"])
        wrote = {
            ordinal: Wrote(outcome, version, now, fences.get(commands[ordinal]["stream_id"], {}))
            for ordinal, outcome, version in zip(*row[:3], strict=True)
        }
        return [wrote[ordinal] for ordinal in range(len(commands))]


def _fences(taken: str | None) -> dict[str, dict[tuple[str, int], int]]:
    """By stream."""
    found: dict[str, dict[tuple[str, int], int]] = {}
    for stream_id, step, generation, fence in orjson.loads(taken) if taken else ():
        found.setdefault(stream_id, {})[step, generation] = fence
    return found


class HeadsFlush:
    """Reads heads together: each the stream now, or None where it still is at the version known."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def __call__(self, asked: Sequence[tuple[str, int]]) -> Sequence[Head | Exception | None]:
        ids, known = [id for id, _ in asked], [str(version) for _, version in asked]
        rows = await _read(self._line, "heads", [str(bucket_of(id)) for id in ids], ids, known)
        if isinstance(rows, StoreUnavailable):
            return [StoreUnavailable(**rows.fields) for _ in asked]
        found = {row["ordinal"]: row for row in rows}
        return [_head_since(id, known, found.get(n)) for n, (id, known) in enumerate(asked, start=1)]


class StreamsFlush:
    """Looks ids up together: for each, a kind and an id, the streams it leads to."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def __call__(self, asked: Sequence[Lookup]) -> Sequence[list[str] | Exception]:
        kinds, ids = [kind for kind, _ in asked], [id for _, id in asked]
        buckets = [str(bucket_of(f"{kind}:{id}")) for kind, id in asked]
        rows = await _read(self._line, "streams_of", buckets, kinds, ids)
        if isinstance(rows, StoreUnavailable):
            return [StoreUnavailable(**rows.fields) for _ in asked]
        found: list[list[str]] = [[] for _ in asked]
        for row in rows:
            found[row["ordinal"] - 1].append(row["stream_id"])
        return found


async def _read(line: Line, statement: str, *columns: list[str]) -> "Sequence[Row] | StoreUnavailable":
    """Rows, or why there are none just now. Raises where the fault is ours."""
    try:
        return await line.run(lambda connection: connection.fetch(sql(statement), *columns))
    except Exception as error:
        problem = translated(error)
        if isinstance(problem, StoreUnavailable):
            return problem
        raise problem from error


def _head_since(stream_id: str, known: int, row: Row | None) -> Head | None:
    version = row["version"] if row else 0
    return None if version == known else head(stream_id, row)
