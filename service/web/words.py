"""Every event in one plain sentence or two. The only place that says what an event means to a reader."""

from typing import assert_never

from domain import events as e
from domain.values import Pay, Terms, Window
from service.web import labels
from service.web.formats import clip, spoken, usd, wage


def said(event: e.EngagementEvent) -> str:
    """What happened, exactly, as plain text. Names, e-mails and addresses are left out."""
    match event:
        case e.OfferAccepted():
            return f"The offer was accepted{_named(event)}."
        case e.ContractActivated():
            return f"The contract became active{_named(event)}."
        case e.ContractEnded(ended_at):
            return f"The contract ended on {spoken(ended_at)}."
        case e.TermsRead(terms):
            return _terms(terms)
        case e.CoveragePlanned():
            return _planned(event)
        case e.CoverageRenewed(following):
            return f"The contract runs on, so cover is asked for again: {_window(following)}."
        case e.HoldRaised(_, message, fix):
            return f"It waits for a person. {clip(message)} What to do: {clip(fix)}"
        case e.HoldCleared(code):
            return f"Settled: {code.replace('_', ' ')}. It no longer waits for a person because of this."
        case e.ContractorReady(contractor_id, opted_in):
            before = "has opted in before" if opted_in else "has not opted in yet"
            return f"The freelancer is contractor {contractor_id} at 1099Policy and {before}."
        case e.JobCreated(job_id):
            return f"Job {job_id} was created."
        case e.QuoteCreated():
            window = _window(Window(event.effective_date, event.end_date))
            return f"Quote {event.quote_id} was created for cover {window}.{_moved(event.moved_from)}"
        case e.QuoteWaived(reason):
            return f"No quote is needed: the contractor holds a matching policy. 1099Policy: {clip(reason)}"
        case e.SessionOpened(session_id):
            return f"Application session {session_id} was opened for the freelancer to opt in."
        case e.OptInNoted():
            return "The freelancer has opted in already: an assignment will do, no session is needed."
        case e.AssignmentCreated():
            under = f" under policy {event.policy_id}" if event.policy_id else ""
            window = _window(Window(event.effective_date, event.end_date))
            return f"Assignment {event.assignment_id} was made{under}, {window}.{_moved(event.moved_from)}"
        case e.AssignmentRefused(message):
            return f"No assignment could be made, so a session is needed. 1099Policy: {clip(message)}"
        case e.AssignmentCancelled(assignment_id, _, canceled_at):
            since = spoken(canceled_at)
            return f"Assignment {assignment_id} was cancelled at 1099Policy with effect from {since}."
        case e.AssignmentChanged():
            window = _window(Window(event.effective_date, event.end_date))
            return f"Assignment {event.assignment_id} now runs {window} at 1099Policy."
        case e.CoverageEnded(how, end_date):
            until = f" The new end is {spoken(end_date)}." if end_date is not None else ""
            return labels.ENDINGS.get(how, f"Cover was ended: {how}.") + until
        case e.PolicyActivated():
            return _activated(event)
        case e.PolicyExpired(policy_id, _, ended_at):
            return f"Policy {policy_id} expired on {spoken(ended_at)}."
        case e.PolicyCanceled(policy_id, _, ended_at, _, expires_at):
            moved = f", or when it expires on {spoken(expires_at)} if that was moved" if expires_at else ""
            return f"Policy {policy_id} was cancelled with effect from {spoken(ended_at)}{moved}."
        case e.PolicyRead(policy_id):
            return f"Policy {policy_id}, under which the assignment covers, was read back."
        case e.CertificateValidated():
            until = "" if event.valid_until is None else f" until {spoken(event.valid_until)}"
            return f"Certificate {event.certificate_id} was approved from {spoken(event.valid_from)}{until}."
        case e.CertificateFlagged(certificate_id, _, verdict):
            became = {"flagged": "was flagged for review", "denied": "was refused"}
            return f"Certificate {certificate_id} {became.get(verdict, 'could not be read at 1099Policy')}."
        case e.AttachmentFetched(attachment_id, _, sha256):
            return f"Attachment {attachment_id} was downloaded and kept (SHA-256 {sha256[:12]}…)."
        case e.CertificateSubmitted(_, sha256):
            return f"A certificate was handed in (SHA-256 {sha256[:12]}…)."
        case e.CertificateUploaded(certificate_id, sha256):
            return f"Certificate {certificate_id} was uploaded for review (SHA-256 {sha256[:12]}…)."
        case e.InvoiceRequested():
            first, last = spoken(event.paycycle_startdate), spoken(event.paycycle_enddate)
            return f"Final pay of {usd(event.gross_pay)} is to be recorded, for {first} to {last}."
        case e.InvoiceRecorded(_, invoice_id):
            return f"Final pay was recorded as invoice {invoice_id}."
        case e.EngagementInsured(policy_id):
            return f"The engagement is insured by policy {policy_id}."
        case e.CertificateAccepted(certificate_id):
            return f"No policy stands; validated certificate {certificate_id} carries the engagement."
        case e.ReviewOpened(certificate_id):
            return f"Certificate {certificate_id} needs a review and nothing else covers."
        case e.CoverageLapsed(reason):
            return f"Cover lapsed. {clip(reason)}"
        case e.OptInShared():
            return "The opt-in was noted for the freelancer's other contracts."
        case e.DeadlinePassed(_, code, due_at):
            passed = labels.DEADLINES.get(code, f"A deadline passed: {code}")
            return f"{passed} (due {spoken(due_at)})."
        case e.EffectParked(step, kind, error):
            return f"The call to {labels.step(step)} ({kind}) was given up: {clip(error)}"
        case e.EffectSkipped(step, reason):
            return f"The call to {labels.step(step)} is left undone: {clip(reason)}"
        case e.HoldSkipped(code, reason):
            return f"Left as it is: {code.replace('_', ' ')}. {clip(reason)}"
        case e.RetryRequested(reason, steps):
            what = ", ".join(labels.step(step) for step in steps) or "the failed and held steps"
            return f"Asked to try again ({what}): {clip(reason)}"
        case _:
            assert_never(event)


def _named(event: e.OfferAccepted | e.ContractActivated) -> str:
    ids = (("offer", event.offer_id), ("freelancer", event.freelancer_id), ("client", event.client_id))
    known = ", ".join(f"{word} {id_}" for word, id_ in ids if id_)
    return f": {known}" if known else ""


def _window(window: Window) -> str:
    return f"from {spoken(window.starts_at)} to {spoken(window.ends_at)}"


def _moved(moved_from: int | None) -> str:
    if moved_from is None:
        return ""
    return f" The start of {spoken(moved_from)} was refused as past, so it was moved."


def pay(offered: Pay) -> str:
    """``75.00 USD/hour``: Upwork's own amount, untouched."""
    unit = "/hour" if offered.wage_type == "hourly" else " flat fee"
    return f"{offered.amount} {offered.currency or 'USD'}{unit}"


def _terms(terms: Terms) -> str:
    parts = [f"“{clip(terms.title, 120)}”" if terms.title else "no title"]
    parts.append(pay(terms.pay) if terms.pay else "no pay")
    parts.append(f"from {spoken(terms.starts_at)}" if terms.starts_at is not None else "no start date")
    parts.append(f"until {spoken(terms.ends_at)}" if terms.ends_at is not None else "no end date")
    files = len(terms.attachments)
    if files:
        parts.append(f"{files} attachment{'' if files == 1 else 's'}")
    return f"The contract was read back: {', '.join(parts)}."


def _planned(event: e.CoveragePlanned) -> str:
    parts = ["the contractor's record"] if event.contractor else []
    if event.job:
        job = event.job
        parts.append(f"a job at {wage(job.wage, job.wage_type)}, {job.category_code}, for {job.entity}")
    if event.window:
        kinds = f" ({', '.join(event.coverage_types)})" if event.coverage_types else ""
        parts.append(f"cover {_window(event.window)}{kinds}")
    return " ".join([f"Planned: {'; '.join(parts) or 'nothing new'}.", *event.notes])


def _activated(event: e.PolicyActivated) -> str:
    start = "" if event.effective_at is None else f" from {spoken(event.effective_at)}"
    end = "" if event.expires_at is None else f" until {spoken(event.expires_at)}"
    unknown = "" if event.effective_at is not None else " Its start is not known yet."
    return f"Policy {event.policy_id} is active{start}{end}.{unknown}"
