"""Optional fields of a JSON body, each fault with the field's pointer."""

from datetime import datetime
from typing import Any

from service.api.problems import bad_field
from service.api.reading import MAX_LIMIT, instant, text_field, whole_number


def optional_text(body: dict[str, Any], name: str, longest: int = 500) -> str | None:
    return text_field(body, name, longest) if body.get(name) is not None else None


def optional_choice(body: dict[str, Any], name: str, *choices: str) -> str | None:
    value = body.get(name)
    if value is not None and value not in choices:
        raise bad_field(f"/{name}", f"{name} must be one of {', '.join(choices)}.")
    return value


def optional_moment(body: dict[str, Any], name: str) -> datetime | None:
    """An RFC 3339 instant with an offset; naive times are refused."""
    value = body.get(name)
    if value is None:
        return None
    found = instant(value) if isinstance(value, str) else None
    if found is None:
        raise bad_field(f"/{name}", f"{name} must be a time with an offset such as 2026-03-02T10:40:00Z.")
    return found


def moment_field(body: dict[str, Any], name: str) -> datetime:
    found = optional_moment(body, name)
    if found is None:
        raise bad_field(f"/{name}", f"Say {name}, a time with an offset such as 2026-03-02T10:40:00Z.")
    return found


def flag_field(body: dict[str, Any], name: str) -> bool:
    """True or false; left out it is false."""
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise bad_field(f"/{name}", f"{name} must be true or false.")
    return value


def limit_field(body: dict[str, Any], otherwise: int) -> int:
    if body.get("limit") is None:
        return otherwise
    return whole_number(body, "limit", 1, MAX_LIMIT, "how many at most")
