"""What stands at 1099Policy although no answer said so: the answer to an earlier try may have been lost."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, assert_never
from urllib.parse import urlencode

from domain import effects as x
from domain.mapping import next_day
from domain.values import Window
from service.clients.fields import dig, id_of, instant
from service.clients.pages import back_to
from service.clients.ten99policy import Ten99Policy

MARGIN = int(timedelta(days=1).total_seconds())
"""How much earlier than the effect what it made is looked for: the vendor's clock may be behind."""

Row = dict[str, Any]

Making = (
    x.CreateJob | x.CreateQuote | x.OpenSession | x.CreateAssignment | x.UploadCertificate | x.RecordInvoice
)
"""What makes something. A contractor, who is found by e-mail before every call, is none of these."""


async def standing(
    vendor: Ten99Policy, effect: Making, is_known: Callable[[str], Awaitable[bool]], since: int
) -> Row | None:
    """What this effect asks for, where it is made and nobody here knows of it.

    ``since``: when it may have been asked for first, in epoch seconds. That a list can be narrowed is not
    documented (fact sheet, section 3): rows of others are passed over.
    """
    floor = since - MARGIN
    async for page in back_to(vendor.read, _list(effect), floor):
        for row in page:
            created = instant(row.get("created"))
            old = created is not None and created < floor
            if not old and _asked_for(row, effect) and not await is_known(str(id_of(row.get("id")))):
                return row
    return None


def _list(effect: Making) -> str:
    match effect:
        case x.CreateJob():
            return "/jobs"
        case x.CreateQuote(job_id=job):
            return f"/quotes?{urlencode({'job': job})}"
        case x.OpenSession(quote_id=quote):
            return f"/apply/sessions?{urlencode({'quote': quote})}"
        case x.CreateAssignment(job_id=job):
            return f"/assignments?{urlencode({'job': job})}"
        case x.UploadCertificate(contractor_id=contractor):
            return f"/files/certificates?{urlencode({'contractor': contractor})}"
        case x.RecordInvoice(job_id=job):
            return f"/invoices?{urlencode({'job': job})}"
        case _:
            assert_never(effect)


def _asked_for(row: Row, effect: Making) -> bool:
    match effect:
        case x.CreateJob(draft=draft):
            said = _said(row, entity=draft.entity, category_code=draft.category_code, wage=draft.wage)
            return said and dig(row, "custom_metadata.engagement_id") == effect.engagement_id
        case x.CreateQuote() | x.CreateAssignment():
            theirs = _said(row, contractor=effect.contractor_id)
            as_long = isinstance(effect, x.CreateAssignment) or _ends_with(row, effect.window)
            return (
                theirs and as_long and id_of(row.get("job")) == effect.job_id and _within(row, effect.window)
            )
        case x.OpenSession():
            return id_of(row.get("quote")) == effect.quote_id and row.get("expired") is not True
        case x.UploadCertificate():
            ours = dig(row, "custom_metadata.engagement_id") in (None, effect.engagement_id)
            of_theirs = id_of(row.get("contractor")) == effect.contractor_id
            return ours and of_theirs and row.get("filename") == effect.file_name
        case x.RecordInvoice():
            theirs = _said(row, contractor=effect.contractor_id, gross_pay=effect.gross_pay)
            cycle = instant(row.get("paycycle_startdate")), instant(row.get("paycycle_enddate"))
            asked = effect.paycycle_startdate, effect.paycycle_enddate
            return theirs and id_of(row.get("job")) == effect.job_id and cycle == asked
        case _:
            assert_never(effect)


def _said(row: Row, **asked: object) -> bool:
    """Whether the row says the same of each, or nothing."""
    return all(row.get(name) in (None, value) for name, value in asked.items())


def _within(row: Row, window: Window) -> bool:
    """Whether its dates are some of the window's: a start may have been moved."""
    starts, ends = instant(row.get("effective_date")), instant(row.get("end_date"))
    return starts is not None and ends is not None and starts < window.ends_at and ends > window.starts_at


def _ends_with(row: Row, window: Window) -> bool:
    """The vendor may move an end to the start of the next day (fact sheet 6.4)."""
    ends = instant(row.get("end_date"))
    return ends is not None and window.ends_at <= ends <= next_day(window.ends_at)
