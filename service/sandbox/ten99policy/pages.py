"""Lists: bare arrays, newest first, `limit`, `starting_after`, `ending_before` (fact sheet 3)."""

from collections.abc import Mapping
from itertools import dropwhile, islice

from service.sandbox.ten99policy.refusals import invalid
from service.sandbox.ten99policy.table import Row

DEFAULT_LIMIT = 10
MOST = 100


def page(rows: dict[str, Row], query: Mapping[str, str]) -> list[Row]:
    """`rows` in order of creation, oldest first."""
    limit = _limit(query.get("limit"))
    older_than, newer_than = query.get("starting_after"), query.get("ending_before")
    for name, cursor in (("starting_after", older_than), ("ending_before", newer_than)):
        if cursor is not None and cursor not in rows:
            raise invalid(**{name: f"no such object: {cursor}"})
    if older_than is None and newer_than is not None:
        ids = dropwhile(lambda id: id != newer_than, rows)
        return [rows[id] for id in islice(ids, 1, limit + 1)][::-1]
    newest_first = reversed(rows)
    if older_than is None:
        return [rows[id] for id in islice(newest_first, limit)]
    return [rows[id] for id in islice(dropwhile(lambda id: id != older_than, newest_first), 1, limit + 1)]


def _limit(given: str | None) -> int:
    if given is None:
        return DEFAULT_LIMIT
    if not given.isdecimal() or not 1 <= int(given) <= MOST:
        raise invalid(limit=f"must be between 1 and {MOST}")
    return int(given)
