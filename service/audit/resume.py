"""An export that was broken off: where it stands, so that it can go on in the same file."""

from os import SEEK_END
from pathlib import Path
from typing import BinaryIO

from service.audit.export import Place
from service.audit.lines import Header, NotALine, parse_header, parse_line

CHUNK = 64 * 1024
BEGINNING = (-1, 0)
"""Before every bucket of the log."""


def header_of(path: Path) -> Header:
    """What an export holds. Raises `NotALine` and OSError."""
    with path.open("rb") as file:
        return parse_header(file.readline())


def broken_off(path: Path) -> tuple[Header, Place] | None:
    """What an export holds and behind which place it goes on; a line that is not whole is cut off.

    None where not even its first line was written. Raises `NotALine` and OSError.
    """
    with path.open("r+b") as file:
        begun = file.readline()
        end = _newline_before(file, file.seek(0, SEEK_END)) + 1
        file.truncate(end)
        if end == 0:
            return None
        header = parse_header(begun)
        last = _line_before(file, end)
    if last == begun:
        return header, (header.begin if isinstance(header.begin, str) else BEGINNING)
    line = parse_line(last)
    if header.of == "feed" and line.cursor is None:
        raise NotALine(why="a line of the feed without its cursor")
    return header, line.cursor or (line.bucket, line.position)


def _line_before(file: BinaryIO, end: int) -> bytes:
    begin = _newline_before(file, end - 1) + 1
    file.seek(begin)
    return file.read(end - begin)


def _newline_before(file: BinaryIO, end: int) -> int:
    """Where the last newline before ``end`` stands; -1 where there is none."""
    while end > 0:
        begin = max(0, end - CHUNK)
        file.seek(begin)
        found = file.read(end - begin).rfind(b"\n")
        if found >= 0:
            return begin + found
        end = begin
    return -1
