"""Whether a policy is in force, as 1099Policy shows it (fact sheet 6.6)."""

from collections.abc import Mapping
from typing import Any, Literal

Status = Literal["active", "cancelled", "expired"]

WORDS: Mapping[str, Status] = {
    "active": "active",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "expired": "expired",
}


def status_of(policy: Mapping[str, Any]) -> Status | None:
    """None where nothing is proven: neither ``status`` nor ``is_active`` says it, or a status nobody knows.

    One that is switched off is active no more, whatever its status still says.
    """
    said, is_active = policy.get("status"), policy.get("is_active")
    if said is None:
        return "active" if is_active is True else "cancelled" if is_active is False else None
    known = WORDS.get(said) if isinstance(said, str) else None
    return "cancelled" if known == "active" and is_active is False else known


def is_active(policy: Mapping[str, Any]) -> bool | None:
    """None where nothing is proven; one that is shown without a word of its status is one that stands."""
    if policy.get("status") is None and policy.get("is_active") is None:
        return True
    status = status_of(policy)
    return None if status is None else status == "active"
