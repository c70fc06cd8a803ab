"""Job, quote and application session at 1099Policy: the way to a first policy."""

from typing import Any

from domain import commands as c
from domain import effects as x
from service.clients.fields import instant
from service.clients.http import VendorRefused
from service.effects.dating import dated
from service.effects.desk import Desk
from service.effects.lost import made_before
from service.ports import Claimed


async def create_job(effect: x.CreateJob, claimed: Claimed, desk: Desk) -> c.ConfirmJob:
    job = await made_before(effect, claimed, desk)
    if job is None:
        send_region = desk.config().send_job_region
        job = await desk.ten99policy.create_job(
            effect.engagement_id, effect.draft, claimed.key, send_region=send_region
        )
    return c.ConfirmJob(desk.now(), str(job["id"]))


MATCHING = ("contractor_has_matching_policy", "contract_has_matching_policy")
"""The vendor's new and old word for it (fact sheet, section 4)."""


async def create_quote(effect: x.CreateQuote, claimed: Claimed, desk: Desk) -> c.EngagementCommand:
    found = await made_before(effect, claimed, desk)
    if found is not None:
        starts_at, asked = instant(found.get("effective_date")), effect.window.starts_at
        return _quoted(found, effect, asked, asked if starts_at and starts_at > asked else None, desk)

    async def send(effective_date: int, key: str) -> dict[str, Any]:
        return await desk.ten99policy.create_quote(
            effect, key, effective_date=effective_date, end_date=effect.window.ends_at
        )

    try:
        quote, effective, moved_from = await dated(send, effect.window.starts_at, claimed.key, desk)
    except VendorRefused as refused:
        if refused.code in MATCHING:
            return c.WaiveQuote(desk.now(), refused.why)
        raise
    return _quoted(quote, effect, effective, moved_from, desk)


def _quoted(
    quote: dict[str, Any], effect: x.CreateQuote, effective: int, moved_from: int | None, desk: Desk
) -> c.ConfirmQuote:
    return c.ConfirmQuote(
        desk.now(),
        str(quote["id"]),
        instant(quote.get("effective_date")) or effective,
        instant(quote.get("end_date")) or effect.window.ends_at,
        moved_from,
    )


async def open_session(effect: x.OpenSession, claimed: Claimed, desk: Desk) -> c.EngagementCommand:
    if effect.may_have_opted_in:
        known = await desk.handler.load_freelancer(effect.freelancer_id)
        if known.opted_in_at is not None:
            return c.NoteOptIn(desk.now())
    rules = desk.config().rules
    urls = {
        name: url.replace("{engagement_id}", effect.engagement_id)
        for name, url in (("success_url", rules.success_url), ("cancel_url", rules.cancel_url))
        if url
    }
    session = await made_before(effect, claimed, desk)
    if session is None:
        session = await desk.ten99policy.open_session(
            effect.engagement_id, effect.quote_id, urls, claimed.key
        )
    url = session.get("url")
    return c.ConfirmSession(desk.now(), str(session["id"]), url if isinstance(url, str) else None)
