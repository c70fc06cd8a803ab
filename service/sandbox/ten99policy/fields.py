"""Reads and checks the fields of a request body; unknown fields are ignored (fact sheet 9)."""

from collections.abc import Collection
from typing import Any

from service.sandbox.ten99policy.refusals import Refusal, invalid
from service.sandbox.ten99policy.table import Row

COVERAGE_TYPES = ("general", "professional", "workers-comp", "media", "cyber")
WAGE_TYPES = ("flatfee", "hourly", "unit", "blended")
LATEST_EPOCH = 32_503_680_000  # the year 3000: milliseconds sent for seconds land far beyond it


class Fields:
    """Collects good values in `found` and complaints in `wrong`, one text a field.

    With `partial` (a PUT) a missing field is left alone; null is never good for a required one.
    """

    def __init__(self, body: Row, partial: bool = False) -> None:
        self.body, self.partial = body, partial
        self.found: Row = {}
        self.wrong: dict[str, str] = {}

    def finish(self) -> Row:
        """The good values; raises the 400 when there is any complaint."""
        if self.wrong:
            raise invalid(**self.wrong)
        return self.found

    def text(self, name: str, required: bool = False) -> None:
        value = self._given(name, required)
        if isinstance(value, str) and (value.strip() or not required):
            self.found[name] = value
        elif value is not None:
            self.wrong[name] = "must be a text that is not empty" if required else "must be a text"

    def cents(self, name: str, least: int, most: int, required: bool = False) -> None:
        value = whole(self._given(name, required))
        if value is None:
            self._complain_if_given(name, "must be a whole number of cents")
        elif not least <= value <= most:
            self.wrong[name] = f"must be between {least} and {most} cents"
        else:
            self.found[name] = value

    def number(self, name: str) -> None:
        value = whole(self._given(name))
        if value is None:
            self._complain_if_given(name, "must be a whole number")
        else:
            self.found[name] = value

    def epoch(self, name: str, required: bool = False) -> None:
        value = whole(self._given(name, required))
        if value is None or not 0 <= value < LATEST_EPOCH:
            self._complain_if_given(name, "must be whole seconds since the epoch, UTC")
        else:
            self.found[name] = value

    def flag(self, name: str) -> None:
        value = self._given(name)
        if isinstance(value, bool):
            self.found[name] = value
        else:
            self._complain_if_given(name, "must be true or false")

    def choice(self, name: str, allowed: Collection[str], required: bool = False) -> None:
        value = self._given(name, required)
        if isinstance(value, str) and value in allowed:
            self.found[name] = value
        else:
            self._complain_if_given(name, f"must be one of {', '.join(allowed)}")

    def coverage(self, name: str = "coverage_type", required: bool = False) -> None:
        value = self._given(name, required)
        if isinstance(value, list) and value and all(v in COVERAGE_TYPES for v in value):
            self.found[name] = list(dict.fromkeys(value))
        else:
            self._complain_if_given(name, f"must be a list of {', '.join(COVERAGE_TYPES)}")

    def metadata(self, before: Row | None = None) -> None:
        """On update a key with an empty value is removed, and `{}` removes all (fact sheet 2)."""
        value = self._given("custom_metadata")
        if isinstance(value, dict):
            self.found["custom_metadata"] = _merged(before or {}, value) if self.partial else value
        else:
            self._complain_if_given("custom_metadata", "must be an object")

    def _given(self, name: str, required: bool = False) -> Any:
        value = self.body.get(name)
        if value is None and required and (name in self.body or not self.partial):
            self.wrong[name] = "is required"
        elif value is None and name in self.body:
            self.found[name] = None
        return value

    def _complain_if_given(self, name: str, complaint: str) -> None:
        if self.body.get(name) is not None:
            self.wrong[name] = complaint


def _merged(before: Row, changes: Row) -> Row:
    if not changes:
        return {}
    return {name: value for name, value in {**before, **changes}.items() if value not in ("", None)}


def whole(value: Any) -> int | None:
    """An integer, or a text of digits as the SDK's samples send it (fact sheet 9)."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def need_general(coverage: Collection[str], region: str | None) -> None:
    """`media` and `cyber` need `general` too, except for Hawaii residents (fact sheet 2)."""
    if {"media", "cyber"} & set(coverage) and "general" not in coverage and region != "HI":
        raise Refusal("invalid_input", {"coverage_type": "media and cyber need general too"})
