"""Many new rows at once: COPY instead of INSERT, where nothing can be there yet."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from projections.statements import Connection

_CHUNK = 1 << 20

# No value holds a NUL, so these can stand for what is not a value until the values are escaped.
_TAB, _NEWLINE, _NULL = "\0t", "\0n", "\0N"
_ESCAPES = (
    *((b"\\", b"\\\\"), (b"\t", b"\\t"), (b"\n", b"\\n"), (b"\r", b"\\r")),
    *((_TAB.encode(), b"\t"), (_NEWLINE.encode(), b"\n"), (_NULL.encode(), b"\\N")),
)


async def copy_into(
    conn: "Connection", table: str, columns: Sequence[str], rows: Iterable[Sequence[str | None]]
) -> None:
    """Rows of ``coverd.table``, each value as the text Postgres casts from, without NUL; None is null."""
    lines = [_TAB.join([_NULL if value is None else value for value in row]) + _NEWLINE for row in rows]
    if lines:
        text = _escaped("".join(lines).encode())
        await conn.copy_to_table(table, schema_name="coverd", columns=columns, source=_chunks(text))


def _escaped(text: bytes) -> bytes:
    for before, after in _ESCAPES:
        text = text.replace(before, after)
    return text


async def _chunks(text: bytes) -> AsyncIterator[bytes]:
    for begin in range(0, len(text), _CHUNK):
        yield text[begin : begin + _CHUNK]
