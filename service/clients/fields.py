"""Dialects as data: where each of our fields stands in a vendor's JSON, and what a value there says."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any


def render(paths: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON body with every value at its path; None values and fields without a path are left out.

    >>> render({"email": "contact.email"}, {"email": "a@b.c", "phone": None})
    {'contact': {'email': 'a@b.c'}}
    """
    body: dict[str, Any] = {}
    for field, path in paths.items():
        value = values.get(field)
        if value is None:
            continue
        *parents, leaf = path.split(".")
        place = body
        for parent in parents:
            place = place.setdefault(parent, {})
        place[leaf] = value
    return body


def dig(document: Any, path: str) -> Any:
    """The value at a dotted path, or None where any step is missing."""
    for step in path.split("."):
        if not isinstance(document, Mapping):
            return None
        document = document.get(step)
    return document


def rows_at(document: Any, path: str) -> list[Mapping[str, Any]]:
    """The objects of a list, whatever else stands there."""
    listed = dig(document, path)
    return [row for row in listed if isinstance(row, Mapping)] if isinstance(listed, list) else []


def text(value: Any) -> str | None:
    """What the text says; NUL, which JSON may hold and Postgres may not, says nothing."""
    return value.replace("\x00", "").strip() or None if isinstance(value, str) else None


def id_of(value: Any) -> str | None:
    """An id as text, whether it came as text or as a number."""
    number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if number else text(value)


def is_nothing(amount: str) -> bool:
    """Whether a decimal text is zero, which a vendor may show for an amount that is not set."""
    try:
        return Decimal(amount) == 0
    except InvalidOperation:
        return False


_EPOCH = re.compile(r"[0-9]{1,17}")
_OFFSET = re.compile(r"([+-]\d{2})(\d{2})$")
_YEAR_10000 = 253_402_300_800


def instant(value: Any) -> int | None:
    """Epoch seconds of a date as Upwork may write it, or None where there is none to read.

    Takes ``yyyy-MM-dd`` (the start of that day in UTC), ISO with Z, +hhmm or +hh:mm, and epoch seconds
    or milliseconds (Upwork facts, section 5), from 1970 to 9999. A time without an offset is UTC.
    """
    if isinstance(value, bool) or value is None:
        return None
    seconds = _seconds(value.strip() if isinstance(value, str) else value)
    return seconds if seconds is not None and 0 <= seconds < _YEAR_10000 else None


def _seconds(value: Any) -> int | None:
    try:
        if isinstance(value, int | float) or (isinstance(value, str) and _EPOCH.fullmatch(value)):
            number = int(value)
            return number // 1000 if number > 100_000_000_000 else number
        if not isinstance(value, str):
            return None
        moment = datetime.fromisoformat(_OFFSET.sub(r"\1:\2", value))
    except (ValueError, OverflowError):
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
