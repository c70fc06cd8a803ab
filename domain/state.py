"""What an engagement's events add up to: the fold's result, and nothing that isn't in the events."""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import field

from domain.lifecycle import UNSEEN
from domain.values import Attachment, ContractorDraft, Hold, JobDraft, Patience, Terms, Value, Window


class PolicyNews(Value, frozen=True):
    """One thing the vendor said of a policy, at ``said_at``, recorded as event ``version``.

    ``active`` carries the term [effective_at, expires_at); ``expired`` and ``canceled`` carry ``ended_at``,
    and ``canceled`` ``expires_at`` too where it named no date of its own (see `PolicyCanceled`).
    """

    said_at: int
    version: int
    kind: Literal["active", "expired", "canceled"]
    effective_at: int | None = None
    expires_at: int | None = None
    ended_at: int | None = None
    resumed: bool = False
    read_back: bool = False
    doubtful: bool = False


class CertificateNews(Value, frozen=True):
    """One thing the vendor said of a certificate; ``verdict`` validated · flagged · denied · error."""

    said_at: int
    version: int
    verdict: str
    valid_from: int | None = None
    valid_until: int | None = None


class Policy(Value, frozen=True):
    """One policy as evidence: all its news, in the vendor's order, however they arrived."""

    policy_id: str
    quote_id: str | None = None
    news: tuple[PolicyNews, ...] = ()


class Certificate(Value, frozen=True):
    """One certificate as evidence: all its news, in the vendor's order."""

    certificate_id: str
    news: tuple[CertificateNews, ...] = ()

    @property
    def verdict(self) -> str:
        return self.news[-1].verdict if self.news else "pending"


class CertificateFile(Value, frozen=True):
    """A PDF kept under its SHA-256 that is to be uploaded, or was (``certificate_id``)."""

    sha256: str
    file_name: str
    certificate_id: str | None = None
    uploaded_at: int | None = None


class Invoice(Value, frozen=True):
    """Final pay to record: cents and epoch seconds."""

    key: str
    gross_pay: int
    paycycle_startdate: int
    paycycle_enddate: int
    invoice_id: str | None = None


class Assignment(Value, frozen=True):
    """Coverage tied to the contract for [effective_date, end_date) under ``policy_id``."""

    assignment_id: str
    policy_id: str | None
    effective_date: int
    end_date: int
    created_by: int
    policy_read: bool = False
    """Its policy was read back once: what was said of it before it was assigned is known."""
    ended: bool = False
    """It was ended at the vendor because the contract ended."""


class Term(Value, frozen=True):
    """A stretch of cover that was asked for before the latest renewal: what came of it then.

    ``policies`` were known when it was renewed: none of them answers the quote that follows.
    """

    window: Window
    quote_id: str | None
    assignment: Assignment | None
    policies: tuple[str, ...]


class AssignmentNews(Value, frozen=True):
    """One thing the vendor said of an assignment: that it is cancelled from ``canceled_at``, or its dates."""

    said_at: int
    version: int
    canceled_at: int | None = None
    window: Window | None = None


class Parked(Value, frozen=True):
    """A call that was given up: which, since when, and the vendor's words.

    ``skipped`` is why a person decided to leave it undone, None while it waits for one.
    """

    kind: str
    error: str
    since: int
    skipped: str | None = None


class HeldSince(Value, frozen=True):
    """``skipped`` is why a person decided to leave it so, None while it waits for one."""

    hold: Hold
    since: int
    skipped: str | None = None


def _kept(value: Any) -> Any:
    """A default that is stored as well: zero and no items. None, false and what maps nothing are left out."""
    return field(default_factory=lambda: value)


class Engagement(Value, frozen=True, omit_defaults=True):
    """One engagement now. ``version`` is that of the last event folded in; 0 is before the first."""

    engagement_id: str
    version: int = _kept(0)
    state: str = _kept(UNSEEN)
    latest_at: int = _kept(0)
    """The latest instant any of its events speaks of."""
    judged_at: int = _kept(0)
    """Until when time alone is known to have passed by the vendor's clock."""

    offer_id: str | None = None
    freelancer_id: str | None = None
    client_id: str | None = None
    active: bool = False
    ended_at: int | None = None

    terms: Terms | None = None
    rereading: bool = False
    """A retry asked for the contract to be read again; the steps it feeds wait for that."""
    contractor: ContractorDraft | None = None
    job: JobDraft | None = None
    window: Window | None = None
    coverage_types: tuple[str, ...] = _kept(())
    patience: Patience | None = None

    contractor_id: str | None = None
    opted_in: bool = False
    job_id: str | None = None
    quote_id: str | None = None
    quote_waived: bool = False
    quoted: Window | None = None
    session_id: str | None = None
    session_url: str | None = None
    session_opened_at: int | None = None
    assignment: Assignment | None = None
    assignment_refused: str | None = None
    assignment_refused_at: int | None = None
    coverage_ended: str | None = None
    opt_in_shared: bool = False
    earlier: tuple[Term, ...] = _kept(())
    """The terms before the current one, to which quote, session and assignment above belong."""

    policies: Mapping[str, Policy] = field(default_factory=dict)
    certificates: Mapping[str, Certificate] = field(default_factory=dict)
    attachments: Mapping[str, Attachment] = field(default_factory=dict)
    attachments_settled: tuple[str, ...] = _kept(())
    files: Mapping[str, CertificateFile] = field(default_factory=dict)
    invoices: Mapping[str, Invoice] = field(default_factory=dict)
    assignment_news: Mapping[str, tuple[AssignmentNews, ...]] = field(default_factory=dict)
    """By assignment, in the vendor's order; also of one that is not known to be ours yet."""

    holds: Mapping[str, HeldSince] = field(default_factory=dict)
    parked: Mapping[str, Parked] = field(default_factory=dict)
    generations: Mapping[str, int] = field(default_factory=dict)
    passed: Mapping[str, int] = field(default_factory=dict)
    """When each deadline passed that did, by its step."""

    @property
    def over(self) -> bool:
        return self.ended_at is not None

    @property
    def quote_settled(self) -> bool:
        return self.quote_id is not None or self.quote_waived

    @property
    def whole_window(self) -> Window | None:
        """From the first term's start to the current one's end."""
        if self.window is None or not self.earlier:
            return self.window
        return Window(self.earlier[0].window.starts_at, self.window.ends_at)

    @property
    def assignments(self) -> tuple[Assignment, ...]:
        """Every assignment made for this engagement, the oldest first."""
        return tuple(a for a in (*(t.assignment for t in self.earlier), self.assignment) if a)

    @property
    def quote_ids(self) -> frozenset[str]:
        """Every quote made for this engagement: a policy that names one was bound by its session."""
        return frozenset(q for q in (*(t.quote_id for t in self.earlier), self.quote_id) if q)

    @property
    def new_policies(self) -> Mapping[str, Policy]:
        """The policies that became known in the current term and answer no quote of an earlier one."""
        if not self.earlier:
            return self.policies
        before, asked = self.earlier[-1].policies, {term.quote_id for term in self.earlier} - {None}
        return {
            id: policy
            for id, policy in self.policies.items()
            if id not in before and policy.quote_id not in asked
        }

    @property
    def has_opted_in(self) -> bool:
        """By the vendor's word, or because a policy was active in an earlier term or came of its quote."""
        active = (n.kind == "active" for policy in self.policies.values() for n in policy.news)
        return self.opted_in or (bool(self.earlier) and any(active))

    def step(self, deed: str, before: int | None = None) -> str:
        """The step that does ``deed`` in the current term, or in the one that has so many ``before`` it:
        ``quote`` in the first, then ``quote:term-2``."""
        before = len(self.earlier) if before is None else before
        return f"{deed}:term-{before + 1}" if before else deed

    def generation(self, step: str) -> int:
        """How many times a person has started this step afresh, from 1."""
        return self.generations.get(step, 1)


class Freelancer(Value, frozen=True, omit_defaults=True):
    """One freelancer now: what all their engagements share."""

    freelancer_id: str
    version: int = _kept(0)
    contractor_id: str | None = None
    email: str | None = None
    opted_in_at: int | None = None
    first_name: str | None = None
    last_name: str | None = None
