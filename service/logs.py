"""Structured logs: one JSON object a line (or colours on a terminal), with personal fields left out."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

PERSONAL = frozenset(
    {
        *("display_name", "first_name", "last_name", "name", "email", "city", "region", "address", "person"),
        *("contact", "contractor_draft", "body", "headers", "authorization", "token", "secret", "url"),
    }
)
"""Fields that name a person or open a door: dropped from every log line by name, however deep."""


def set_up(*, quiet: bool = False, json: bool | None = None) -> None:
    """Send every log line to stderr, ours and the libraries'.

    ``quiet``: warnings only. ``json`` None: JSON unless stderr is a terminal.
    """
    as_json = not sys.stderr.isatty() if json is None else json
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_personal,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING if quiet else logging.INFO)
    for name in ("transitions", "aiohttp.access", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It quotes the raw lines of requests it cannot parse, secrets and all; our own errors never reach it.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)


def _without_personal(
    _logger: object, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for field, value in list(line.items()):
        if field in PERSONAL:
            del line[field]
        elif isinstance(value, dict):
            line[field] = _without_personal(_logger, _method, dict(value))
    return line
