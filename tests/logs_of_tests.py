"""Logging belongs to the process: tests that set it up give it back."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

QUIETED = ("transitions", "aiohttp.access", "aiohttp.server", "asyncio")


@contextmanager
def logging_left_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    showing = warnings.showwarning
    levels = {name: logging.getLogger(name).level for name in QUIETED}
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.raiseExceptions = raising
        warnings.showwarning = showing
        for name, was in levels.items():
            logging.getLogger(name).setLevel(was)
        structlog.reset_defaults()
