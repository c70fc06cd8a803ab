"""Every fact and verdict coverd records, subject first and in the past tense."""

from domain.values import ContractorDraft, JobDraft, Patience, Terms, Value, Window

# What Upwork told us.


class OfferAccepted(Value, frozen=True):
    """A freelancer accepted an offer: the engagement begins (guide 5)."""

    offer_id: str | None
    freelancer_id: str | None
    client_id: str | None


class ContractActivated(Value, frozen=True):
    """The contract became active: the time for an assignment, or the alternative trigger (guide 2)."""

    offer_id: str | None
    freelancer_id: str | None
    client_id: str | None


class ContractEnded(Value, frozen=True):
    """The contract is over since ``ended_at``; final."""

    ended_at: int


class TermsRead(Value, frozen=True):
    """The contract, its freelancer and its attachments were read back from Upwork."""

    terms: Terms


# What we made of it.


class CoveragePlanned(Value, frozen=True):
    """The Upwork record was mapped; each part is set in the event that could first map it."""

    contractor: ContractorDraft | None = None
    job: JobDraft | None = None
    window: Window | None = None
    coverage_types: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    patience: Patience | None = None


class CoverageRenewed(Value, frozen=True):
    """The contract runs on beyond the window asked for so far: this one follows, with a quote of its own."""

    window: Window


class HoldRaised(Value, frozen=True):
    """The engagement waits for a person."""

    code: str
    message: str
    fix: str


class HoldCleared(Value, frozen=True):
    """What the engagement waited for has been settled."""

    code: str


# What 1099Policy answered to our calls.


class ContractorReady(Value, frozen=True):
    """The freelancer exists as a contractor; ``opted_in`` if any policy of theirs was ever active."""

    contractor_id: str
    opted_in: bool


class JobCreated(Value, frozen=True):
    job_id: str


class QuoteCreated(Value, frozen=True):
    """A quote for exactly this window; ``moved_from`` is the start the vendor refused as past."""

    quote_id: str
    effective_date: int
    end_date: int
    moved_from: int | None = None


class QuoteWaived(Value, frozen=True):
    """The vendor says the contractor already holds a matching policy: no quote is needed."""

    reason: str


class SessionOpened(Value, frozen=True):
    """The contractor was sent to an application session to opt in."""

    session_id: str
    url: str | None


class OptInNoted(Value, frozen=True):
    """The contractor turned out to have opted in already: an assignment will do, no session."""


class AssignmentCreated(Value, frozen=True):
    """Coverage was tied to the contract under the contractor's policy."""

    assignment_id: str
    policy_id: str | None
    effective_date: int
    end_date: int
    moved_from: int | None = None


class AssignmentRefused(Value, frozen=True):
    """The vendor finds no policy that fits; the contractor must go through a session."""

    message: str
    assignment_id: str | None = None


class AssignmentCancelled(Value, frozen=True):
    """An assignment was cancelled at the vendor with effect from ``canceled_at``, and we had not asked."""

    assignment_id: str
    said_at: int
    canceled_at: int


class AssignmentChanged(Value, frozen=True):
    """The vendor shows other dates for an assignment than are on record."""

    assignment_id: str
    said_at: int
    effective_date: int
    end_date: int


class CoverageEnded(Value, frozen=True):
    """What was done at 1099Policy because the contract ended (fact sheet section 10, row 18).

    ``how``: ``canceled_by_job`` · ``assignment_shortened`` · ``left_to_its_end``. ``assignment_id`` names one
    that ran before the latest renewal.
    """

    how: str
    end_date: int | None = None
    assignment_id: str | None = None


# What 1099Policy told us.


class PolicyActivated(Value, frozen=True):
    """A policy is active, from ``effective_at`` until ``expires_at``; ``said_at`` is the vendor's clock.

    ``resumed``: the vendor says that it is active again, after an end.
    """

    policy_id: str
    said_at: int
    quote_id: str | None = None
    effective_at: int | None = None
    expires_at: int | None = None
    resumed: bool = False
    doubtful: bool = False
    """The news contradicts itself: from then on nothing is known of the policy until it is read back."""


class PolicyExpired(Value, frozen=True):
    """A policy ran out at ``ended_at``."""

    policy_id: str
    said_at: int
    ended_at: int
    read_back: bool = False


class PolicyCanceled(Value, frozen=True):
    """A policy was cancelled with effect from ``ended_at``, which may lie in the past.

    ``read_back``: nobody said so at ``said_at``, but it was found to be so after all the news until then.
    ``expires_at``: no date of cancellation was given, only an expiration date to come; where that is earlier
    than the term known by then, it has moved and cover ends there (contract, "Meaning").
    """

    policy_id: str
    said_at: int
    ended_at: int
    read_back: bool = False
    expires_at: int | None = None


class PolicyRead(Value, frozen=True):
    """The policy of the assignment was read back: all that was said of it until then is on record."""

    policy_id: str


class CertificateValidated(Value, frozen=True):
    """A certificate of insurance was approved, for [valid_from, valid_until) where the vendor says so."""

    certificate_id: str
    said_at: int
    valid_from: int
    valid_until: int | None = None


class CertificateFlagged(Value, frozen=True):
    """A certificate needs a person (``verdict`` ``flagged``) or was refused (``denied``, ``error``)."""

    certificate_id: str
    said_at: int
    verdict: str


# Certificates the contractor brings.


class AttachmentFetched(Value, frozen=True):
    """An attachment of the contract was downloaded, checked and stored under its SHA-256."""

    attachment_id: str
    file_name: str
    sha256: str


class CertificateSubmitted(Value, frozen=True):
    """A person handed in a certificate for this engagement."""

    file_name: str
    sha256: str


class CertificateUploaded(Value, frozen=True):
    """The file with this SHA-256 was uploaded and is under review at the vendor."""

    certificate_id: str
    sha256: str


# The optional invoice (guide 4.7).


class InvoiceRequested(Value, frozen=True):
    """Final pay to record. ``gross_pay`` in cents, dates in epoch seconds."""

    key: str
    gross_pay: int
    paycycle_startdate: int
    paycycle_enddate: int


class InvoiceRecorded(Value, frozen=True):
    key: str
    invoice_id: str


# Verdicts: what the facts add up to. Only these and the milestones move the machine.


class EngagementInsured(Value, frozen=True):
    policy_id: str


class CertificateAccepted(Value, frozen=True):
    """No policy stands, but a validated certificate does. ``judged_at``: see `CoverageLapsed`."""

    certificate_id: str
    judged_at: int | None = None


class ReviewOpened(Value, frozen=True):
    """A certificate was flagged and nothing else covers. ``judged_at``: see `CoverageLapsed`."""

    certificate_id: str
    judged_at: int | None = None


class CoverageLapsed(Value, frozen=True):
    """Everything that covered the engagement has ended before the contract did.

    ``judged_at``: time alone ended it, and had passed by then; no later verdict is for an earlier instant.
    """

    reason: str
    judged_at: int | None = None


# Time, effects and people.


class DeadlinePassed(Value, frozen=True):
    """A stored timer went off and what it watched had not happened; once for each ``step``.

    ``code``: ``opt_in_overdue`` · ``review_overdue`` · ``expiry_coming`` · ``renewal_due``.
    """

    step: str
    code: str
    due_at: int


class OptInShared(Value, frozen=True):
    """The freelancer's own stream now knows that they have opted in."""


class EffectParked(Value, frozen=True):
    """A call was given up until a person acts; ``error`` holds the vendor's words."""

    step: str
    kind: str
    error: str


class EffectSkipped(Value, frozen=True):
    """A person decided to leave a call that was given up undone, until somebody asks for a retry."""

    step: str
    reason: str


class HoldSkipped(Value, frozen=True):
    """A person decided to leave what a hold waits for as it is, until somebody asks for a retry."""

    code: str
    reason: str


class RetryRequested(Value, frozen=True):
    """A person asked for the failed and held steps to be tried again: all of them, or only ``steps``.

    What the contract itself must mend is the step ``read``.
    """

    reason: str
    steps: tuple[str, ...] = ()


# The freelancer's own stream.


class ContractorLinked(Value, frozen=True):
    """This freelancer is that contractor at 1099Policy."""

    contractor_id: str
    email: str


class FreelancerOptedIn(Value, frozen=True):
    """A policy of this freelancer was active for the first time known to us."""

    policy_id: str | None
    opted_in_at: int


class NameDecided(Value, frozen=True):
    """A person said how this freelancer's name splits."""

    first_name: str
    last_name: str


EngagementEvent = (
    OfferAccepted
    | ContractActivated
    | ContractEnded
    | TermsRead
    | CoveragePlanned
    | CoverageRenewed
    | HoldRaised
    | HoldCleared
    | ContractorReady
    | JobCreated
    | QuoteCreated
    | QuoteWaived
    | SessionOpened
    | OptInNoted
    | AssignmentCreated
    | AssignmentRefused
    | AssignmentCancelled
    | AssignmentChanged
    | CoverageEnded
    | PolicyActivated
    | PolicyExpired
    | PolicyCanceled
    | PolicyRead
    | CertificateValidated
    | CertificateFlagged
    | AttachmentFetched
    | CertificateSubmitted
    | CertificateUploaded
    | InvoiceRequested
    | InvoiceRecorded
    | EngagementInsured
    | CertificateAccepted
    | ReviewOpened
    | CoverageLapsed
    | OptInShared
    | DeadlinePassed
    | EffectParked
    | EffectSkipped
    | HoldSkipped
    | RetryRequested
)

FreelancerEvent = ContractorLinked | FreelancerOptedIn | NameDecided

Event = EngagementEvent | FreelancerEvent
