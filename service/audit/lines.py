"""The lines of an export: the first says what it holds, each other one is an event to the letter.

An event's ``data`` stands last in its line and byte for byte as it was hashed, so that whoever cuts it out of
the line holds what the hash covers, whatever their JSON library makes of it.
"""

from datetime import UTC, datetime
from typing import Literal

import msgspec
import orjson

from domain.errors import CoverdError
from service.clock import rfc3339
from service.store.chain import Link
from service.store.rows import Row


class NotALine(CoverdError):
    """It is no line of an export: {why}."""


class Header(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What an export holds: of the ``log``, events after ``begin`` up to ``end`` by bucket; of the ``feed``,
    the same by cursor. ``at`` is when it was begun."""

    coverd_export: Literal[1]
    of: Literal["log", "feed"]
    at: str
    begin: dict[str, int] | str
    end: dict[str, int] | str

    @property
    def buckets(self) -> dict[int, tuple[int, int]]:
        """Of a log, where each bucket begins and ends."""
        assert isinstance(self.begin, dict)
        assert isinstance(self.end, dict)
        return {int(b): (self.begin.get(b, 0), last) for b, last in self.end.items()}


class Line(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One event; in a feed with its cursor. Hashes are hex, times RFC 3339."""

    stream_id: str
    bucket: int
    position: int
    version: int
    type: str
    schema: int
    recorded_at: datetime
    effective_at: int
    cause: str
    correlation: str
    actor: str
    previous: str
    hash: str
    data: msgspec.Raw
    cursor: str | None = None

    @property
    def link(self) -> Link:
        """The event as its hash covers it."""
        return Link(
            stream_id=self.stream_id,
            version=self.version,
            position=self.position,
            type=self.type,
            schema=self.schema,
            effective_at=self.effective_at,
            recorded_at=self.recorded_at.astimezone(UTC),
            cause=self.cause,
            correlation=self.correlation,
            actor=self.actor,
            data=bytes(self.data).decode(),
            hash=bytes.fromhex(self.hash),
        )


_HEADER: msgspec.json.Decoder[Header] = msgspec.json.Decoder(Header)
_LINE: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def header_line(header: Header) -> bytes:
    return msgspec.json.encode(header) + b"\n"


def event_line(row: Row, cursor: str | None = None) -> bytes:
    """A row of export_log.sql or export_feed.sql. Raises `NotALine` for data that cannot stand in one."""
    data: str = row["data"]
    if "\n" in data or "\r" in data:
        raise NotALine(why=f"event {row['stream_id']}@{row['version']} holds a line break")
    head = {
        **({} if cursor is None else {"cursor": cursor}),
        "stream_id": row["stream_id"],
        "bucket": row["bucket"],
        "position": row["position"],
        "version": row["version"],
        "type": row["type"],
        "schema": row["schema"],
        "recorded_at": rfc3339(row["recorded_at"]),
        "effective_at": row["effective_at"],
        "cause": row["cause"],
        "correlation": row["correlation"],
        "actor": row["actor"],
        "previous": row["previous"].hex(),
        "hash": row["hash"].hex(),
    }
    return orjson.dumps(head)[:-1] + b',"data":' + data.encode() + b"}\n"


def parse_header(line: bytes) -> Header:
    """Raises `NotALine`."""
    try:
        return _HEADER.decode(line)
    except (msgspec.MsgspecError, ValueError) as error:
        raise NotALine(why=f"the first line is not that of an export ({error})") from None


def parse_line(line: bytes) -> Line:
    """Raises `NotALine`."""
    try:
        found = _LINE.decode(line)
        bytes.fromhex(found.hash), bytes.fromhex(found.previous)
    except (msgspec.MsgspecError, ValueError) as error:
        raise NotALine(why=str(error)) from None
    return found
