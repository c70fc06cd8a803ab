"""Dates that 1099Policy refuses as past become the next day."""

from collections.abc import Awaitable, Callable
from typing import Any

from domain.mapping import next_day
from service.clients.http import VendorRefused
from service.effects.desk import Desk


async def dated(
    send: Callable[[int, str], Awaitable[dict[str, Any]]], starts_at: int, key: str, desk: Desk
) -> tuple[dict[str, Any], int, int | None]:
    """Send with the contract's start; where the vendor refuses it as past, with the next day.

    The refusal is definite and may be stored for its key, so the moved one has a key of its own, again the
    same on every try. Answers the object, the start that was accepted, and the one that was refused, if any.
    """
    try:
        return await send(starts_at, key), starts_at, None
    except VendorRefused as refused:
        if refused.code != "effective_date_invalid":
            raise
    tomorrow = next_day(desk.there())
    return await send(tomorrow, f"{key}-next-day"), tomorrow, starts_at
