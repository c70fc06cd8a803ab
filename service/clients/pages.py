"""A vendor's list read page by page, newest first, as far back as is asked for."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import quote

from service.clients.fields import id_of, instant

PAGE = 100
"""The most a list gives at once (1099Policy fact sheet, section 3)."""

Read = Callable[[str], Awaitable[Any]]
"""Any list by its path."""

Row = dict[str, Any]


async def back_to(read: Read, path: str, floor: int) -> AsyncIterator[list[Row]]:
    """Pages of what has an id, until one was ``created`` wholly before ``floor`` (epoch seconds).

    A vendor that knows no cursors gives the same page again; that ends it.
    """
    after: str | None = None
    seen = {""}
    while True:
        page = [row for row in await rows(read, path, after) if _id(row) not in seen]
        if not page:
            return
        yield page
        seen |= {_id(row) for row in page}
        after = _id(page[-1])
        if all(_created_before(row, floor) for row in page):
            return


async def rows(read: Read, path: str, after: str | None) -> list[Row]:
    """The objects on the page behind ``after``, whatever else the vendor answers."""
    behind = f"&starting_after={quote(after, safe='')}" if after else ""
    found = await read(f"{path}{'&' if '?' in path else '?'}limit={PAGE}{behind}")
    listed = found.get("data") if isinstance(found, dict) else found
    return [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []


def _id(row: Row) -> str:
    return id_of(row.get("id")) or ""


def _created_before(row: Row, floor: int) -> bool:
    created = instant(row.get("created"))
    return created is not None and created < floor
