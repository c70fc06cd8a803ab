"""Every command: an order that may be refused, with the time it was given (``at``, epoch seconds)."""

from dataclasses import dataclass

from domain.values import KnownContractor, Terms

# From Upwork's news.


@dataclass(frozen=True, slots=True)
class AcceptOffer:
    at: int
    offer_id: str | None = None
    freelancer_id: str | None = None
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class ActivateContract:
    at: int
    offer_id: str | None = None
    freelancer_id: str | None = None
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class EndContract:
    at: int
    ended_at: int


# From 1099Policy's news.


@dataclass(frozen=True, slots=True)
class NotePolicyActive:
    """``at`` is when the vendor said so. Unknown dates are None and will be read back.

    ``resumed``: the vendor says that it is active again, after an end.
    """

    at: int
    policy_id: str
    quote_id: str | None = None
    effective_at: int | None = None
    expires_at: int | None = None
    resumed: bool = False
    doubtful: bool = False
    """The news contradicts itself: nothing is known of the policy until it is read back."""


@dataclass(frozen=True, slots=True)
class NotePolicyOver:
    """A policy ended at ``ended_at``, by time or by cancellation; the rest: see `PolicyCanceled`."""

    at: int
    policy_id: str
    ended_at: int
    canceled: bool
    read_back: bool = False
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class RecordPolicy:
    """A policy was read back: all that is known of it. What is recorded here already adds nothing."""

    at: int
    policy_id: str
    news: tuple[NotePolicyActive | NotePolicyOver, ...]


@dataclass(frozen=True, slots=True)
class NoteCertificateValidated:
    at: int
    certificate_id: str
    valid_from: int | None = None
    valid_until: int | None = None


@dataclass(frozen=True, slots=True)
class NoteCertificateFlagged:
    """``verdict``: flagged · denied · error."""

    at: int
    certificate_id: str
    verdict: str


@dataclass(frozen=True, slots=True)
class NoteAssignmentCancelled:
    """``canceled_at``: from when on it covers no more."""

    at: int
    assignment_id: str
    canceled_at: int


@dataclass(frozen=True, slots=True)
class NoteAssignmentChanged:
    """The vendor was asked and shows these dates."""

    at: int
    assignment_id: str
    effective_date: int
    end_date: int


# Outcomes of effects.


@dataclass(frozen=True, slots=True)
class RecordTerms:
    at: int
    terms: Terms
    known: KnownContractor
    there: int | None = None
    """The time at 1099Policy, where it differs from ``at``."""


@dataclass(frozen=True, slots=True)
class ConfirmContractor:
    at: int
    contractor_id: str
    opted_in: bool


@dataclass(frozen=True, slots=True)
class ConfirmJob:
    at: int
    job_id: str


@dataclass(frozen=True, slots=True)
class ConfirmQuote:
    at: int
    quote_id: str
    effective_date: int
    end_date: int
    moved_from: int | None = None


@dataclass(frozen=True, slots=True)
class WaiveQuote:
    at: int
    reason: str


@dataclass(frozen=True, slots=True)
class ConfirmSession:
    at: int
    session_id: str
    url: str | None


@dataclass(frozen=True, slots=True)
class NoteOptIn:
    at: int


@dataclass(frozen=True, slots=True)
class ConfirmAssignment:
    at: int
    assignment_id: str
    policy_id: str | None
    effective_date: int
    end_date: int
    moved_from: int | None = None


@dataclass(frozen=True, slots=True)
class NoteAssignmentRefused:
    at: int
    message: str
    assignment_id: str | None = None


@dataclass(frozen=True, slots=True)
class ConfirmCoverageEnded:
    at: int
    how: str
    end_date: int | None = None
    assignment_id: str | None = None


@dataclass(frozen=True, slots=True)
class ConfirmOptInShared:
    at: int


@dataclass(frozen=True, slots=True)
class ConfirmAttachmentFetched:
    at: int
    attachment_id: str
    file_name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ConfirmCertificateUploaded:
    at: int
    certificate_id: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ConfirmInvoice:
    at: int
    key: str
    invoice_id: str


@dataclass(frozen=True, slots=True)
class ParkEffect:
    """A call was given up: `step` names it, ``error`` is what the vendor said."""

    at: int
    step: str
    kind: str
    error: str


@dataclass(frozen=True, slots=True)
class Reassess:
    """A stored timer went off: something that covered may be over by time alone."""

    at: int


@dataclass(frozen=True, slots=True)
class PassDeadline:
    """The stored timer ``step`` went off: what it watches may still not have happened."""

    at: int
    step: str


# From people.


@dataclass(frozen=True, slots=True)
class SubmitCertificate:
    at: int
    file_name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class RequestInvoice:
    """``gross_pay`` in cents, pay cycle in epoch seconds."""

    at: int
    key: str
    gross_pay: int
    paycycle_startdate: int
    paycycle_enddate: int


@dataclass(frozen=True, slots=True)
class RequestRetry:
    """Of everything that failed or is held, or of ``steps`` alone; see `RetryRequested`."""

    at: int
    reason: str
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SkipEffect:
    """Leave undone the call that was given up under ``step``."""

    at: int
    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class SkipHold:
    """Leave as it is what the hold ``code`` waits for."""

    at: int
    code: str
    reason: str


EngagementCommand = (
    AcceptOffer
    | ActivateContract
    | EndContract
    | NotePolicyActive
    | NotePolicyOver
    | RecordPolicy
    | NoteCertificateValidated
    | NoteCertificateFlagged
    | NoteAssignmentCancelled
    | NoteAssignmentChanged
    | RecordTerms
    | ConfirmContractor
    | ConfirmJob
    | ConfirmQuote
    | WaiveQuote
    | ConfirmSession
    | NoteOptIn
    | ConfirmAssignment
    | NoteAssignmentRefused
    | ConfirmCoverageEnded
    | ConfirmOptInShared
    | ConfirmAttachmentFetched
    | ConfirmCertificateUploaded
    | ConfirmInvoice
    | ParkEffect
    | Reassess
    | PassDeadline
    | SubmitCertificate
    | RequestInvoice
    | RequestRetry
    | SkipEffect
    | SkipHold
)

# To a freelancer's stream.


@dataclass(frozen=True, slots=True)
class LinkContractor:
    at: int
    contractor_id: str
    email: str


@dataclass(frozen=True, slots=True)
class RecordOptIn:
    at: int
    policy_id: str | None


@dataclass(frozen=True, slots=True)
class DecideName:
    at: int
    first_name: str
    last_name: str


FreelancerCommand = LinkContractor | RecordOptIn | DecideName

Command = EngagementCommand | FreelancerCommand
