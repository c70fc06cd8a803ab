"""What an engagement's page lists: the contract's facts, its ids at 1099Policy, cover periods, open calls."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.coverage import Span, gaps, spans
from domain.events import EffectSkipped, HoldSkipped
from domain.react import still_wanted
from domain.recorded import Recorded
from domain.state import Engagement
from service.ports import EffectRow
from service.web import labels, words
from service.web.formats import wage


@dataclass(frozen=True, slots=True)
class Period:
    """A span that something covers, or a gap; instants in epoch seconds, ``end`` None where unknown."""

    what: str
    kind: str
    start: int | None
    end: int | None
    how: str
    evidence: tuple[int, ...]


def periods(s: Engagement, now: int) -> tuple[Period, ...]:
    """Every span of cover and every gap in the contract's window, in the order they begin."""
    found = [
        Period(f"{x.source.capitalize()} {x.id}", x.source, x.start, x.end, _how(x, s, now), x.evidence)
        for x in spans(s)
    ]
    unknown = any(x.start is None for x in spans(s))
    what, how = ("Perhaps nothing", "Not known") if unknown else ("Nothing covers", "Gap")
    found += [Period(what, "gap", g.starts_at, g.ends_at, how, ()) for g in gaps(s)]
    return tuple(sorted(found, key=lambda x: (x.start is not None, x.start or 0)))


def _how(span: Span, s: Engagement, now: int) -> str:
    if span.over_by == "canceled":
        return "Cancelled"
    if span.over(now):
        return "Expired" if span.over_by in (None, "expired") else "No longer valid"
    if span.start is None:
        return "Start not known yet"
    if s.ended_at is not None and s.ended_at <= now:
        return "Outlives the contract"
    if span.doubtful and span.is_open(now):
        return "End not known"
    return "In force" if span.holds(now) else "Not begun"


def pay(s: Engagement) -> str | None:
    """The wage as sent to 1099Policy, else what Upwork says."""
    if s.job:
        return wage(s.job.wage, s.job.wage_type)
    return words.pay(s.terms.pay) if s.terms and s.terms.pay else None


def window(s: Engagement) -> tuple[int | None, int | None]:
    whole = s.whole_window
    if whole:
        return whole.starts_at, whole.ends_at
    return (s.terms.starts_at, s.terms.ends_at) if s.terms else (None, None)


def ids(s: Engagement) -> tuple[tuple[str, str], ...]:
    """Each object of the engagement at 1099Policy: what it is and its id."""
    assigned = s.assignment.assignment_id if s.assignment else None
    found = [
        ("Contractor", s.contractor_id),
        ("Job", s.job_id),
        ("Quote", s.quote_id),
        ("Application session", s.session_id),
        ("Assignment", assigned),
        *(("Policy", policy_id) for policy_id in s.policies),
        *(("Certificate", certificate_id) for certificate_id in s.certificates),
        *(("Invoice", invoice.invoice_id) for invoice in s.invoices.values()),
    ]
    return tuple((what, id_) for what, id_ in found if id_)


def open_calls(s: Engagement, effects: Sequence[EffectRow]) -> tuple[EffectRow, ...]:
    """Calls and timers that are still to be dealt with; those given up are shown under attention, and those
    that are no longer wanted are not to come."""
    return tuple(
        effect
        for effect in effects
        if effect.status in ("waiting", "running") and still_wanted(s, effect.step, effect.generation)
    )


@dataclass(frozen=True, slots=True)
class Skipped:
    """What a person decided to leave undone, why, and in which event."""

    what: str
    reason: str
    version: int


def skipped(s: Engagement, history: Sequence[Recorded]) -> tuple[Skipped, ...]:
    """The calls and holds that are left as they are now, in the order in which that was decided."""
    found = []
    for recorded in history:
        match recorded.event:
            case EffectSkipped(step, reason) if (call := s.parked.get(step)) and call.skipped:
                found.append((step, Skipped(f"The call to {labels.step(step)}", reason, recorded.version)))
            case HoldSkipped(code, reason) if (held := s.holds.get(code)) and held.skipped:
                found.append((code, Skipped(held.hold.message, reason, recorded.version)))
    return tuple(dict(found).values())
