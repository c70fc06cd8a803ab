"""The assignment that ties a policy to a contract."""

from typing import Any

from domain import commands as c
from domain import effects as x
from service.clients.fields import instant
from service.clients.http import VendorRefused
from service.effects.dating import dated
from service.effects.desk import Desk
from service.effects.lost import made_before, made_by_any_try
from service.ports import Claimed


async def create_assignment(effect: x.CreateAssignment, claimed: Claimed, desk: Desk) -> c.EngagementCommand:
    left = await made_before(effect, claimed, desk)
    if left is not None:
        return _assigned(left, effect, effect.window.starts_at, desk.now())

    async def send(effective_date: int, key: str) -> dict[str, Any]:
        try:
            return await desk.ten99policy.create_assignment(
                effect, key, effective_date=effective_date, end_date=effect.window.ends_at
            )
        except VendorRefused:
            left = await made_by_any_try(effect, claimed, desk) if claimed.attempt > 1 else None
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
    left = await made_by_any_try(effect, claimed, desk)
    return None if left is None else _assigned(left, effect, effect.window.starts_at, desk.now())


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
