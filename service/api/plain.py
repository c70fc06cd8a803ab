"""Requests of the plainest shape, read from their bytes; whatever is shaped otherwise is left to aiohttp."""

import re
from typing import NamedTuple

from multidict import CIMultiDict

MAX_HEAD = 8190
MAX_BODY = 256 * 1024

SOON = 16 * 1024
"""Bytes of a body that are worth waiting for here; before a longer one is read its proof is looked at."""

_HEADER = re.compile(r"(?<=\n)([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e]*)\r\n")
_LENGTH = re.compile(r"0|[1-9][0-9]{0,8}")
_OTHER = frozenset(
    {"transfer-encoding", "content-encoding", "expect", "upgrade", "te", "trailer", "http2-settings"}
)
"""Headers that make more of a request than its body as it stands."""


class Plain(NamedTuple):
    """A whole request: its method, its path as sent, its headers, its body; ``size`` in bytes altogether."""

    method: str
    path: str
    headers: CIMultiDict[str]
    body: bytes
    size: int


class Later:
    """What has come may become a plain request once more of it is there."""


LATER = Later()


def read_plain(received: bytes, lines: re.Pattern[bytes]) -> Plain | Later | None:
    """The request ``received`` begins with, or `LATER`, or None where it is not plain.

    A plain one's first line matches ``lines``; its head is ASCII with each header once, and none that says
    how the body is sent or what becomes of the connection; its body is as long as announced.
    """
    end = received.find(b"\r\n\r\n", 0, MAX_HEAD)
    first = received.find(b"\r\n")
    if first >= 0 and not lines.fullmatch(received, 0, first):
        return None
    if end < 0:
        return LATER if len(received) < MAX_HEAD and (first >= 0 or _begins(received)) else None
    method, path, _ = received[:first].decode("ascii").split(" ")
    headers = _headers(received[first:end].decode("latin-1") + "\r\n")
    size = None if headers is None else _size(method, headers.get("Content-Length"))
    if headers is None or size is None:
        return None
    start = end + 4
    if len(received) < start + size:
        return LATER if size <= SOON else None
    return Plain(method, path, headers, received[start : start + size], start + size)


def _begins(received: bytes) -> bool:
    return received.startswith((b"POST /webhooks/", b"GET /v1/engagements/"))


def _headers(text: str) -> CIMultiDict[str] | None:
    """Those behind the first line: each well-formed and there once, a Host, none of `_OTHER`; else None."""
    lines = _HEADER.findall(text)
    headers = {name.lower(): value.rstrip() for name, value in lines}
    if len(headers) < text.count("\n") - 1 or "host" not in headers or not _OTHER.isdisjoint(headers):
        return None
    if headers.get("connection", "keep-alive").lower() != "keep-alive":
        return None
    return CIMultiDict(headers)


def _size(method: str, announced: str | None) -> int | None:
    """The body's bytes: none of a GET; of a POST as many as announced, some and not too many."""
    if method == "GET":
        return 0 if announced in (None, "0") else None
    if announced is None or not _LENGTH.fullmatch(announced) or not 0 < int(announced) <= MAX_BODY:
        return None
    return int(announced)
