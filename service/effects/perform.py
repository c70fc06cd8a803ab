"""perform: one effect becomes its vendor calls, and their outcome becomes a command."""

from typing import assert_never

from domain import commands as c
from domain import effects as x
from service.effects.assignment import create_assignment, left_behind
from service.effects.contract import fetch_attachment, read_contract
from service.effects.contractor import ensure_contractor, share_opt_in
from service.effects.desk import Desk
from service.effects.ending import end_coverage
from service.effects.papers import record_invoice, upload_certificate
from service.effects.policy import confirm_policy
from service.effects.quote import create_job, create_quote, open_session
from service.effects.timers import NotYet, deadline, wake_up
from service.ports import Claimed

__all__ = ["Desk", "NotYet", "left_behind", "perform"]


async def perform(effect: x.Effect, claimed: Claimed, desk: Desk) -> c.EngagementCommand:
    """Do what ``effect`` asks and answer its outcome.

    Raises `VendorUnavailable` (try again), `VendorRefused` (park) or `NotYet` (a timer that is early).
    """
    match effect:
        case x.ReadContract():
            return await read_contract(effect, claimed, desk)
        case x.FetchAttachment():
            return await fetch_attachment(effect, desk)
        case x.EnsureContractor():
            return await ensure_contractor(effect, claimed, desk)
        case x.CreateJob():
            return await create_job(effect, claimed, desk)
        case x.CreateQuote():
            return await create_quote(effect, claimed, desk)
        case x.OpenSession():
            return await open_session(effect, claimed, desk)
        case x.CreateAssignment():
            return await create_assignment(effect, claimed, desk)
        case x.EndCoverage():
            return await end_coverage(effect, claimed, desk)
        case x.ConfirmPolicy():
            return await confirm_policy(effect, desk)
        case x.UploadCertificate():
            return await upload_certificate(effect, claimed, desk)
        case x.RecordInvoice():
            return await record_invoice(effect, claimed, desk)
        case x.ShareOptIn():
            return await share_opt_in(effect, claimed, desk)
        case x.WakeUp(due_at):
            return await wake_up(due_at, desk)
        case x.WatchDeadline():
            return await deadline(effect, desk)
        case _:
            assert_never(effect)
