"""Dialects as data: where each of our fields stands in a vendor's JSON, written as dotted paths."""

from collections.abc import Mapping
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
