"""react: which effects an engagement's state asks for; a command that makes one wanted starts it."""

from collections.abc import Iterator

from domain import effects as x
from domain.assignments import dates_of, runs_on
from domain.coverage import policy_spans, spans
from domain.deadlines import ahead
from domain.lifecycle import COI_VALIDATED, INSURED, UNSEEN
from domain.mapping import DATING, FREELANCER_MISSING, HIRING, NAMING
from domain.state import Engagement, Policy, PolicyNews


def react(before: Engagement, after: Engagement) -> tuple[x.Wanted, ...]:
    """The effects that ``after`` wants and ``before`` did not: in one life no (step, generation) twice."""
    asked = {(step, before.generation(step)) for step, _, _ in _wanted(before)}
    steps = (one for one in _wanted(after) if (one[0], after.generation(one[0])) not in asked)
    return tuple(_numbered(after, *one) for one in steps)


def still_wanted(engagement: Engagement, step: str, generation: int) -> bool:
    """Whether an effect started earlier still makes sense: asked before every call."""
    return any(step == one and generation == engagement.generation(one) for one, _, _ in _wanted(engagement))


def wanted(s: Engagement) -> tuple[x.Wanted, ...]:
    """Every effect the state asks for, done ones no longer among them."""
    return tuple(_numbered(s, *one) for one in _wanted(s))


_Step = tuple[str, x.Effect, int | None]


def _numbered(s: Engagement, step: str, effect: x.Effect, due_at: int | None) -> x.Wanted:
    generation = s.generation(step)
    return x.Wanted(step, generation, effect, idempotency_key(s, step, generation), due_at)


def idempotency_key(s: Engagement, step: str, generation: int) -> str:
    """The key of a step, the same on every try (guide 4.1, fact sheet section 10, rows 9–10)."""
    deed = step.partition(":after-certificate")[0]
    base = (
        f"upwork-freelancer-{s.freelancer_id}"
        if step == "contractor"
        else f"upwork-contract-{s.engagement_id}-{deed.replace(':', '-')}"
    )
    return base if generation == 1 else f"{base}-{generation}"


def _wanted(s: Engagement) -> Iterator[_Step]:
    if s.state == UNSEEN:
        return
    if s.over:
        yield from _after_the_end(s)
    else:
        yield from _towards_a_quote(s)
        yield from _towards_cover(s)
        yield from _certificates(s)
        yield from _timers(s)
    yield from _whatever_the_state(s)


def _towards_a_quote(s: Engagement) -> Iterator[_Step]:
    held = s.holds.keys()  # a plan made before the hold is out of date: it waits
    if s.rereading or (s.terms is None and (s.freelancer_id or FREELANCER_MISSING.code not in held)):
        yield "read", x.ReadContract(s.engagement_id, s.freelancer_id), None
    if s.contractor and s.contractor_id is None and s.freelancer_id and not held & NAMING:
        yield "contractor", x.EnsureContractor(s.freelancer_id, s.contractor), None
    if s.job and s.job_id is None and not held & HIRING:
        yield "job", x.CreateJob(s.engagement_id, s.job), None
    if s.contractor_id and s.job_id and s.window and not s.quote_settled and not held & DATING:
        quote = x.CreateQuote(s.engagement_id, s.contractor_id, s.job_id, s.coverage_types, s.window)
        yield s.step("quote"), quote, None


def _towards_cover(s: Engagement) -> Iterator[_Step]:
    if not s.quote_settled or s.contractor_id is None or s.job_id is None or s.freelancer_id is None:
        return
    if _needs_session(s) and s.quote_id:
        may_have = s.assignment_refused is None and s.assignment is None
        step = s.step("session") if may_have else f"{s.step('session')}:after-refusal"
        yield step, x.OpenSession(s.engagement_id, s.freelancer_id, s.quote_id, may_have), None
    if _needs_assignment(s):
        window = s.quoted or s.window
        assert window is not None
        assign = x.CreateAssignment(s.engagement_id, s.contractor_id, s.job_id, s.coverage_types, window)
        yield _assignment_step(s), assign, None


def _needs_session(s: Engagement) -> bool:
    asked = s.assignment_refused is not None or not s.has_opted_in or _falls_short(s)
    return asked and s.session_id is None and not s.new_policies


def _falls_short(s: Engagement) -> bool:
    """The assignment of a renewal came under a policy that ends before it: only a session binds another."""
    made = s.assignment
    if not s.earlier or made is None or not made.policy_read:
        return False
    ends = [span.end for policy in s.policies.values() for span in policy_spans(policy)]
    return all(end is not None and end <= made.effective_date for end in ends)


def _needs_assignment(s: Engagement) -> bool:
    return (
        s.has_opted_in
        and s.active
        and s.assignment is None
        and s.assignment_refused is None
        and not s.new_policies
        and s.state != COI_VALIDATED
        and (s.quoted or s.window) is not None
    )


def _assignment_step(s: Engagement) -> str:
    """One that a certificate made needless, and then did not, is a new step but the same deed (and key)."""
    approvals = len([n for c in s.certificates.values() for n in c.news if n.verdict == "validated"])
    step = s.step("assignment")
    return f"{step}:after-certificate-{approvals}" if approvals else step


def _policies_to_read(s: Engagement, contractor_id: str) -> Iterator[_Step]:
    """Every piece of news without dates is read back once, and so is the policy of an assignment."""
    for policy in s.policies.values():
        asked = _undated(s, policy)
        if asked is not None:
            read = x.ConfirmPolicy(contractor_id, policy.policy_id, asked.said_at)
            yield f"policy:{policy.policy_id}:{asked.version}", read, None
    made = s.assignment
    if made and not made.policy_read:
        yield (
            s.step(f"policy:{made.policy_id or 'latest'}"),
            x.ConfirmPolicy(contractor_id, made.policy_id, None),
            None,
        )


def _undated(s: Engagement, policy: Policy) -> PolicyNews | None:
    """The news that leaves a term of this policy without a start, or a running one without an end."""
    terms = (x for x in spans(s) if x.source == "policy" and x.id == policy.policy_id)
    if not any(term.start is None or term.end is None for term in terms):
        return None
    active = (n for n in policy.news if n.kind == "active" and None in (n.effective_at, n.expires_at))
    return max(active, key=lambda n: n.version, default=None)


def _certificates(s: Engagement) -> Iterator[_Step]:
    for attachment in s.attachments.values():
        if attachment.id not in s.attachments_settled:
            yield f"fetch:{attachment.id}", x.FetchAttachment(attachment), None
    for file in s.files.values():
        if file.certificate_id is None and s.contractor_id:
            upload = x.UploadCertificate(s.engagement_id, s.contractor_id, file.sha256, file.file_name)
            yield f"certificate:{file.sha256[:16]}", upload, None


def _timers(s: Engagement) -> Iterator[_Step]:
    source = {INSURED: "policy", COI_VALIDATED: "certificate"}.get(s.state)
    ends = [span.end for span in spans(s) if span.source == source]
    if ends and None not in ends:
        due_at = max(end for end in ends if end is not None)
        yield f"wake:{due_at}:{_told(s)}", x.WakeUp(due_at), due_at
    for deadline in ahead(s):
        watch = x.WatchDeadline(deadline.step, deadline.due_at, deadline.by_vendor)
        yield deadline.step, watch, deadline.due_at


def _told(s: Engagement) -> int:
    """How much was told of what may cover: a timer set again for the same hour is another one."""
    of_policies = sum(len(p.news) for p in s.policies.values())
    of_certificates = sum(len(c.news) for c in s.certificates.values())
    of_assignments = sum(len(news) for news in s.assignment_news.values()) + len(s.assignments)
    return of_policies + of_certificates + of_assignments + len(s.earlier)


def _after_the_end(s: Engagement) -> Iterator[_Step]:
    if s.job_id is None or s.ended_at is None:
        return
    for made in s.assignments:
        if made is not s.assignment and not made.ended and runs_on(s, made, s.ended_at):
            starts_at = dates_of(s, made).starts_at
            end = x.EndCoverage(s.job_id, made.assignment_id, starts_at, s.ended_at, earlier=True)
            yield f"end-coverage:{made.assignment_id}", end, None
    bound = s.assignment is not None or any(p.news for p in s.new_policies.values())
    dates = dates_of(s, s.assignment) if s.assignment else s.quoted
    done = s.assignment.ended if s.assignment else s.coverage_ended
    if not bound or dates is None or done:
        return
    assignment_id = s.assignment.assignment_id if s.assignment else None
    if assignment_id is None and s.ended_at >= dates.starts_at:
        return  # a session's policy that has begun is left to its own end: nothing to call
    if s.assignment and not runs_on(s, s.assignment, s.ended_at):
        return  # the assignment was over before the contract: it must not be drawn out
    end = x.EndCoverage(s.job_id, assignment_id, dates.starts_at, s.ended_at)
    yield s.step("end-coverage"), end, None


def _whatever_the_state(s: Engagement) -> Iterator[_Step]:
    if s.contractor_id:
        yield from _policies_to_read(s, s.contractor_id)
    bound = next((p.policy_id for p in s.policies.values() if _active_news(s, p.policy_id)), None)
    if bound and s.freelancer_id and not s.opt_in_shared:
        yield "share-opt-in", x.ShareOptIn(s.freelancer_id, bound), None
    for invoice in s.invoices.values():
        if invoice.invoice_id is None and s.contractor_id and s.job_id:
            record = x.RecordInvoice(
                invoice.key,
                s.contractor_id,
                s.job_id,
                invoice.gross_pay,
                invoice.paycycle_startdate,
                invoice.paycycle_enddate,
            )
            yield f"invoice:{invoice.key}", record, None


def _active_news(s: Engagement, policy_id: str) -> bool:
    return any(news.kind == "active" for news in s.policies[policy_id].news)
