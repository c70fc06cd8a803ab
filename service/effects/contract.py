"""Reading a contract, and what it has attached, from Upwork."""

from datetime import timedelta

from domain import commands as c
from domain import effects as x
from domain.mapping import YEAR
from domain.values import KnownContractor, Terms
from service.effects.desk import Desk
from service.ports import Claimed

DAY = int(timedelta(days=1).total_seconds())


def _runs_for_terms(terms: Terms) -> bool:
    """Whether a quote covers only a part of the contract: one without an end, or longer than a year."""
    return terms.starts_at is not None and (terms.ends_at is None or terms.ends_at - terms.starts_at > YEAR)


async def read_contract(effect: x.ReadContract, claimed: Claimed, desk: Desk) -> c.RecordTerms:
    failures = claimed.attempt - 1
    terms = await desk.upwork.read(effect.engagement_id, effect.freelancer_id, failures=failures)
    if _runs_for_terms(terms) and (terms.starts_at or 0) <= desk.now() - DAY:
        await desk.ten99policy.tell_time(anew=True)  # whether a term is over is for its clock to say
    freelancer_id = effect.freelancer_id or terms.freelancer_id
    if freelancer_id is None:
        return c.RecordTerms(desk.now(), terms, KnownContractor(), desk.there())
    known = await desk.handler.load_freelancer(freelancer_id)
    return c.RecordTerms(
        desk.now(),
        terms,
        KnownContractor(
            contractor_id=known.contractor_id,
            opted_in=known.opted_in_at is not None,
            first_name=known.first_name,
            last_name=known.last_name,
        ),
        desk.there(),
    )


async def fetch_attachment(effect: x.FetchAttachment, desk: Desk) -> c.ConfirmAttachmentFetched:
    attachment = effect.attachment
    content = await desk.upwork.download(attachment.url, desk.config().attachment_hosts)
    sha256 = await desk.store.put_file(content)
    return c.ConfirmAttachmentFetched(desk.now(), attachment.id, attachment.file_name, sha256)
