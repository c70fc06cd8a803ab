"""What must happen by when: the deadlines of an engagement, watched by stored timers and told once each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from domain.coverage import carried_until
from domain.lifecycle import AWAITING_OPT_IN, COI_VALIDATED
from domain.state import Engagement
from domain.values import Patience, Window

DAY = int(timedelta(days=1).total_seconds())
HOUR = int(timedelta(hours=1).total_seconds())

Code = Literal["opt_in_overdue", "review_overdue", "expiry_coming", "renewal_due"]


@dataclass(frozen=True, slots=True)
class Deadline:
    """What ``step`` watches has not happened so far; it passes at ``due_at`` (epoch seconds)."""

    step: str
    code: Code
    due_at: int
    by_vendor: bool = False
    """It counts from 1099Policy's dates, so it passes by 1099Policy's clock."""


def deadlines(s: Engagement) -> tuple[Deadline, ...]:
    """Everything that is still to happen in time, passed ones among it, the earliest first."""
    if s.over:
        return ()
    patience = s.patience or Patience()
    found = (*_opt_in(s, patience), *_reviews(s, patience), *_expiry(s, patience), *_renewal(s, patience))
    return tuple(sorted(found, key=lambda d: d.due_at))


def ahead(s: Engagement) -> Iterator[Deadline]:
    """The next of each kind that has not passed yet."""
    seen: set[Code] = set()
    for deadline in deadlines(s):
        if deadline.step not in s.passed and deadline.code not in seen:
            seen.add(deadline.code)
            yield deadline


def _opt_in(s: Engagement, patience: Patience) -> Iterator[Deadline]:
    """A session is open and no policy, no assignment and no certificate has come of it."""
    waiting = s.state == AWAITING_OPT_IN or bool(s.earlier and s.state != COI_VALIDATED)
    if waiting and s.session_id and s.session_opened_at is not None and not s.new_policies:
        due_at = s.session_opened_at + patience.opt_in_days * DAY
        yield Deadline(f"deadline:opt-in:{s.session_id}", "opt_in_overdue", due_at)


def _reviews(s: Engagement, patience: Patience) -> Iterator[Deadline]:
    """A certificate was uploaded, or flagged for a person at 1099Policy, and is not judged."""
    for file in s.files.values():
        certificate = s.certificates.get(file.certificate_id or "")
        if certificate is None or file.uploaded_at is None:
            continue
        if certificate.verdict not in ("pending", "flagged"):
            continue
        told = certificate.news[-1].said_at if certificate.news else None
        since = file.uploaded_at if told is None else told
        due_at = since + patience.review_hours * HOUR
        step = f"deadline:review:{certificate.certificate_id}:{since}"
        yield Deadline(step, "review_overdue", due_at, by_vendor=told is not None)


def _expiry(s: Engagement, patience: Patience) -> Iterator[Deadline]:
    """Cover will end while the contract runs; only days within it count."""
    carried = carried_until(s)
    if carried is None:
        return
    for days in patience.expiry_days:
        due_at = carried.ends_at - days * DAY
        if due_at > carried.starts_at:
            step = f"deadline:expiry:{carried.ends_at}:{days}"
            yield Deadline(step, "expiry_coming", due_at, by_vendor=True)


def _renewal(s: Engagement, patience: Patience) -> Iterator[Deadline]:
    """What was asked for will end while the contract is active, which may run on even where it has an end. No
    term is renewed before it has begun."""
    window = s.quoted or s.window
    if window and s.active and s.quote_settled and s.state != COI_VALIDATED:
        due_at = max(window.ends_at - patience.renewal_days * DAY, window.starts_at)
        yield Deadline(_renewal_step(window), "renewal_due", due_at, by_vendor=True)


def _renewal_step(window: Window) -> str:
    return f"{_RENEWAL}{window.ends_at}"


_RENEWAL = "deadline:renewal:"


def is_renewal(step: str) -> bool:
    """Whether the deadline of this step is one on which the contract is renewed."""
    return step.startswith(_RENEWAL)


def runs_beyond(s: Engagement, window: Window) -> bool:
    """Whether Upwork gives the contract no end, or one after this window."""
    return s.terms is not None and (s.terms.ends_at is None or s.terms.ends_at > window.ends_at)


def renewal_passed(s: Engagement) -> bool:
    """Whether the time to renew the current term has come."""
    window = s.quoted or s.window
    return window is not None and s.quote_settled and _renewal_step(window) in s.passed
