"""What each event changes of an engagement that has moved already, so that its version is the event's.

Every fold takes the event and the instant it speaks of (epoch seconds).
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from domain import events as e
from domain import evidence
from domain.assignments import assigned, noted, term_of
from domain.retries import done, mapped_steps, restarted, retried
from domain.state import (
    Assignment,
    AssignmentNews,
    Certificate,
    CertificateFile,
    Engagement,
    HeldSince,
    Invoice,
    Parked,
    Term,
)
from domain.values import Hold, Window

# What Upwork told us.


def _begun(s: Engagement, event: e.OfferAccepted | e.ContractActivated, _: int) -> Engagement:
    if s.terms and s.freelancer_id is None and event.freelancer_id:
        s = replace(restarted(s, ("read",)), rereading=True)  # it was read without the freelancer
    return replace(
        s,
        offer_id=s.offer_id or event.offer_id,
        freelancer_id=s.freelancer_id or event.freelancer_id,
        client_id=s.client_id or event.client_id,
        active=s.active or type(event) is e.ContractActivated,
    )


def _over(s: Engagement, event: e.ContractEnded, _: int) -> Engagement:
    return replace(s, ended_at=event.ended_at if s.ended_at is None else min(s.ended_at, event.ended_at))


def _terms_read(s: Engagement, event: e.TermsRead, _: int) -> Engagement:
    terms = event.terms
    files = {a.id: a for a in terms.attachments if a.may_be_certificate}
    if s.rereading:
        s = restarted(
            s, tuple(step for step in mapped_steps(s) if step in s.parked and not s.parked[step].skipped)
        )
    read = replace(
        s,
        terms=terms,
        rereading=False,
        freelancer_id=s.freelancer_id or terms.freelancer_id,
        client_id=s.client_id or terms.client_id,
        attachments={**s.attachments, **files},
    )
    return done(read, "read")


# What we made of it.


def _planned(s: Engagement, event: e.CoveragePlanned, _: int) -> Engagement:
    return replace(
        s,
        contractor=event.contractor or s.contractor,
        job=event.job or s.job,
        window=event.window or s.window,
        coverage_types=event.coverage_types or s.coverage_types,
        patience=event.patience or s.patience,
    )


def _renewed(s: Engagement, event: e.CoverageRenewed, _: int) -> Engagement:
    """The next term begins with nothing made for it; what was made before is kept for what it covers."""
    term = Term(s.quoted or s.window or event.window, s.quote_id, s.assignment, tuple(s.policies))
    opted_in = s.opted_in or any(n.kind == "active" for p in s.policies.values() for n in p.news)
    return replace(
        s,
        window=event.window,
        earlier=(*s.earlier, term),
        opted_in=opted_in,
        quote_id=None,
        quote_waived=False,
        quoted=None,
        session_id=None,
        session_url=None,
        session_opened_at=None,
        assignment=None,
        assignment_refused=None,
        assignment_refused_at=None,
    )


def _held(s: Engagement, event: e.HoldRaised, at: int) -> Engagement:
    held = HeldSince(Hold(event.code, event.message, event.fix), at)
    return replace(s, holds={**s.holds, event.code: held})


def _settled(s: Engagement, event: e.HoldCleared, _: int) -> Engagement:
    return replace(s, holds={c: h for c, h in s.holds.items() if c != event.code})


# What 1099Policy answered to our calls.


def _contractor(s: Engagement, event: e.ContractorReady, _: int) -> Engagement:
    opted_in = s.opted_in or event.opted_in
    return done(replace(s, contractor_id=event.contractor_id, opted_in=opted_in), "contractor")


def _job(s: Engagement, event: e.JobCreated, _: int) -> Engagement:
    return done(replace(s, job_id=event.job_id), "job")


def _quote(s: Engagement, event: e.QuoteCreated, _: int) -> Engagement:
    quoted = Window(event.effective_date, event.end_date)
    return done(replace(s, quote_id=event.quote_id, quoted=quoted), s.step("quote"))


def _no_quote(s: Engagement, _event: e.QuoteWaived, _: int) -> Engagement:
    return done(replace(s, quote_waived=True, opted_in=True), s.step("quote"))


def _session(s: Engagement, event: e.SessionOpened, at: int) -> Engagement:
    opened = replace(s, session_id=event.session_id, session_url=event.url, session_opened_at=at)
    return done(opened, s.step("session"))


def _opted_in(s: Engagement, _event: e.OptInNoted, _: int) -> Engagement:
    return done(replace(s, opted_in=True), s.step("session"))


def _assignment(s: Engagement, event: e.AssignmentCreated, _: int) -> Engagement:
    made = Assignment(
        event.assignment_id, event.policy_id, event.effective_date, event.end_date, created_by=s.version
    )
    return done(assigned(s, made), s.step("assignment", term_of(s, made.effective_date)))


def _no_assignment(s: Engagement, event: e.AssignmentRefused, at: int) -> Engagement:
    refused = replace(s, assignment_refused=event.message, assignment_refused_at=at)
    return done(refused, s.step("assignment"))


def _ended(s: Engagement, event: e.CoverageEnded, _: int) -> Engagement:
    def cut(assignment: Assignment) -> Assignment:
        shortened = event.how == "assignment_shortened" and event.end_date is not None
        end_date = event.end_date if shortened and event.end_date is not None else assignment.end_date
        return replace(assignment, end_date=end_date, ended=True)

    if event.assignment_id is None:
        current = s.assignment and cut(s.assignment)
        return done(replace(s, coverage_ended=event.how, assignment=current), s.step("end-coverage"))
    earlier = tuple(
        replace(t, assignment=cut(t.assignment))
        if t.assignment and t.assignment.assignment_id == event.assignment_id
        else t
        for t in s.earlier
    )
    ended = replace(s, earlier=earlier, coverage_ended=s.coverage_ended or event.how)
    return done(ended, f"end-coverage:{event.assignment_id}")


# What 1099Policy told us.


def _assignment_cancelled(s: Engagement, event: e.AssignmentCancelled, _: int) -> Engagement:
    return noted(s, event.assignment_id, AssignmentNews(event.said_at, s.version, event.canceled_at))


def _assignment_changed(s: Engagement, event: e.AssignmentChanged, _: int) -> Engagement:
    dates = Window(event.effective_date, event.end_date)
    return noted(s, event.assignment_id, AssignmentNews(event.said_at, s.version, window=dates))


def _policy_read(s: Engagement, event: e.PolicyRead, _: int) -> Engagement:
    read = s.assignment and replace(s.assignment, policy_id=event.policy_id, policy_read=True)
    named = done(replace(s, assignment=read), s.step(f"policy:{event.policy_id}"))
    return done(named, s.step("policy:latest"))


# Certificates the contractor brings, and the invoice.


def _fetched(s: Engagement, event: e.AttachmentFetched, at: int) -> Engagement:
    settled = replace(s, attachments_settled=(*s.attachments_settled, event.attachment_id))
    return done(_file(settled, event, at), f"fetch:{event.attachment_id}")


def _file(s: Engagement, event: e.AttachmentFetched | e.CertificateSubmitted, _: int) -> Engagement:
    if event.sha256 in s.files:
        return s
    return replace(s, files={**s.files, event.sha256: CertificateFile(event.sha256, event.file_name)})


def _uploaded(s: Engagement, event: e.CertificateUploaded, at: int) -> Engagement:
    id, sha256 = event.certificate_id, event.sha256
    file = replace(s.files[sha256], certificate_id=id, uploaded_at=at)
    certificates = {**s.certificates, id: s.certificates.get(id) or Certificate(id)}
    uploaded = replace(s, files={**s.files, sha256: file}, certificates=certificates)
    return done(uploaded, f"certificate:{sha256[:16]}")


def _invoice(s: Engagement, event: e.InvoiceRequested, _: int) -> Engagement:
    invoice = Invoice(event.key, event.gross_pay, event.paycycle_startdate, event.paycycle_enddate)
    return replace(s, invoices={**s.invoices, event.key: invoice})


def _invoiced(s: Engagement, event: e.InvoiceRecorded, _: int) -> Engagement:
    recorded = replace(s.invoices[event.key], invoice_id=event.invoice_id)
    return done(replace(s, invoices={**s.invoices, event.key: recorded}), f"invoice:{event.key}")


# Verdicts.


def _insured(s: Engagement, _event: e.EngagementInsured, _: int) -> Engagement:
    return s


def _judged(
    s: Engagement, event: e.CertificateAccepted | e.ReviewOpened | e.CoverageLapsed, _: int
) -> Engagement:
    return replace(s, judged_at=max(s.judged_at, event.judged_at or 0))


# Time, effects and people.


def _deadline(s: Engagement, event: e.DeadlinePassed, at: int) -> Engagement:
    passed = replace(s, passed={**s.passed, event.step: at})
    return replace(restarted(passed, ("read",)), rereading=True) if event.code == "renewal_due" else passed


def _shared(s: Engagement, _event: e.OptInShared, _: int) -> Engagement:
    return done(replace(s, opt_in_shared=True), "share-opt-in")


def _parked(s: Engagement, event: e.EffectParked, at: int) -> Engagement:
    return replace(s, parked={**s.parked, event.step: Parked(event.kind, event.error, at)})


def _effect_skipped(s: Engagement, event: e.EffectSkipped, _: int) -> Engagement:
    skipped = replace(s.parked[event.step], skipped=event.reason)
    return replace(s, parked={**s.parked, event.step: skipped})


def _hold_skipped(s: Engagement, event: e.HoldSkipped, _: int) -> Engagement:
    return replace(s, holds={**s.holds, event.code: replace(s.holds[event.code], skipped=event.reason)})


def _retried(s: Engagement, event: e.RetryRequested, _: int) -> Engagement:
    return retried(s, event.steps)


FOLDS: Mapping[type[e.Event], Callable[[Engagement, Any, int], Engagement]] = {
    e.OfferAccepted: _begun,
    e.ContractActivated: _begun,
    e.ContractEnded: _over,
    e.TermsRead: _terms_read,
    e.CoveragePlanned: _planned,
    e.CoverageRenewed: _renewed,
    e.HoldRaised: _held,
    e.HoldCleared: _settled,
    e.ContractorReady: _contractor,
    e.JobCreated: _job,
    e.QuoteCreated: _quote,
    e.QuoteWaived: _no_quote,
    e.SessionOpened: _session,
    e.OptInNoted: _opted_in,
    e.AssignmentCreated: _assignment,
    e.AssignmentRefused: _no_assignment,
    e.AssignmentCancelled: _assignment_cancelled,
    e.AssignmentChanged: _assignment_changed,
    e.CoverageEnded: _ended,
    e.PolicyActivated: evidence.policy_active,
    e.PolicyExpired: evidence.policy_expired,
    e.PolicyCanceled: evidence.policy_canceled,
    e.PolicyRead: _policy_read,
    e.CertificateValidated: evidence.certificate_validated,
    e.CertificateFlagged: evidence.certificate_flagged,
    e.AttachmentFetched: _fetched,
    e.CertificateSubmitted: _file,
    e.CertificateUploaded: _uploaded,
    e.InvoiceRequested: _invoice,
    e.InvoiceRecorded: _invoiced,
    e.EngagementInsured: _insured,
    e.CertificateAccepted: _judged,
    e.ReviewOpened: _judged,
    e.CoverageLapsed: _judged,
    e.DeadlinePassed: _deadline,
    e.OptInShared: _shared,
    e.EffectParked: _parked,
    e.EffectSkipped: _effect_skipped,
    e.HoldSkipped: _hold_skipped,
    e.RetryRequested: _retried,
}
