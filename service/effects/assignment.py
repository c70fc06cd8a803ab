"""The assignment that ties a policy to a contract."""

from datetime import timedelta
from typing import Any

from domain import commands as c
from domain import effects as x
from service.clients.fields import instant
from service.clients.http import VendorRefused
from service.clock import epoch
from service.effects.dating import dated
from service.effects.desk import Desk
from service.effects.standing import standing_assignment
from service.ports import Claimed

KEYS_LIVE = int(timedelta(days=1).total_seconds())
"""For how many seconds 1099Policy remembers an idempotency key (fact sheet, section 5)."""


async def create_assignment(effect: x.CreateAssignment, claimed: Claimed, desk: Desk) -> c.EngagementCommand:
    """Under a key that an earlier try may not have had, what that try made is looked for first."""
    other_key = claimed.generation > 1 or desk.now() - epoch(claimed.created_at) > KEYS_LIVE
    left = await _left(effect, claimed, desk) if other_key else None
    if left is not None:
        return _assigned(left, effect, effect.window.starts_at, desk.now())

    async def send(effective_date: int, key: str) -> dict[str, Any]:
        try:
            return await desk.ten99policy.create_assignment(
                effect, key, effective_date=effective_date, end_date=effect.window.ends_at
            )
        except VendorRefused:
            left = await _left(effect, claimed, desk) if claimed.attempt > 1 else None
            if left is None:
                raise
            return left

    try:
        made, effective, _ = await dated(send, effect.window.starts_at, claimed.key, desk)
    except VendorRefused as refused:
        if refused.code == "no_active_policy" or "No matching policy" in refused.why:
            return c.NoteAssignmentRefused(desk.now(), refused.why)
        raise
    return _assigned(made, effect, effective, desk.now())


async def left_behind(effect: x.Effect, claimed: Claimed, desk: Desk) -> c.EngagementCommand | None:
    """What an effect that is wanted no more has made all the same: its answer was lost. None where nothing.

    An attempt that the store was away for is not counted, so that even a first one may have called.
    """
    if not isinstance(effect, x.CreateAssignment):
        return None
    left = await _left(effect, claimed, desk)
    return None if left is None else _assigned(left, effect, effect.window.starts_at, desk.now())


async def _left(effect: x.CreateAssignment, claimed: Claimed, desk: Desk) -> dict[str, Any] | None:
    engagement = await desk.handler.load(effect.engagement_id)
    since = int(epoch(claimed.created_at) + desk.ten99policy.ahead_by)
    return await standing_assignment(desk.ten99policy, effect, engagement, since)


def _assigned(
    made: dict[str, Any], effect: x.CreateAssignment, effective: int, now: int
) -> c.ConfirmAssignment | c.NoteAssignmentRefused:
    refusal = _ineligible(made)
    if refusal is not None:
        return c.NoteAssignmentRefused(now, refusal, str(made["id"]))
    policy_id = made.get("policy")
    starts_at, asked = instant(made.get("effective_date")) or effective, effect.window.starts_at
    return c.ConfirmAssignment(
        now,
        str(made["id"]),
        policy_id if isinstance(policy_id, str) else None,
        starts_at,
        instant(made.get("end_date")) or effect.window.ends_at,
        moved_from=asked if starts_at > asked else None,
    )


def _ineligible(made: dict[str, Any]) -> str | None:
    """Why the assignment does not cover, or None where it does (fact sheet 6.7: an object with ``result``).

    Only a plain yes is a yes; an answer that cannot be read is for a person, never for cover.
    """
    said = made.get("eligible")
    result = said.get("result") if isinstance(said, dict) else said
    if said is None or result is True:
        return None
    if result is False:
        message = said.get("message") if isinstance(said, dict) else None
        return str(message or "not eligible")
    raise VendorRefused(
        vendor="1099Policy",
        what="POST /assignments",
        why=f"it says neither eligible nor not for {made['id']}",
        status=201,
    )
