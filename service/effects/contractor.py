"""The contractor at 1099Policy, and that they have opted in."""

from typing import Any

from domain import commands as c
from domain import effects as x
from domain.ids import subject
from service.clients.http import VendorRefused
from service.effects.desk import Desk
from service.handle import Origin
from service.ports import Claimed


async def ensure_contractor(effect: x.EnsureContractor, claimed: Claimed, desk: Desk) -> c.ConfirmContractor:
    """Our own record, else by e-mail, else created (fact sheet section 10, rows 9 and 26)."""
    known = await desk.handler.load_freelancer(effect.freelancer_id)
    if known.contractor_id:
        return c.ConfirmContractor(desk.now(), known.contractor_id, known.opted_in_at is not None)
    found, opted_in = await _find_contractor(effect.draft.email, desk)
    if found is None:
        try:
            found = await desk.ten99policy.create_contractor(effect.freelancer_id, effect.draft, claimed.key)
        except VendorRefused as refused:
            if refused.code != "duplicate_email":
                raise
            found, opted_in = await _find_contractor(effect.draft.email, desk)
            if found is None:
                raise
    origin = desk.origin(claimed)
    link = c.LinkContractor(desk.now(), str(found["id"]), effect.draft.email)
    linked = await desk.handler.freelancer(effect.freelancer_id, link, origin)
    if opted_in:
        told = Origin(f"{origin.cause}:opted-in", origin.correlation, origin.actor)
        await desk.handler.freelancer(effect.freelancer_id, c.RecordOptIn(desk.now(), None), told)
    return c.ConfirmContractor(
        desk.now(), linked.contractor_id or str(found["id"]), opted_in or linked.opted_in_at is not None
    )


async def _find_contractor(email: str, desk: Desk) -> tuple[dict[str, Any] | None, bool]:
    """The contractor and whether any policy of theirs was ever issued: then they have opted in."""
    found = await desk.ten99policy.find_contractor(email)
    if found is None:
        return None, False
    return found, bool(await desk.ten99policy.policies_of(str(found["id"])))


async def share_opt_in(effect: x.ShareOptIn, claimed: Claimed, desk: Desk) -> c.ConfirmOptInShared:
    """The freelancer's stream first, so that engagements read from now on know; then those already here."""
    origin = desk.origin(claimed)
    command = c.RecordOptIn(desk.now(), effect.policy_id)
    await desk.handler.freelancer(effect.freelancer_id, command, origin)
    told = Origin(f"{origin.cause}:told", origin.correlation, origin.actor)
    for stream_id in await desk.store.streams_of("freelancer", effect.freelancer_id):
        if stream_id.startswith("engagement:") and stream_id != claimed.stream_id:
            await desk.handler.engagement(subject(stream_id), c.NoteOptIn(desk.now()), told)
    return c.ConfirmOptInShared(desk.now())
