"""Every effect: a deed asked of the outside, as data. `step` names it once and for all in its engagement."""

from typing import Literal

from domain.values import Attachment, ContractorDraft, JobDraft, Value, Window

Channel = Literal["upwork", "1099policy", "coverd"]


class ReadContract(Value, frozen=True):
    """Read contract, dates, attachments and freelancer back from Upwork (guide 4.1–4.3, 4.6)."""

    engagement_id: str
    freelancer_id: str | None
    """None where the news named nobody and the contract itself is to say."""


class EnsureContractor(Value, frozen=True):
    """Find the contractor by e-mail or create them (guide 4.1)."""

    freelancer_id: str
    draft: ContractorDraft


class CreateJob(Value, frozen=True):
    """Guide 4.2."""

    engagement_id: str
    draft: JobDraft


class CreateQuote(Value, frozen=True):
    """Guide 4.3."""

    engagement_id: str
    contractor_id: str
    job_id: str
    coverage_types: tuple[str, ...]
    window: Window


class OpenSession(Value, frozen=True):
    """Send a first-time contractor to opt in (guide 4.4), unless they have by now."""

    engagement_id: str
    freelancer_id: str
    quote_id: str
    may_have_opted_in: bool
    """False once an assignment was refused: then only a session helps."""


class CreateAssignment(Value, frozen=True):
    """Tie coverage to the contract for a contractor who has opted in (guide 4.5)."""

    engagement_id: str
    contractor_id: str
    job_id: str
    coverage_types: tuple[str, ...]
    window: Window


class ConfirmPolicy(Value, frozen=True):
    """Read the policy that is to cover: an assignment's, or one whose news carried no dates."""

    contractor_id: str
    policy_id: str | None
    said_at: int | None = None
    """When the vendor said what this reading answers, by its own clock: the answer is as new as that."""


class FetchAttachment(Value, frozen=True):
    """Download a possible certificate from Upwork, check it and keep it (guide 4.6)."""

    attachment: Attachment


class UploadCertificate(Value, frozen=True):
    """Guide 4.6."""

    engagement_id: str
    contractor_id: str
    sha256: str
    file_name: str


class RecordInvoice(Value, frozen=True):
    """Guide 4.7. ``gross_pay`` in cents, dates in epoch seconds."""

    key: str
    contractor_id: str
    job_id: str
    gross_pay: int
    paycycle_startdate: int
    paycycle_enddate: int


class EndCoverage(Value, frozen=True):
    """Not yet started: cancel by job. Started: shorten the assignment. Never delete a policy.

    Fact sheet 1099Policy, section 10, row 18.
    """

    job_id: str
    assignment_id: str | None
    starts_at: int
    ended_at: int
    earlier: bool = False
    """It ran before the latest renewal: it has begun, and others of the job may not have."""


class ShareOptIn(Value, frozen=True):
    """Tell the freelancer's own stream that they have opted in."""

    freelancer_id: str
    policy_id: str


class WakeUp(Value, frozen=True):
    """A stored timer: look at the evidence again at ``due_at`` (epoch seconds, by 1099Policy's clock)."""

    due_at: int


class WatchDeadline(Value, frozen=True):
    """A stored timer: at ``due_at`` (epoch seconds) see whether what ``step`` watches has happened.

    ``by_vendor``: by 1099Policy's clock, whose dates it counts from; else by ours.
    """

    step: str
    due_at: int
    by_vendor: bool


Effect = (
    ReadContract
    | EnsureContractor
    | CreateJob
    | CreateQuote
    | OpenSession
    | CreateAssignment
    | ConfirmPolicy
    | FetchAttachment
    | UploadCertificate
    | RecordInvoice
    | EndCoverage
    | ShareOptIn
    | WakeUp
    | WatchDeadline
)

CHANNELS: dict[type[Effect], Channel] = {
    ReadContract: "upwork",
    EnsureContractor: "1099policy",
    CreateJob: "1099policy",
    CreateQuote: "1099policy",
    OpenSession: "1099policy",
    CreateAssignment: "1099policy",
    ConfirmPolicy: "1099policy",
    FetchAttachment: "upwork",
    UploadCertificate: "1099policy",
    RecordInvoice: "1099policy",
    EndCoverage: "1099policy",
    ShareOptIn: "coverd",
    WakeUp: "coverd",
    WatchDeadline: "coverd",
}
"""Whom each effect calls: one vendor's outage never holds up the other."""

STEPS: dict[type[Effect], str] = {
    ReadContract: "read",
    EnsureContractor: "contractor",
    CreateJob: "job",
    CreateQuote: "quote",
    OpenSession: "session",
    CreateAssignment: "assignment",
    ConfirmPolicy: "policy",
    FetchAttachment: "fetch",
    UploadCertificate: "certificate",
    RecordInvoice: "invoice",
    EndCoverage: "end-coverage",
    ShareOptIn: "share-opt-in",
    WakeUp: "wake",
    WatchDeadline: "deadline",
}
"""What the steps of each effect begin with, before the first colon."""


class Wanted(Value, frozen=True):
    """An effect the state asks for: its step, the person-started generation, and when it is due.

    ``key`` is the idempotency key sent to the vendor, the same on every try of this generation.
    """

    step: str
    generation: int
    effect: Effect
    key: str
    due_at: int | None = None
