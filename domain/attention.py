"""What a person must look at on one engagement, in words."""

from dataclasses import dataclass

from domain.assignments import canceled_at
from domain.coverage import carried_until, instant, spans
from domain.deadlines import deadlines, is_renewal, runs_beyond
from domain.lifecycle import ASSIGNED, LAPSED, QUOTED, UNDER_REVIEW
from domain.react import still_wanted
from domain.retries import mapped_steps
from domain.state import Engagement


@dataclass(frozen=True, slots=True)
class Attention:
    """``code`` is stable; ``since`` in epoch seconds; ``clears`` says what will make it go away."""

    code: str
    message: str
    since: int
    clears: str
    step: str | None = None


UNMOVED_BY_RETRY = frozenset(
    {
        *("opt_in_overdue", "review_overdue", "expiry_coming", "coverage_lapsed"),
        *("certificate_flagged", "certificate_denied", "assignment_refused"),
    }
)
"""Codes of what no call made again can settle; all others are holds and calls that were given up."""


def attention(s: Engagement) -> tuple[Attention, ...]:
    """Everything that waits for a person: not what one decided to leave undone, nor what is tried again.

    A call that was given up counts while its deed is still to be done: after the contract's end that is
    an invoice or the end of coverage at most.
    """
    if s.state not in _UNCOVERED and not (s.holds or s.parked or s.passed or s.assignment_refused):
        return ()
    holds = (
        ()
        if s.over or s.rereading
        else tuple(
            Attention(h.hold.code, h.hold.message, h.since, h.hold.fix)
            for h in s.holds.values()
            if h.skipped is None
        )
    )
    parked = tuple(
        Attention(
            "effect_parked",
            f"{p.kind} was given up: {p.error}",
            p.since,
            "Mend the cause the vendor names, then retry.",
            step,
        )
        for step, p in s.parked.items()
        if p.skipped is None and not _begins_afresh(s, step) and still_wanted(s, step, s.generation(step))
    )
    return (*holds, *parked, *_overdue(s), *_uncovered(s))


_UNCOVERED = (LAPSED, UNDER_REVIEW)


def retryable(s: Engagement) -> frozenset[str]:
    """The steps a retry would begin afresh: none that somebody decided to leave undone, nor one that is tried
    again already. ``read`` stands for what is held."""
    held = not s.over and not s.rereading and any(h.skipped is None for h in s.holds.values())
    parked = (k for k, p in s.parked.items() if p.skipped is None and not _begins_afresh(s, k))
    return frozenset((*parked, *(["read"] if held else [])))


def _begins_afresh(s: Engagement, step: str) -> bool:
    """Whether it only waits for the contract to be read again."""
    return s.rereading and step in mapped_steps(s)


_OVERDUE = {
    "opt_in_overdue": (
        "The freelancer has not completed the application session, so nothing covers the contract.",
        "The freelancer completes the session, or a certificate is validated.",
    ),
    "review_overdue": (
        "1099Policy has not judged the certificate in the time allowed for it.",
        "An approved certificate or a refused one; ask 1099Policy about the review.",
    ),
    "expiry_coming": (
        "Cover ends at {ends} while the contract runs on.",
        "A policy or certificate that reaches further, or the end of the contract.",
    ),
}


def _overdue(s: Engagement) -> tuple[Attention, ...]:
    """The deadlines that passed and still concern; of several days before one end only the latest. An end of
    cover that is the contract's own end needs nobody, nor does a renewal."""
    if all(map(is_renewal, s.passed)):
        return ()
    carried = carried_until(s)
    planned = carried is not None and s.terms is not None and not runs_beyond(s, carried)
    passed = {d.code: d for d in deadlines(s) if d.step in s.passed and d.code in _OVERDUE}
    ends = "" if carried is None else instant(carried.ends_at)
    return tuple(
        Attention(d.code, _OVERDUE[d.code][0].format(ends=ends), s.passed[d.step], _OVERDUE[d.code][1])
        for d in passed.values()
        if not (planned and d.code == "expiry_coming")
    )


def _uncovered(s: Engagement) -> tuple[Attention, ...]:
    if s.state == LAPSED:
        return (_lapsed(s),)
    if s.state == UNDER_REVIEW:
        flagged = [x.news[-1] for x in s.certificates.values() if x.news and x.verdict != "validated"]
        denied = all(n.verdict != "flagged" for n in flagged)
        return (
            Attention(
                "certificate_denied" if denied else "certificate_flagged",
                "The certificate was refused at 1099Policy."
                if denied
                else "The certificate was flagged at 1099Policy and waits for a review.",
                max((n.said_at for n in flagged), default=s.latest_at),
                "An approved certificate or an active policy.",
            ),
        )
    if s.state in (QUOTED, ASSIGNED) and s.assignment_refused and s.session_id is None and not s.quote_id:
        return (
            Attention(
                "assignment_refused",
                f"1099Policy waived the quote but refused the assignment: {s.assignment_refused}",
                s.assignment_refused_at or s.latest_at,
                "An active policy or a validated certificate.",
            ),
        )
    return ()


def _lapsed(s: Engagement) -> Attention:
    canceled = canceled_at(s, s.assignment.assignment_id) if s.assignment else None
    last = max((x for x in spans(s) if x.end is not None), key=lambda x: x.end or 0, default=None)
    because = canceled is not None and (last is None or last.over_by == "unassigned")
    since = last.end if last else canceled
    return Attention(
        "coverage_lapsed",
        "The assignment was cancelled at 1099Policy, and nothing else covers this engagement."
        if because
        else "What covered this engagement has ended before the contract did.",
        s.latest_at if since is None else since,
        "A new or reinstated policy, a validated certificate, or the end of the contract.",
    )
