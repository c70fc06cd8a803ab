"""Every command: an order that may be refused, with the time it was given (``at``, epoch seconds)."""

from domain.values import KnownContractor, Terms, Value

# From Upwork's news.


class AcceptOffer(Value, frozen=True):
    at: int
    offer_id: str | None = None
    freelancer_id: str | None = None
    client_id: str | None = None


class ActivateContract(Value, frozen=True):
    at: int
    offer_id: str | None = None
    freelancer_id: str | None = None
    client_id: str | None = None


class EndContract(Value, frozen=True):
    at: int
    ended_at: int


# From 1099Policy's news.


class NotePolicyActive(Value, frozen=True):
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


class NotePolicyOver(Value, frozen=True):
    """A policy ended at ``ended_at``, by time or by cancellation; the rest: see `PolicyCanceled`."""

    at: int
    policy_id: str
    ended_at: int
    canceled: bool
    read_back: bool = False
    expires_at: int | None = None


class RecordPolicy(Value, frozen=True):
    """A policy was read back: all that is known of it. What is recorded here already adds nothing."""

    at: int
    policy_id: str
    news: tuple[NotePolicyActive | NotePolicyOver, ...]


class NoteCertificateValidated(Value, frozen=True):
    at: int
    certificate_id: str
    valid_from: int | None = None
    valid_until: int | None = None


class NoteCertificateFlagged(Value, frozen=True):
    """``verdict``: flagged · denied · error."""

    at: int
    certificate_id: str
    verdict: str


class NoteAssignmentCancelled(Value, frozen=True):
    """``canceled_at``: from when on it covers no more."""

    at: int
    assignment_id: str
    canceled_at: int


class NoteAssignmentChanged(Value, frozen=True):
    """The vendor was asked and shows these dates."""

    at: int
    assignment_id: str
    effective_date: int
    end_date: int


# Outcomes of effects.


class RecordTerms(Value, frozen=True):
    at: int
    terms: Terms
    known: KnownContractor
    there: int | None = None
    """The time at 1099Policy, where it differs from ``at``."""


class ConfirmContractor(Value, frozen=True):
    at: int
    contractor_id: str
    opted_in: bool


class ConfirmJob(Value, frozen=True):
    at: int
    job_id: str


class ConfirmQuote(Value, frozen=True):
    at: int
    quote_id: str
    effective_date: int
    end_date: int
    moved_from: int | None = None


class WaiveQuote(Value, frozen=True):
    at: int
    reason: str


class ConfirmSession(Value, frozen=True):
    at: int
    session_id: str
    url: str | None


class NoteOptIn(Value, frozen=True):
    at: int


class ConfirmAssignment(Value, frozen=True):
    at: int
    assignment_id: str
    policy_id: str | None
    effective_date: int
    end_date: int
    moved_from: int | None = None


class NoteAssignmentRefused(Value, frozen=True):
    at: int
    message: str
    assignment_id: str | None = None


class ConfirmCoverageEnded(Value, frozen=True):
    at: int
    how: str
    end_date: int | None = None
    assignment_id: str | None = None


class ConfirmOptInShared(Value, frozen=True):
    at: int


class ConfirmAttachmentFetched(Value, frozen=True):
    at: int
    attachment_id: str
    file_name: str
    sha256: str


class ConfirmCertificateUploaded(Value, frozen=True):
    at: int
    certificate_id: str
    sha256: str


class ConfirmInvoice(Value, frozen=True):
    at: int
    key: str
    invoice_id: str


class ParkEffect(Value, frozen=True):
    """A call was given up: `step` names it, ``error`` is what the vendor said."""

    at: int
    step: str
    kind: str
    error: str


class Reassess(Value, frozen=True):
    """A stored timer went off: something that covered may be over by time alone."""

    at: int


class PassDeadline(Value, frozen=True):
    """The stored timer ``step`` went off: what it watches may still not have happened."""

    at: int
    step: str


# From people.


class SubmitCertificate(Value, frozen=True):
    at: int
    file_name: str
    sha256: str


class RequestInvoice(Value, frozen=True):
    """``gross_pay`` in cents, pay cycle in epoch seconds."""

    at: int
    key: str
    gross_pay: int
    paycycle_startdate: int
    paycycle_enddate: int


class RequestRetry(Value, frozen=True):
    """Of everything that failed or is held, or of ``steps`` alone; see `RetryRequested`."""

    at: int
    reason: str
    steps: tuple[str, ...] = ()


class SkipEffect(Value, frozen=True):
    """Leave undone the call that was given up under ``step``."""

    at: int
    step: str
    reason: str


class SkipHold(Value, frozen=True):
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


class LinkContractor(Value, frozen=True):
    at: int
    contractor_id: str
    email: str


class RecordOptIn(Value, frozen=True):
    at: int
    policy_id: str | None


class DecideName(Value, frozen=True):
    at: int
    first_name: str
    last_name: str


FreelancerCommand = LinkContractor | RecordOptIn | DecideName

Command = EngagementCommand | FreelancerCommand
