"""The end of cover, with its contract."""

from urllib.parse import quote

from domain import commands as c
from domain import effects as x
from domain.mapping import next_day
from service.clients.fields import instant
from service.clients.http import CredentialsRefused, VendorRefused
from service.clients.ten99policy import Ten99Policy
from service.effects.desk import Desk
from service.ports import Claimed


async def end_coverage(effect: x.EndCoverage, claimed: Claimed, desk: Desk) -> c.EngagementCommand:
    """What others have cancelled refuses to be ended, and is over."""
    try:
        return await _ended(effect, claimed, desk)
    except VendorRefused:
        there = desk.there()
        cancelled = await _cancelled_already(desk.ten99policy, effect.assignment_id, there)
        if cancelled is None:
            raise
        return cancelled


async def _ended(effect: x.EndCoverage, claimed: Claimed, desk: Desk) -> c.ConfirmCoverageEnded:
    """Fact sheet section 10, row 18: cancel by job before the start, shorten the assignment after it."""
    named = effect.assignment_id if effect.earlier else None
    if effect.ended_at < effect.starts_at and not effect.earlier:
        try:
            await desk.ten99policy.cancel_assignments(effect.job_id, claimed.key)
            return c.ConfirmCoverageEnded(desk.now(), "canceled_by_job")
        except VendorRefused as refused:
            if effect.assignment_id is None and refused.status in (400, 404, 409):
                return c.ConfirmCoverageEnded(desk.now(), "left_to_its_end")
            if effect.assignment_id is None or refused.status not in (400, 409):
                raise
    assert effect.assignment_id is not None
    end_date = max(effect.ended_at, effect.starts_at + 1)
    try:
        await desk.ten99policy.shorten_assignment(effect.assignment_id, end_date)
    except VendorRefused as refused:
        if refused.code not in ("end_date_invalid", "effective_date_invalid"):
            raise
        end_date = next_day(max(desk.there(), effect.ended_at))
        await desk.ten99policy.shorten_assignment(effect.assignment_id, end_date)
    return c.ConfirmCoverageEnded(desk.now(), "assignment_shortened", end_date, named)


async def _cancelled_already(
    vendor: Ten99Policy, assignment_id: str | None, now: int
) -> c.NoteAssignmentCancelled | None:
    """That the assignment which refuses to be ended is cancelled, where it is."""
    if assignment_id is None:
        return None
    try:
        row = await vendor.read(f"/assignments/{quote(assignment_id, safe='')}")
    except CredentialsRefused:
        raise
    except VendorRefused:
        return None
    if not isinstance(row, dict) or row.get("cancelled") is not True:
        return None
    dated = instant(row.get("cancellation_date"))
    return c.NoteAssignmentCancelled(now, assignment_id, now if dated is None else dated)
