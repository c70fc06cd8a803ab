"""decide: a command and an engagement make the events to record, facts first and then the verdict."""

from dataclasses import replace
from typing import assert_never

from domain import commands as c
from domain import events as e
from domain.assignments import canceled_at, dates_of, is_news
from domain.coverage import standing, vendor_time
from domain.deadlines import deadlines, renewal_passed, runs_beyond
from domain.errors import NotKnown, Refused
from domain.evolve import Entry, evolve
from domain.lifecycle import COI_VALIDATED, ENDED, INSURED, LAPSED, UNDER_REVIEW, UNSEEN
from domain.mapping import (
    DATING,
    FREELANCER_MISSING,
    HIRING,
    NAMING,
    OVER_A_YEAR,
    Mapped,
    map_engagement,
    next_window,
)
from domain.rules import Rules
from domain.state import Certificate, Engagement, Freelancer
from domain.values import Hold, KnownContractor, Value, Window


class Decision(Value, frozen=True):
    """The events to record, in order, and the engagement after them."""

    events: tuple[e.Event, ...]
    after: Engagement


def decide(engagement: Engagement, command: c.EngagementCommand, rules: Rules) -> Decision:
    """What ``command`` means for ``engagement``, as a pure function of the three arguments.

    No events means that the news is already known. Raises `NotKnown` when the command speaks to an
    engagement no news has begun, and `Refused` when a person asks for what cannot be.
    """
    if engagement.state == UNSEEN and not isinstance(
        command, c.AcceptOffer | c.ActivateContract | c.EndContract
    ):
        raise NotKnown(engagement_id=engagement.engagement_id)
    facts = _facts(engagement, command)
    after = _folded(engagement, facts, command.at)
    if isinstance(command, c.RecordTerms):
        planned = _plan(after, command.known, rules, command.there or command.at)
        facts, after = (*facts, *planned), _folded(after, planned, command.at)
    else:
        named = _freelancer_hold(after, rules)
        facts, after = (*facts, *named), _folded(after, named, command.at)
    if facts or isinstance(command, c.Reassess):
        passed = command.at if isinstance(command, c.Reassess) else None
        verdict = (*_verdict(after, _judged_at(after, command), passed), *_ending(after))
        facts, after = (*facts, *verdict), _folded(after, verdict, command.at)
    return Decision(facts, after)


def _folded(engagement: Engagement, events: tuple[e.Event, ...], at: int) -> Engagement:
    for event in events:
        engagement = evolve(engagement, Entry(engagement.version + 1, at, event))
    return engagement


def _facts(s: Engagement, command: c.EngagementCommand) -> tuple[e.EngagementEvent, ...]:
    match command:
        case c.AcceptOffer(_, offer_id, freelancer_id, client_id):
            return (e.OfferAccepted(offer_id, freelancer_id, client_id),)
        case c.ActivateContract(_, offer_id, freelancer_id, client_id):
            return (e.ContractActivated(offer_id, freelancer_id, client_id),)
        case c.EndContract(_, ended_at):
            return (e.ContractEnded(ended_at),)
        case c.NotePolicyActive(at, policy_id, quote_id, effective_at, expires_at):
            term = effective_at, expires_at
            return (e.PolicyActivated(policy_id, at, quote_id, *term, command.resumed, command.doubtful),)
        case c.NotePolicyOver(at, policy_id, ended_at, False, read_back):
            return (e.PolicyExpired(policy_id, at, ended_at, read_back),)
        case c.NotePolicyOver(at, policy_id, ended_at, _, read_back, expires_at):
            return (e.PolicyCanceled(policy_id, at, ended_at, read_back, expires_at),)
        case c.RecordPolicy(_, policy_id, news):
            facts = tuple(fact for told in news if not _recorded(s, told) for fact in _facts(s, told))
            return (*facts, *((e.PolicyRead(policy_id),) if awaits_policy(s, policy_id) else ()))
        case c.NoteCertificateValidated(at, certificate_id, valid_from, valid_until):
            begins = at if valid_from is None else valid_from
            return (e.CertificateValidated(certificate_id, at, begins, valid_until),)
        case c.NoteCertificateFlagged(at, certificate_id, verdict):
            return (e.CertificateFlagged(certificate_id, at, verdict),)
        case c.NoteAssignmentCancelled(at, assignment_id, since):
            told = canceled_at(s, assignment_id)
            known = _canceled_by_us(s, assignment_id) or (told is not None and told <= since)
            return () if known else (e.AssignmentCancelled(assignment_id, at, since),)
        case c.NoteAssignmentChanged():
            return _redated(s, command)
        case c.RecordTerms(_, terms):
            return (e.TermsRead(terms),)
        case c.ConfirmContractor(_, contractor_id, opted_in):
            known = s.contractor_id is not None
            return () if known else (e.ContractorReady(contractor_id, opted_in),)
        case c.ConfirmJob(_, job_id):
            return () if s.job_id else (e.JobCreated(job_id),)
        case c.ConfirmQuote(_, quote_id, effective_date, end_date, moved_from):
            quoted = e.QuoteCreated(quote_id, effective_date, end_date, moved_from)
            return () if s.quote_id else (quoted,)
        case c.WaiveQuote(_, reason):
            return () if s.quote_settled else (e.QuoteWaived(reason),)
        case c.ConfirmSession(_, session_id, url):
            return () if s.session_id else (e.SessionOpened(session_id, url),)
        case c.NoteOptIn():
            return () if s.opted_in or s.over else (e.OptInNoted(),)
        case c.ConfirmAssignment(_, assignment_id, policy_id, effective_date, end_date, moved_from):
            made = e.AssignmentCreated(assignment_id, policy_id, effective_date, end_date, moved_from)
            return (made,) if is_news(s, assignment_id, effective_date) else ()
        case c.NoteAssignmentRefused(_, message, assignment_id):
            return () if s.assignment_refused else (e.AssignmentRefused(message, assignment_id),)
        case c.ConfirmCoverageEnded(_, how, end_date, assignment_id):
            known = _coverage_ended(s, assignment_id)
            return () if known else (e.CoverageEnded(how, end_date, assignment_id),)
        case c.ConfirmOptInShared():
            return () if s.opt_in_shared else (e.OptInShared(),)
        case c.ConfirmAttachmentFetched(_, attachment_id, file_name, sha256):
            known = attachment_id in s.attachments_settled
            return () if known else (e.AttachmentFetched(attachment_id, file_name, sha256),)
        case c.ConfirmCertificateUploaded(_, certificate_id, sha256):
            file = s.files.get(sha256)
            known = file is None or file.certificate_id is not None
            return () if known else (e.CertificateUploaded(certificate_id, sha256),)
        case c.ConfirmInvoice(_, key, invoice_id):
            invoice = s.invoices.get(key)
            known = invoice is None or invoice.invoice_id is not None
            return () if known else (e.InvoiceRecorded(key, invoice_id),)
        case c.ParkEffect(_, step, kind, error):
            return (e.EffectParked(step, kind, error),)
        case c.Reassess():
            return ()
        case c.PassDeadline(_, step):
            due = next((d for d in deadlines(s) if d.step == step and step not in s.passed), None)
            return () if due is None else (e.DeadlinePassed(step, due.code, due.due_at),)
        case c.SubmitCertificate(_, file_name, sha256):
            return _submitted(s, file_name, sha256)
        case c.RequestInvoice():
            return _invoiced(s, command)
        case c.RequestRetry(_, reason, steps):
            return _retried(s, reason, steps)
        case c.SkipEffect(_, step, reason):
            return _effect_skipped(s, step, reason)
        case c.SkipHold(_, code, reason):
            return _hold_skipped(s, code, reason)
        case _:
            assert_never(command)


def awaits_policy(s: Engagement, policy_id: str) -> bool:
    """Whether this is the policy an assignment covers under, and it was not read back yet."""
    made = s.assignment
    return made is not None and not made.policy_read and made.policy_id in (None, policy_id)


def _canceled_by_us(s: Engagement, assignment_id: str) -> bool:
    """Because the contract ended before the current term's cover began."""
    earlier = {a.assignment_id for a in s.assignments if a is not s.assignment}
    return s.coverage_ended == "canceled_by_job" and assignment_id not in earlier


def _redated(s: Engagement, shown: c.NoteAssignmentChanged) -> tuple[e.EngagementEvent, ...]:
    made = next((a for a in s.assignments if a.assignment_id == shown.assignment_id), None)
    dates = Window(shown.effective_date, shown.end_date)
    if made is None or dates_of(s, made) == dates:
        return ()
    return (e.AssignmentChanged(shown.assignment_id, shown.at, dates.starts_at, dates.ends_at),)


def _recorded(s: Engagement, told: c.NotePolicyActive | c.NotePolicyOver) -> bool:
    """Whether the very same news of the policy is on record."""
    policy = s.policies.get(told.policy_id)
    then = [n for n in policy.news if n.said_at == told.at] if policy else []
    if isinstance(told, c.NotePolicyActive):
        term = (told.effective_at, told.expires_at, told.resumed)
        return any(n.kind == "active" and (n.effective_at, n.expires_at, n.resumed) == term for n in then)
    end = ("canceled" if told.canceled else "expired", told.ended_at, told.read_back, told.expires_at)
    return any((n.kind, n.ended_at, n.read_back, n.expires_at) == end for n in then)


def _coverage_ended(s: Engagement, assignment_id: str | None) -> bool:
    """Whether it is on record that this assignment was ended; None is the current term's cover."""
    if assignment_id is None:
        return s.assignment.ended if s.assignment else s.coverage_ended is not None
    return any(made.ended for made in s.assignments if made.assignment_id == assignment_id)


def _submitted(s: Engagement, file_name: str, sha256: str) -> tuple[e.EngagementEvent, ...]:
    if s.over:
        raise Refused(reason=f"Engagement {s.engagement_id} has ended: no certificate can be added to it.")
    return () if sha256 in s.files else (e.CertificateSubmitted(file_name, sha256),)


def _invoiced(s: Engagement, command: c.RequestInvoice) -> tuple[e.EngagementEvent, ...]:
    if s.contractor_id is None or s.job_id is None:
        raise Refused(
            reason=f"Engagement {s.engagement_id} has no contractor and job at 1099Policy yet; "
            "record the invoice once it is quoted."
        )
    known = s.invoices.get(command.key)
    asked = (command.gross_pay, command.paycycle_startdate, command.paycycle_enddate)
    if known is not None:
        if (known.gross_pay, known.paycycle_startdate, known.paycycle_enddate) != asked:
            raise Refused(
                reason="This Idempotency-Key was used for another invoice; send this one with its own."
            )
        return ()
    return (
        e.InvoiceRequested(
            command.key, command.gross_pay, command.paycycle_startdate, command.paycycle_enddate
        ),
    )


def _retried(s: Engagement, reason: str, steps: tuple[str, ...]) -> tuple[e.EngagementEvent, ...]:
    """Of the steps that are asked for by name those that still wait; none of them: it is settled."""
    waiting = tuple(step for step in steps if step in s.parked or (step == "read" and s.holds))
    return () if steps and not waiting else (e.RetryRequested(reason, waiting),)


def _effect_skipped(s: Engagement, step: str, reason: str) -> tuple[e.EngagementEvent, ...]:
    parked = s.parked.get(step)
    if parked is None:
        raise Refused(reason="No call of this engagement was given up under this step.")
    return () if parked.skipped else (e.EffectSkipped(step, reason),)


def _hold_skipped(s: Engagement, code: str, reason: str) -> tuple[e.EngagementEvent, ...]:
    held = s.holds.get(code)
    if held is None:
        raise Refused(reason="This engagement is not held under this code.")
    return () if held.skipped else (e.HoldSkipped(code, reason),)


def _freelancer_hold(s: Engagement, rules: Rules) -> tuple[e.EngagementEvent, ...]:
    """Where the contract names its freelancer it is read first (see `react`)."""
    unread = rules.contract_names_freelancer and s.terms is None
    missing = s.freelancer_id is None and not s.over and not unread
    return _holds(s, (FREELANCER_MISSING,) if missing else (), {FREELANCER_MISSING.code})


def _holds(s: Engagement, now: tuple[Hold, ...], among: set[str]) -> tuple[e.EngagementEvent, ...]:
    """Raise what is new or says something else now, clear what is settled; only codes in ``among``."""
    raised = [h for h in now if h.code not in s.holds or s.holds[h.code].hold != h]
    cleared = [code for code in s.holds if code in among and code not in {h.code for h in now}]
    return (
        *(e.HoldCleared(code) for code in cleared),
        *(e.HoldRaised(h.code, h.message, h.fix) for h in raised),
    )


def _plan(s: Engagement, known: KnownContractor, rules: Rules, now: int) -> tuple[e.EngagementEvent, ...]:
    """Map the contract just read; each part is planned while nothing has been made of it yet."""
    if s.terms is None or s.over:
        return ()
    if s.freelancer_id is None:
        return _freelancer_hold(s, rules)
    names = (known.first_name, known.last_name)
    decided = (names[0], names[1]) if names[0] and names[1] else None
    mapped = map_engagement(s.engagement_id, s.freelancer_id, s.client_id, s.terms, decided, rules, now)
    ready = known.contractor_id is not None or s.contractor_id is not None
    renewed = next_window(s.terms, s.quoted or s.window, rules, now) if renewal_passed(s) else None
    if s.earlier and not s.quote_settled:  # a renewal that waited: its dates may be past by now
        mapped = replace(mapped, window=next_window(s.terms, s.earlier[-1].window, rules, now))
    done = {
        *(NAMING if ready else ()),
        *(HIRING if s.job_id else ()),
        *(DATING if s.quote_settled or s.earlier else ()),
        *({OVER_A_YEAR.code} if _reaches_the_end(s, renewed) else ()),
    }
    holds = tuple(h for h in mapped.holds if h.code not in done)
    events: list[e.EngagementEvent] = []
    plan = _new_parts(s, mapped, ready, rules)
    if plan is not None:
        events.append(plan)
    if renewed is not None:
        events.append(e.CoverageRenewed(renewed))
    if known.contractor_id and s.contractor_id is None:
        events.append(e.ContractorReady(known.contractor_id, known.opted_in))
    events += _holds(s, holds, set(s.holds))
    return tuple(events)


def _new_parts(s: Engagement, mapped: Mapped, ready: bool, rules: Rules) -> e.CoveragePlanned | None:
    contractor = None if ready or mapped.contractor == s.contractor else mapped.contractor
    job = None if s.job_id or mapped.job == s.job else mapped.job
    window = None if s.quote_settled or mapped.window == s.window else mapped.window
    if contractor is None and job is None and window is None:
        return None
    return e.CoveragePlanned(contractor, job, window, rules.coverage_types, mapped.notes, rules.patience)


def _reaches_the_end(s: Engagement, renewed: Window | None) -> bool:
    """Whether the terms that were asked for, this renewal among them, reach the contract's own end."""
    last = renewed or (s.window if s.earlier else None)
    return last is not None and not runs_beyond(s, last)


def _judged_at(s: Engagement, command: c.EngagementCommand) -> int:
    """The instant a verdict is given for: by the vendor's clock, no earlier than its latest news.

    Time alone changes a verdict only when a stored timer says that it has passed; it never comes back.
    """
    passed = command.at if isinstance(command, c.Reassess) else 0
    return max(vendor_time(s), passed) or command.at


def _verdict(s: Engagement, at: int, passed: int | None) -> tuple[e.EngagementEvent, ...]:
    """What the evidence adds up to at ``at``; ``passed`` is that instant where time alone was the news."""
    if s.state in (UNSEEN, ENDED):
        return ()
    span = standing(s, at)
    ended = any(p.news for p in s.policies.values())
    flagged = _under_review(s, denied_too=not ended)
    if span is not None and span.source == "policy":
        return () if s.state == INSURED else (e.EngagementInsured(span.id),)
    if span is not None:
        return () if s.state == COI_VALIDATED else (e.CertificateAccepted(span.id, passed),)
    if flagged is not None:
        return () if s.state == UNDER_REVIEW else (e.ReviewOpened(flagged.certificate_id, passed),)
    if ended or _unassigned(s) or any(x.news for x in s.certificates.values()):
        return () if s.state == LAPSED else (e.CoverageLapsed(_why_lapsed(s), passed),)
    return ()


def _unassigned(s: Engagement) -> bool:
    return any(canceled_at(s, made.assignment_id) is not None for made in s.assignments)


def _under_review(s: Engagement, *, denied_too: bool) -> Certificate | None:
    """A certificate that waits for a person; a refused one counts only where no policy has ever been."""
    judged = [x for x in s.certificates.values() if x.news and x.verdict != "validated"]
    return next((x for x in judged if x.verdict == "flagged" or denied_too), None)


def _ending(s: Engagement) -> tuple[e.EngagementEvent, ...]:
    """A policy bound by a session that has begun is left to its own end: nothing to call, only to say."""
    bound = any(n.kind == "active" for p in s.policies.values() for n in p.news)
    first = s.earlier[0].window if s.earlier else s.quoted
    if not s.over or s.coverage_ended or not bound or s.assignments or first is None:
        return ()
    begun = s.ended_at is not None and s.ended_at >= first.starts_at
    return (e.CoverageEnded("left_to_its_end"),) if begun else ()


def _why_lapsed(s: Engagement) -> str:
    last = max(
        (n for p in s.policies.values() for n in p.news), key=lambda n: (n.said_at, n.version), default=None
    )
    if _unassigned(s) and (last is None or last.kind == "active"):
        return "The assignment was cancelled at 1099Policy and nothing else covers."
    if last is None:
        return "The certificate's validity has ended and nothing else covers."
    how = {"active": "has run out", "expired": "expired", "canceled": "was cancelled"}[last.kind]
    return f"The policy {how} and nothing else covers."


def decide_freelancer(freelancer: Freelancer, command: c.FreelancerCommand) -> tuple[e.FreelancerEvent, ...]:
    """What ``command`` means for the freelancer; nothing when it is already known."""
    match command:
        case c.LinkContractor(_, contractor_id, email):
            known = freelancer.contractor_id is not None
            return () if known else (e.ContractorLinked(contractor_id, email),)
        case c.RecordOptIn(at, policy_id):
            known = freelancer.opted_in_at is not None
            return () if known else (e.FreelancerOptedIn(policy_id, at),)
        case c.DecideName(_, first_name, last_name):
            known = (freelancer.first_name, freelancer.last_name) == (first_name, last_name)
            return () if known else (e.NameDecided(first_name, last_name),)
        case _:
            assert_never(command)
