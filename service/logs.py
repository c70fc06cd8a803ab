"""Structured logs: one JSON object a line (or colours on a terminal), with personal fields left out."""

import asyncio
import atexit
import logging
import sys
import warnings
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path
from traceback import walk_tb
from types import FrameType, TracebackType
from typing import Any, TextIO

import orjson
import structlog
from aiohttp import BadContentDispositionHeader, BadContentDispositionParam

PERSONAL = frozenset(
    {
        *("display_name", "first_name", "last_name", "name", "email", "city", "region", "address", "person"),
        *("contact", "contractor_draft", "body", "headers", "authorization", "token", "secret", "url"),
    }
)
"""Fields that name a person or open a door: dropped from every log line by name, however deep."""

MOST_CAUSES, MOST_FRAMES = 5, 20
"""How far back the story of an exception goes, and how deep."""


def set_up(*, quiet: bool = False, json: bool | None = None) -> None:
    """Send every log line to stderr, ours and the libraries'.

    ``quiet``: warnings only. ``json`` None: JSON unless stderr is a terminal.
    """
    as_json = not sys.stderr.isatty() if json is None else json
    level = logging.WARNING if quiet else logging.INFO
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_personal,
    ]
    last: list[Any] = [
        structlog.processors.ExceptionRenderer(_told),
        structlog.processors.JSONRenderer(_json) if as_json else structlog.dev.ConsoleRenderer(),
    ]
    _lines.write()
    _lines.stream = sys.stderr
    # Ours go straight to stderr: through `logging` a line takes ten times as long.
    structlog.configure(
        processors=[*shared, *last],
        logger_factory=lambda *_names: _lines,
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    handler = _Handler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_first_line, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.raiseExceptions = False  # where a line can't be written, it would tell what is being handled
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("transitions", "aiohttp.access", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It quotes the raw lines of requests it cannot parse, secrets and all; our own errors never reach it.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    warnings.showwarning = _warned
    for odd_part in (BadContentDispositionHeader, BadContentDispositionParam):
        warnings.simplefilter("ignore", odd_part)  # a sender's, and remembered each time


class _Lines:
    """Writes lines; those that only inform together with all others of the same turn of the loop, for each
    write is a call to the system. One that cannot be written is lost: nobody is left to tell."""

    def __init__(self) -> None:
        self.stream: TextIO = sys.stderr
        self._held: list[str] = []
        self._turn: asyncio.AbstractEventLoop | None = None
        """The loop at whose next turn they are written."""

    def info(self, line: str) -> None:
        self._held.append(line)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.write()
            return
        if loop is not self._turn:
            self._turn = loop
            loop.call_soon(self.write)

    def msg(self, line: str) -> None:
        self._held.append(line)
        self.write()

    def write(self) -> None:
        """What is held until now."""
        held, self._held, self._turn = self._held, [], None
        if held:
            with suppress(OSError, ValueError):
                self.stream.write("\n".join(held) + "\n")

    debug = info
    warning = error = critical = exception = msg


_lines = _Lines()
"""One for all loggers, also those that were made before logging was set up again."""

atexit.register(_lines.write)


class _Handler(logging.StreamHandler[TextIO]):
    """Writes what a library says after what we said before it."""

    def emit(self, record: logging.LogRecord) -> None:
        _lines.write()
        super().emit(record)


def _json(line: dict[str, Any], **_: Any) -> str:
    return orjson.dumps(line, default=repr).decode()


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """A library's warning, by its kind and where it comes from; its message may quote what people sent."""
    at = f"{_place(filename)}:{lineno}"
    structlog.get_logger("coverd").warning("a library warns", kind=category.__name__, at=at)


def _told(exc_info: tuple[type[BaseException], BaseException, TracebackType | None]) -> str:
    """An exception by its kind, where it went and what led to it, without words: those may quote what people
    sent. Ours say in ``plain`` what a log may hold; Postgres says its code."""
    told: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None and len(told) < MOST_CAUSES:
        known = getattr(error, "plain", None) or getattr(error, "sqlstate", None)
        frames = [f"{_place(f.f_code.co_filename)}:{at} {f.f_code.co_name}" for f, at in _frames(error)]
        told.append(f"{type(error).__name__}{f' ({known})' if known else ''} at {' < '.join(frames[::-1])}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "; after ".join(told)


def _frames(error: BaseException) -> list[tuple[FrameType, int]]:
    return list(walk_tb(error.__traceback__))[-MOST_FRAMES:]


def _place(file: str) -> str:
    """A file by its last folder and its name."""
    return "/".join(Path(file).parts[-2:])


def _first_line(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Of a library's words: below, asyncio shows exceptions as they are."""
    line["event"] = next(iter(str(line["event"]).splitlines()), "")
    return line


def _without_personal(
    _logger: object, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for field, value in list(line.items()):
        if field in PERSONAL:
            del line[field]
        elif isinstance(value, dict | list | tuple):
            line[field] = _impersonal(value)
    return line


def _impersonal(value: Any) -> Any:
    if isinstance(value, dict):
        return {field: _impersonal(inner) for field, inner in value.items() if field not in PERSONAL}
    return [_impersonal(inner) for inner in value] if isinstance(value, list | tuple) else value
