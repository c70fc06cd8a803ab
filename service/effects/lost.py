"""What an earlier try of an effect made, whose answer was lost: looked for before anything is made again."""

import re
from datetime import timedelta
from typing import Any

from domain import effects as x
from domain.ids import subject
from domain.state import Engagement
from service.clock import epoch
from service.effects.desk import Desk
from service.effects.standing import Making, standing
from service.ports import Claimed

KEYS_LIVE = int(timedelta(days=1).total_seconds())
"""For how many seconds 1099Policy remembers an idempotency key (fact sheet, section 5)."""

RENEWED = re.compile(r"-r\d+$")
"""How a key ends that has replaced one whose failure the vendor had stored."""

COSTLY = (x.CreateAssignment, x.RecordInvoice)
"""What the vendor charges for. It is looked for even where no earlier try was counted: one that the store was
away for is not."""


def renewed(claimed: Claimed) -> str:
    """The key that follows one whose failure the vendor has stored: short, after however many tries."""
    return f"{RENEWED.sub('', claimed.key)}-r{claimed.attempt}"


async def made_before(effect: Making, claimed: Claimed, desk: Desk) -> dict[str, Any] | None:
    """What an earlier try made, where this one goes under a key that may not lead to its answer."""
    age = desk.now() - epoch(claimed.created_at)
    forgotten = age > KEYS_LIVE and (claimed.attempt > 1 or isinstance(effect, COSTLY))
    if claimed.generation > 1 or forgotten or RENEWED.search(claimed.key):
        return await made_by_any_try(effect, claimed, desk)
    return None


async def made_by_any_try(effect: Making, claimed: Claimed, desk: Desk) -> dict[str, Any] | None:
    engagement = await desk.handler.load(subject(claimed.stream_id))
    known = _known(effect, engagement)

    async def is_known(id: str) -> bool:
        return id in known or (isinstance(effect, x.UploadCertificate) and await _is_anothers(id, desk))

    since = int(await _first_asked(claimed, desk) + desk.ten99policy.ahead_by)
    return await standing(desk.ten99policy, effect, is_known, since)


async def _first_asked(claimed: Claimed, desk: Desk) -> float:
    """When the step was wanted first, in whichever generation."""
    began = [claimed.created_at]
    if claimed.generation > 1:
        rows = await desk.store.effects_of(claimed.stream_id)
        began += [row.created_at for row in rows if row.step == claimed.step]
    return epoch(min(began))


def _known(effect: Making, engagement: Engagement) -> set[str | None]:
    """The ids of what other effects of this kind made here."""
    match effect:
        case x.CreateQuote():
            return {*engagement.quote_ids}
        case x.CreateAssignment():
            return {made.assignment_id for made in engagement.assignments}
        case x.UploadCertificate():
            return {file.certificate_id for file in engagement.files.values()}
        case x.RecordInvoice():
            return {invoice.invoice_id for invoice in engagement.invoices.values()}
        case _:
            return {engagement.job_id, engagement.session_id}


async def _is_anothers(certificate_id: str, desk: Desk) -> bool:
    """Whether the certificate was uploaded for another engagement of the same contractor."""
    for stream_id in await desk.store.streams_of("certificate", certificate_id):
        files = (await desk.handler.load(subject(stream_id))).files.values()
        if any(file.certificate_id == certificate_id for file in files):
            return True
    return False
