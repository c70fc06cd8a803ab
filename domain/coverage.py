"""The coverage rule: which spans of time are covered by what, and the answer for one instant.

Coverage is evidence, not a flag. A policy covers from its effective date until it expires or is
cancelled; under an assignment only within the assignment's own window. A certificate covers while it
is validated. All spans are half-open, in epoch seconds UTC, and every one names the events that prove it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from domain.assignments import canceled_at, proofs, window_of
from domain.lifecycle import INSURED
from domain.state import Assignment, Certificate, CertificateNews, Engagement, Policy, PolicyNews
from domain.values import Window

Source = Literal["policy", "certificate"]


class Span(Struct, frozen=True):
    """Covered by ``source`` ``id`` over [start, end). A start of None is not known yet: it never covers.

    ``doubtful``: its policy's own end is not known and could not be read back, so that from its start on
    nobody knows whether it covers.
    """

    source: Source
    id: str
    start: int | None
    end: int | None
    evidence: tuple[int, ...]
    over_by: str | None = None
    doubtful: bool = False

    def holds(self, at: int) -> bool:
        return self.is_known and self.start is not None and self.start <= at and not self.over(at)

    def is_open(self, at: int) -> bool:
        """Whether nobody knows if it covers at ``at``."""
        return not self.is_known and (self.start is None or self.start <= at) and not self.over(at)

    @property
    def is_known(self) -> bool:
        """Whether its dates say when it covers."""
        return self.start is not None and not self.doubtful

    def over(self, at: int) -> bool:
        return self.end is not None and self.end <= at


class Answer(Struct, frozen=True):
    """Was it covered: True, False (known not to be), or None (unknown); and how we know.

    ``since`` is when this answer began, ``until`` when the cover in force ends, ``next_change_at`` the
    next instant at which the answer changes by time alone. ``evidence`` holds event versions.
    """

    covered: bool | None
    basis: Source | None
    reason: str
    since: int | None = None
    until: int | None = None
    next_change_at: int | None = None
    evidence: tuple[int, ...] = ()


def policy_spans(policy: Policy) -> tuple[Span, ...]:
    """The spans a policy's news add up to.

    A reactivation that keeps dates before the cancellation leaves no gap, one that starts later does, and
    one without dates is not known to begin. No end reaches beyond the term that was active before it. News
    that contradicts itself ends what was known: from then on the policy is unknown until it is read back.
    """
    closed: list[Span] = []
    running: Span | None = None
    term: int | None = None
    for news in policy.news:
        if news.kind == "active" and news.doubtful and running is not None:
            closed.append(replace(running, end=_earlier(running.end, news.said_at)))
            running = Span("policy", policy.policy_id, None, None, (news.version,))
        elif news.kind == "active":
            if running is not None and news.effective_at is not None and running.over(news.effective_at):
                closed.append(running)  # it ran out without a word: this is another term
                running = None
            if running is None and closed and _continues(closed[-1], news.effective_at):
                running = replace(closed.pop(), end=None, over_by=None)
                running = _dated(running, _earlier(running.start, news.effective_at), news)
            elif running is None:
                running = _dated(Span("policy", policy.policy_id, None, None, ()), news.effective_at, news)
            else:
                running = _dated(running, news.effective_at, news)
        elif running is not None:
            term = running.end
            closed.append(_cut(running, _over_at(news, term), news.kind, news.version))
            running = None
        elif closed:
            bound = term if news.kind == "canceled" else closed[-1].end
            closed[-1] = _cut(closed[-1], _over_at(news, bound), news.kind, news.version)
    return (*closed, *([running] if running else []))


def _continues(before: Span, effective_at: int | None) -> bool:
    return effective_at is not None and (before.end is None or effective_at <= before.end)


def _dated(span: Span, start: int | None, news: PolicyNews) -> Span:
    return replace(
        span,
        start=span.start if start is None else start,
        end=span.end if news.expires_at is None else news.expires_at,
        evidence=(*span.evidence, news.version),
    )


def _over_at(news: PolicyNews, term: int | None) -> int | None:
    """When news of an end says that a term is over: never after the term itself."""
    moved = news.expires_at is not None and term is not None and news.expires_at < term
    return _earlier(term, news.expires_at if moved else news.ended_at)


def _earlier(one: int | None, other: int | None) -> int | None:
    return min((t for t in (one, other) if t is not None), default=None)


def _cut(span: Span, end: int | None, how: str, version: int) -> Span:
    first = span.over_by if end == span.end else None
    return replace(span, end=end, over_by=first or how, evidence=(*span.evidence, version))


def certificate_spans(certificate: Certificate) -> tuple[Span, ...]:
    """The spans during which a certificate was validated and not yet flagged or denied."""
    spans: list[Span] = []
    valid = False
    for news in certificate.news:
        if news.verdict == "validated":
            start = news.said_at if news.valid_from is None else news.valid_from
            span = Span("certificate", certificate.certificate_id, start, news.valid_until, (news.version,))
            again = valid and not spans[-1].over(start)
            spans.append(_validated_again(spans.pop(), span, news) if again else span)
            valid = True
        elif valid:
            end = _earlier(spans[-1].end, news.said_at)
            spans[-1] = _cut(spans[-1], end, news.verdict, news.version)
            valid = False
    return tuple(spans)


def _validated_again(before: Span, span: Span, news: CertificateNews) -> Span:
    """The newer dates win where they are given; a start that is only the hour of the news is none."""
    return replace(
        span,
        start=before.start if span.start == news.said_at else span.start,
        end=before.end if span.end is None else span.end,
        evidence=(*before.evidence, *span.evidence),
    )


def spans(engagement: Engagement) -> tuple[Span, ...]:
    """Every span of the engagement's evidence: policies first, and the earlier before the later, in whatever
    order they became known."""
    policies = [
        within
        for policy in engagement.policies.values()
        for span in policy_spans(policy)
        for within in _within_assignments(engagement, _doubted(engagement, span))
    ]
    certificates = [s for c in engagement.certificates.values() for s in certificate_spans(c)]
    found = (s for s in (*policies, *certificates) if not _empty(s))
    return tuple(sorted(found, key=_rank))


def _doubted(engagement: Engagement, span: Span) -> Span:
    return replace(span, doubtful=span.end is None and _given_up(engagement, span.id))


def _given_up(engagement: Engagement, policy_id: str) -> bool:
    """Whether a call that reads this policy back waits for a person."""
    step = f"policy:{policy_id}"
    return any(parked == step or parked.startswith(f"{step}:") for parked in engagement.parked)


def _rank(span: Span) -> tuple[bool, bool, int, str]:
    return span.source == "certificate", span.start is None, span.start or 0, span.id


def _within_assignments(engagement: Engagement, span: Span) -> tuple[Span, ...]:
    """A policy that one of the engagement's own sessions bound covers as it is; any other only within the
    assignments."""
    made = engagement.assignments
    assignments = [a for a in made if a.policy_id in (None, span.id)] or made
    bound_by_session = engagement.policies[span.id].quote_id in engagement.quote_ids
    if not assignments or bound_by_session or span.start is None:
        return (span,)
    return tuple(_within(engagement, span, span.start, assignment) for assignment in assignments)


def _within(engagement: Engagement, span: Span, start: int, assignment: Assignment) -> Span:
    window = window_of(engagement, assignment)
    within = replace(
        span,
        start=max(start, window.starts_at),
        end=_earlier(span.end, window.ends_at),
        evidence=(*span.evidence, *proofs(engagement, assignment)),
    )
    canceled = within.end == canceled_at(engagement, assignment.assignment_id)
    return replace(within, over_by="unassigned") if canceled else within


def _empty(span: Span) -> bool:
    return span.start is not None and span.end is not None and span.end <= span.start


def vendor_time(engagement: Engagement) -> int:
    """The latest instant known to have come by the vendor's clock, from its own news and timers."""
    told = [n.said_at for p in engagement.policies.values() for n in p.news]
    told += [n.said_at for c in engagement.certificates.values() for n in c.news]
    told += [n.said_at for news in engagement.assignment_news.values() for n in news]
    return max(*told, engagement.judged_at) if told else engagement.judged_at


def standing(engagement: Engagement, at: int) -> Span | None:
    """The span that carries the engagement at ``at``, in force or still to start; policies come first."""
    return next((s for s in spans(engagement) if not s.over(at)), None)


def carried_until(engagement: Engagement) -> Window | None:
    """From when and until when the engagement is covered without a break, in force or still to start; None
    where nothing covers it or no end is known."""
    known, at = spans(engagement), vendor_time(engagement)
    first = next((s for s in known if s.start is not None and not s.over(at)), None)
    if first is None or first.start is None:
        return None
    until = first.end
    for _ in known:
        until = _later(until, [s.end for s in known if _meets(s, until)])
    return None if until is None else Window(first.start, until)


def answer(engagement: Engagement, at: int, silent_since: int | None = None) -> Answer:
    """Was the engagement covered at ``at``, judging by all the events folded into it?

    ``silent_since`` is when 1099Policy was last heard of, where it has been silent past its limit: after that
    anything may have happened to a policy, and nothing but the contract's own end is known.
    """
    if engagement.version == 0:
        return Answer(None, None, "Nothing was known of this engagement at that time.")
    if engagement.ended_at is not None and engagement.ended_at <= at:
        return Answer(False, None, "The contract has ended.", since=engagement.ended_at)
    if silent_since is None:
        return _judged(engagement, at)
    if at > silent_since:
        reason = f"1099Policy has not answered since {instant(silent_since)}."
        return Answer(None, None, reason, since=silent_since, next_change_at=engagement.ended_at)
    told = _judged(engagement, at)
    if told.covered is None:
        return told
    return replace(told, next_change_at=_earlier(told.next_change_at, silent_since + 1))


def instant(seconds: int) -> str:
    """RFC 3339 in UTC, as messages show it; what no calendar holds is shown as it is."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"second {seconds}"


def _judged(engagement: Engagement, at: int) -> Answer:
    known = _clipped(spans(engagement), engagement.ended_at)
    holding = [s for s in known if s.holds(at)]
    unknown = [s for s in known if s.is_open(at)]
    if holding:
        return _covered(known, holding, at)
    if unknown:
        return Answer(
            None,
            None,
            _why_unknown(engagement, unknown[0]),
            since=_unknown_since(engagement, known, unknown[0], at),
            next_change_at=_next_change(known, at, None),
            evidence=unknown[0].evidence,
        )
    since = max((s.end for s in known if s.end is not None and s.end <= at), default=None)
    over = [s for s in known if s.end == since and since is not None]
    evidence = tuple(sorted({v for s in over for v in s.evidence}))
    return Answer(
        False,
        None,
        _why_not(engagement, known, over, at),
        since=since,
        next_change_at=_next_change(known, at, False),
        evidence=evidence,
    )


def _why_unknown(engagement: Engagement, span: Span) -> str:
    if span.doubtful and span.start is not None:
        return f"Policy {span.id} is active but when it ends could not be read back."
    given_up = _given_up(engagement, span.id)
    how = "could not be read back" if given_up else "are not known yet; they are being read back"
    return f"Policy {span.id} is active but its dates {how}."


def _clipped(known: Iterable[Span], ended_at: int | None) -> tuple[Span, ...]:
    if ended_at is None:
        return tuple(known)
    cut = (replace(s, end=_earlier(s.end, ended_at)) for s in known)
    return tuple(s for s in cut if not _empty(s))


def _covered(known: tuple[Span, ...], holding: list[Span], at: int) -> Answer:
    best = holding[0]
    since, until = best.start, best.end
    for _ in known:  # join overlapping spans: the cover runs on where another takes over
        since = min([s.start for s in known if s.start is not None and _reaches(s, since)], default=since)
        until = _later(until, [s.end for s in known if _meets(s, until)])
    word = "policy" if best.source == "policy" else "validated certificate"
    return Answer(
        True,
        best.source,
        f"Covered by {word} {best.id}.",
        since=since,
        until=until,
        next_change_at=until,
        evidence=tuple(sorted({v for s in holding for v in s.evidence})),
    )


def _reaches(span: Span, since: int | None) -> bool:
    return since is not None and _has_begun(span, since) and not span.over(since - 1)


def _meets(span: Span, until: int | None) -> bool:
    return until is not None and _has_begun(span, until) and not span.over(until)


def _has_begun(span: Span, at: int) -> bool:
    return span.is_known and span.start is not None and span.start <= at


def _later(until: int | None, ends: list[int | None]) -> int | None:
    if until is None or None in ends:
        return None
    return max([until, *(e for e in ends if e is not None)])


def _next_change(known: tuple[Span, ...], at: int, now: bool | None) -> int | None:
    edges = sorted({t for s in known for t in (s.start, s.end) if t is not None and t > at})
    return next((t for t in edges if _is_covered(known, t) is not now), None)


def _is_covered(known: tuple[Span, ...], at: int) -> bool | None:
    if any(s.holds(at) for s in known):
        return True
    return None if any(s.is_open(at) for s in known) else False


def _unknown_since(engagement: Engagement, known: tuple[Span, ...], span: Span, at: int) -> int | None:
    """Since the vendor spoke of the policy, or since the start of one whose end nobody knows; or since the
    last cover before this instant ended."""
    told = [n.said_at for n in engagement.policies[span.id].news if n.version in span.evidence]
    began = told[:1] if span.start is None else [span.start]
    ends = [s.end for s in known if s.is_known and s.end is not None]
    return max((t for t in (*began, *ends) if t <= at), default=None)


def _why_not(engagement: Engagement, known: tuple[Span, ...], over: list[Span], at: int) -> str:
    coming = [s for s in known if s.start is not None and s.start > at]
    if coming:
        word = "Policy" if coming[0].source == "policy" else "Certificate"
        return f"{word} {coming[0].id} is in place but its cover has not begun."
    if over:
        how = {
            "expired": "expired",
            "canceled": "was cancelled",
            "unassigned": "covers no more: the assignment was cancelled",
            None: "ran out",
        }
        return f"{over[0].source.capitalize()} {over[0].id} {how.get(over[0].over_by, 'no longer counts')}."
    made = engagement.assignment
    canceled = canceled_at(engagement, made.assignment_id) if made else None
    if canceled is not None and canceled <= at:
        return "The assignment was cancelled, and nothing else covers it."
    if engagement.state == INSURED:
        return "The policy in place does not reach into that time."
    return "No policy and no validated certificate covers it."


def gaps(engagement: Engagement) -> tuple[Window, ...]:
    """The parts of the contract's window known not to be covered; empty while the window is not known."""
    window = engagement.whole_window
    if window is None:
        return ()
    until = max(window.ends_at, (engagement.terms.ends_at or 0) if engagement.terms else 0)
    end = until if engagement.ended_at is None else min(until, engagement.ended_at)
    found, reached = [], window.starts_at
    for span in sorted(spans(engagement), key=lambda s: s.start or 0):
        start = span.start or 0
        if start > reached and reached < end:
            found.append(Window(reached, min(start, end)))
        reached = end if span.end is None else max(reached, span.end)
    if reached < end:
        found.append(Window(reached, end))
    return tuple(found)
