"""What stands at 1099Policy although no answer said so: the answer to an earlier try may have been lost."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from domain import commands as c
from domain.effects import CreateAssignment
from domain.state import Engagement
from service.clients.fields import id_of, instant
from service.clients.http import VendorRefused
from service.clients.pages import back_to
from service.clients.ten99policy import Ten99Policy

MARGIN = int(timedelta(days=1).total_seconds())
"""How much earlier than the effect an assignment is looked for: the vendor's clock may be behind."""


async def standing_assignment(
    vendor: Ten99Policy, effect: CreateAssignment, engagement: Engagement, since: int
) -> dict[str, Any] | None:
    """The assignment that this effect asks for, where it is made and nobody here knows of it.

    ``since``: when the effect began, in epoch seconds. That the list can be narrowed to a job is not
    documented (fact sheet, section 3): rows of others are passed over.
    """
    known = {made.assignment_id for made in engagement.assignments}
    path = f"/assignments?job={quote(effect.job_id, safe='')}"
    async for page in back_to(vendor.read, path, since - MARGIN):
        for row in page:
            if id_of(row.get("id")) not in known and _asked_for(row, effect):
                return row
    return None


def _asked_for(row: dict[str, Any], effect: CreateAssignment) -> bool:
    starts, ends = instant(row.get("effective_date")), instant(row.get("end_date"))
    return (
        id_of(row.get("job")) == effect.job_id
        and id_of(row.get("contractor")) in (None, effect.contractor_id)
        and starts is not None
        and ends is not None
        and starts < effect.window.ends_at
        and ends > effect.window.starts_at
    )


async def cancelled_already(
    vendor: Ten99Policy, assignment_id: str | None, now: int
) -> c.NoteAssignmentCancelled | None:
    """That the assignment which refuses to be ended is cancelled, where it is."""
    if assignment_id is None:
        return None
    try:
        row = await vendor.read(f"/assignments/{quote(assignment_id, safe='')}")
    except VendorRefused:
        return None
    if not isinstance(row, dict) or row.get("cancelled") is not True:
        return None
    dated = instant(row.get("cancellation_date"))
    return c.NoteAssignmentCancelled(now, assignment_id, now if dated is None else dated)
