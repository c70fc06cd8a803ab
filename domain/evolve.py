"""evolve: an engagement and one recorded event make the engagement after it. Total, pure, and quick."""

from collections.abc import Iterable
from itertools import groupby
from typing import assert_never

from msgspec.structs import replace

from domain import events as e
from domain import lifecycle
from domain.assignments import assigned, noted, term_of
from domain.state import (
    Assignment,
    AssignmentNews,
    Certificate,
    CertificateFile,
    CertificateNews,
    Engagement,
    Freelancer,
    HeldSince,
    Invoice,
    Parked,
    Policy,
    PolicyNews,
    Term,
)
from domain.values import Hold, Terms, Value, Window


class Entry(Value, frozen=True):
    """An event with its place: ``version`` in its stream, ``at`` the instant it speaks of (epoch seconds)."""

    version: int
    at: int
    event: e.Event


def evolve(engagement: Engagement, entry: Entry) -> Engagement:
    """The engagement after ``entry``. Raises `ImpossibleTransition` for an event its state cannot take."""
    event = entry.event
    if isinstance(event, e.FreelancerEvent):
        raise TypeError(f"{type(event).__name__} belongs to a freelancer's stream")
    moved = replace(
        engagement,
        version=entry.version,
        state=lifecycle.move(engagement.state, type(event).__name__),
        latest_at=max(engagement.latest_at, entry.at),
    )
    return _fold(moved, event, entry)


def _fold(s: Engagement, event: e.EngagementEvent, entry: Entry) -> Engagement:
    match event:
        case e.OfferAccepted():
            return _names(s, event)
        case e.ContractActivated():
            return replace(_names(s, event), active=True)
        case e.ContractEnded(ended_at):
            return replace(s, ended_at=ended_at if s.ended_at is None else min(s.ended_at, ended_at))
        case e.TermsRead(terms):
            return _terms(s, terms)
        case e.CoveragePlanned():
            return replace(
                s,
                contractor=event.contractor or s.contractor,
                job=event.job or s.job,
                window=event.window or s.window,
                coverage_types=event.coverage_types or s.coverage_types,
                patience=event.patience or s.patience,
            )
        case e.CoverageRenewed(window):
            return _renewed(s, window)
        case e.HoldRaised(code, message, fix):
            return replace(s, holds={**s.holds, code: HeldSince(Hold(code, message, fix), entry.at)})
        case e.HoldCleared(code):
            return replace(s, holds={c: h for c, h in s.holds.items() if c != code})
        case e.ContractorReady(contractor_id, opted_in):
            return _done(
                replace(s, contractor_id=contractor_id, opted_in=s.opted_in or opted_in), "contractor"
            )
        case e.JobCreated(job_id):
            return _done(replace(s, job_id=job_id), "job")
        case e.QuoteCreated():
            quoted = Window(event.effective_date, event.end_date)
            return _done(replace(s, quote_id=event.quote_id, quoted=quoted), s.step("quote"))
        case e.QuoteWaived():
            return _done(replace(s, quote_waived=True, opted_in=True), s.step("quote"))
        case e.SessionOpened(session_id, url):
            opened = replace(s, session_id=session_id, session_url=url, session_opened_at=entry.at)
            return _done(opened, s.step("session"))
        case e.OptInNoted():
            return _done(replace(s, opted_in=True), s.step("session"))
        case e.AssignmentCreated():
            made = Assignment(
                event.assignment_id, event.policy_id, event.effective_date, event.end_date, entry.version
            )
            return _done(assigned(s, made), s.step("assignment", term_of(s, made.effective_date)))
        case e.AssignmentRefused(message):
            refused = replace(s, assignment_refused=message, assignment_refused_at=entry.at)
            return _done(refused, s.step("assignment"))
        case e.AssignmentCancelled(assignment_id, said_at, canceled_at):
            return noted(s, assignment_id, AssignmentNews(said_at, entry.version, canceled_at))
        case e.AssignmentChanged(assignment_id, said_at, effective_date, end_date):
            dates = Window(effective_date, end_date)
            return noted(s, assignment_id, AssignmentNews(said_at, entry.version, window=dates))
        case e.CoverageEnded():
            return _ended(s, event)
        case e.PolicyActivated() | e.PolicyExpired() | e.PolicyCanceled():
            return _policy(s, event, entry.version)
        case e.PolicyRead(policy_id):
            read = s.assignment and replace(s.assignment, policy_id=policy_id, policy_read=True)
            named = _done(replace(s, assignment=read), s.step(f"policy:{policy_id}"))
            return _done(named, s.step("policy:latest"))
        case e.CertificateValidated() | e.CertificateFlagged():
            return _certificate(s, event, entry.version)
        case e.AttachmentFetched(attachment_id, file_name, sha256):
            settled = replace(s, attachments_settled=(*s.attachments_settled, attachment_id))
            return _done(_file(settled, sha256, file_name), f"fetch:{attachment_id}")
        case e.CertificateSubmitted(file_name, sha256):
            return _file(s, sha256, file_name)
        case e.CertificateUploaded(certificate_id, sha256):
            file = replace(s.files[sha256], certificate_id=certificate_id, uploaded_at=entry.at)
            known = s.certificates.get(certificate_id) or Certificate(certificate_id)
            return _done(
                replace(
                    s,
                    files={**s.files, sha256: file},
                    certificates={**s.certificates, certificate_id: known},
                ),
                f"certificate:{sha256[:16]}",
            )
        case e.InvoiceRequested():
            invoice = Invoice(event.key, event.gross_pay, event.paycycle_startdate, event.paycycle_enddate)
            return replace(s, invoices={**s.invoices, event.key: invoice})
        case e.InvoiceRecorded(key, invoice_id):
            recorded = replace(s.invoices[key], invoice_id=invoice_id)
            return _done(replace(s, invoices={**s.invoices, key: recorded}), f"invoice:{key}")
        case e.EngagementInsured():
            return s
        case e.CertificateAccepted() | e.ReviewOpened() | e.CoverageLapsed():
            return replace(s, judged_at=max(s.judged_at, event.judged_at or 0))
        case e.OptInShared():
            return _done(replace(s, opt_in_shared=True), "share-opt-in")
        case e.DeadlinePassed(step, code):
            passed = replace(s, passed={**s.passed, step: entry.at})
            return replace(_restart(passed, ("read",)), rereading=True) if code == "renewal_due" else passed
        case e.EffectParked(step, kind, error):
            return replace(s, parked={**s.parked, step: Parked(kind, error, entry.at)})
        case e.EffectSkipped(step, reason):
            return replace(s, parked={**s.parked, step: replace(s.parked[step], skipped=reason)})
        case e.HoldSkipped(code, reason):
            return replace(s, holds={**s.holds, code: replace(s.holds[code], skipped=reason)})
        case e.RetryRequested(_, steps):
            return _retry(s, steps)
        case _:
            assert_never(event)


def _names(s: Engagement, event: e.OfferAccepted | e.ContractActivated) -> Engagement:
    if s.terms and s.freelancer_id is None and event.freelancer_id:
        s = replace(_restart(s, ("read",)), rereading=True)  # it was read without the freelancer
    return replace(
        s,
        offer_id=s.offer_id or event.offer_id,
        freelancer_id=s.freelancer_id or event.freelancer_id,
        client_id=s.client_id or event.client_id,
    )


def _terms(s: Engagement, terms: Terms) -> Engagement:
    files = {a.id: a for a in terms.attachments if a.may_be_certificate}
    if s.rereading:
        s = _restart(
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
    return _done(read, "read")


def _done(s: Engagement, step: str) -> Engagement:
    """No call for this step is given up any more, nor one that took it up again (``step:after-…``)."""
    if not s.parked:
        return s
    left = {k: v for k, v in s.parked.items() if k.partition(":after-")[0] != step}
    return s if len(left) == len(s.parked) else replace(s, parked=left)


def _renewed(s: Engagement, window: Window) -> Engagement:
    """The next term begins with nothing made for it; what was made before is kept for what it covers."""
    term = Term(s.quoted or s.window or window, s.quote_id, s.assignment, tuple(s.policies))
    opted_in = s.opted_in or any(n.kind == "active" for p in s.policies.values() for n in p.news)
    return replace(
        s,
        window=window,
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


def _ended(s: Engagement, event: e.CoverageEnded) -> Engagement:
    def cut(assignment: Assignment) -> Assignment:
        shortened = event.how == "assignment_shortened" and event.end_date is not None
        end_date = event.end_date if shortened and event.end_date is not None else assignment.end_date
        return replace(assignment, end_date=end_date, ended=True)

    if event.assignment_id is None:
        current = s.assignment and cut(s.assignment)
        return _done(replace(s, coverage_ended=event.how, assignment=current), s.step("end-coverage"))
    earlier = tuple(
        replace(t, assignment=cut(t.assignment))
        if t.assignment and t.assignment.assignment_id == event.assignment_id
        else t
        for t in s.earlier
    )
    ended = replace(s, earlier=earlier, coverage_ended=s.coverage_ended or event.how)
    return _done(ended, f"end-coverage:{event.assignment_id}")


def _file(s: Engagement, sha256: str, file_name: str) -> Engagement:
    if sha256 in s.files:
        return s
    return replace(s, files={**s.files, sha256: CertificateFile(sha256, file_name)})


def _policy(
    s: Engagement, event: e.PolicyActivated | e.PolicyExpired | e.PolicyCanceled, version: int
) -> Engagement:
    known = s.policies.get(event.policy_id) or Policy(event.policy_id)
    match event:
        case e.PolicyActivated():
            known = replace(known, quote_id=known.quote_id or event.quote_id)
            term = event.effective_at, event.expires_at
            told_so = {"resumed": event.resumed, "doubtful": event.doubtful}
            news = PolicyNews(event.said_at, version, "active", *term, **told_so)
        case e.PolicyExpired():
            over = event.ended_at
            news = PolicyNews(event.said_at, version, "expired", ended_at=over, read_back=event.read_back)
        case e.PolicyCanceled(_, said_at, ended_at, read_back, expires_at):
            dates = None, expires_at, ended_at
            news = PolicyNews(said_at, version, "canceled", *dates, read_back=read_back)
    told = in_order((*known.news, news))
    return replace(s, policies={**s.policies, event.policy_id: replace(known, news=told)})


def in_order(news: tuple[PolicyNews, ...]) -> tuple[PolicyNews, ...]:
    """By the vendor's clock, which counts whole seconds; within one the order of arrival says nothing.

    In one second no policy ends before it is active nor is resumed before it ends, and one that was active
    ends before it is active again; an end that was read back is later than all of these. Of several terms
    the earliest start is told last and wins: a reading later on may show a later one.
    """
    if len(news) == 1:
        return news
    told: list[PolicyNews] = []
    for _, second in groupby(sorted(news, key=_place), key=lambda n: n.said_at):
        running = bool(told) and told[-1].kind == "active"
        told += sorted(second, key=lambda n: _turn(n, running))
    return tuple(told)


def _turn(n: PolicyNews, running: bool) -> int:
    if n.kind != "active":
        return 3 if n.read_back else 1
    return 2 if n.resumed or running else 0


def _place(n: PolicyNews) -> tuple[int, ...]:
    times = (n.effective_at, n.expires_at, n.ended_at)
    return n.said_at, *map(_latest_first, times), n.kind == "expired", n.version


def _latest_first(t: int | None) -> int:
    """What is not known comes before what is."""
    return -(1 << 40) if t is None else -t


def _certificate(
    s: Engagement, event: e.CertificateValidated | e.CertificateFlagged, version: int
) -> Engagement:
    known = s.certificates.get(event.certificate_id) or Certificate(event.certificate_id)
    match event:
        case e.CertificateValidated():
            news = CertificateNews(event.said_at, version, "validated", event.valid_from, event.valid_until)
        case e.CertificateFlagged():
            news = CertificateNews(event.said_at, version, event.verdict)
    told = tuple(sorted((*known.news, news), key=_judged))
    return replace(s, certificates={**s.certificates, event.certificate_id: replace(known, news=told)})


def _judged(n: CertificateNews) -> tuple[int, ...]:
    """By the vendor's clock; within one second as a review goes: flagged, then validated, or else denied."""
    stage = {"flagged": 0, "validated": 1, "denied": 2}.get(n.verdict, 0)
    return n.said_at, stage, _latest_first(n.valid_from), _latest_first(n.valid_until), n.version


def mapped_steps(s: Engagement) -> tuple[str, ...]:
    """Steps whose content is mapped: a retry reads the contract again before it restarts them."""
    return "contractor", "job", s.step("quote")


def _retry(s: Engagement, only: tuple[str, ...]) -> Engagement:
    """Begin the steps asked for afresh, all of them where ``only`` names none, skipped ones among them."""
    asked = tuple(step for step in s.parked if not only or step in only)
    held = bool(s.holds) and (not only or "read" in only)
    s = _waiting_again(s, asked, s.holds if held else ())
    if s.over or s.terms is None or not (held or any(step in asked for step in mapped_steps(s))):
        return _restart(s, asked)
    others = tuple(step for step in asked if step not in (*mapped_steps(s), "read"))
    return replace(_restart(s, (*others, "read")), rereading=True)


def _waiting_again(s: Engagement, steps: Iterable[str], codes: Iterable[str]) -> Engagement:
    return replace(
        s,
        parked={**s.parked, **{step: replace(s.parked[step], skipped=None) for step in steps}},
        holds={**s.holds, **{code: replace(s.holds[code], skipped=None) for code in codes}},
    )


def _restart(s: Engagement, steps: tuple[str, ...]) -> Engagement:
    generations = {**s.generations, **{step: s.generation(step) + 1 for step in steps}}
    parked = {step: p for step, p in s.parked.items() if step not in steps}
    return replace(s, parked=parked, generations=generations)


def evolve_freelancer(freelancer: Freelancer, entry: Entry) -> Freelancer:
    """The freelancer after ``entry``."""
    event = entry.event
    s = replace(freelancer, version=entry.version)
    match event:
        case e.ContractorLinked(contractor_id, email):
            return replace(s, contractor_id=contractor_id, email=email)
        case e.FreelancerOptedIn(_, opted_in_at):
            return replace(s, opted_in_at=opted_in_at)
        case e.NameDecided(first_name, last_name):
            return replace(s, first_name=first_name, last_name=last_name)
        case _:
            raise TypeError(f"{type(event).__name__} belongs to an engagement's stream")
