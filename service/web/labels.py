"""The short names of states, answers, calls and deliveries, and what an engagement waits for."""

from domain import lifecycle as life
from domain.state import Engagement
from service.ports import StoredDelivery

STATES = {
    life.UNSEEN: "Not seen yet",
    life.OFFERED: "Offered",
    life.CONTRACTOR_READY: "Contractor ready",
    life.QUOTED: "Quoted",
    life.AWAITING_OPT_IN: "Awaiting opt-in",
    life.ASSIGNED: "Assigned",
    life.INSURED: "Insured",
    life.COI_VALIDATED: "Certificate validated",
    life.UNDER_REVIEW: "Under review",
    life.LAPSED: "Lapsed",
    life.ENDED: "Ended",
}

COVERED = {True: "Yes", False: "No", None: "Unknown"}

VENDORS = {"upwork": "Upwork", "1099policy": "1099Policy"}


BEFORE_COVER = (life.OFFERED, life.CONTRACTOR_READY, life.QUOTED, life.AWAITING_OPT_IN, life.ASSIGNED)


def waiting_for(s: Engagement, covered: bool | None) -> str:
    """What will happen next, or what it waits for, in one sentence or two."""
    skipped = [*(h.skipped for h in s.holds.values()), *(p.skipped for p in s.parked.values())]
    if skipped and s.state in BEFORE_COVER:
        left = "A person decided to leave a step undone; a retry takes it up again."
        return left if all(skipped) else "It waits for a person: see what needs attention."
    match s.state:
        case life.OFFERED:
            return (
                "Next, the contract is read back from Upwork and the freelancer becomes a contractor "
                "at 1099Policy."
            )
        case life.CONTRACTOR_READY:
            return "Next, the job and its quote are created at 1099Policy."
        case life.QUOTED if not s.opted_in:
            return "Next, an application session is opened, in which the freelancer opts in."
        case life.QUOTED if not s.active:
            return (
                "The freelancer has opted in before. An assignment is made as soon as Upwork says that "
                "the contract is active."
            )
        case life.QUOTED:
            return "Next, an assignment ties the freelancer's cover to this contract."
        case life.AWAITING_OPT_IN:
            return "It waits for the freelancer to complete the application session at 1099Policy."
        case life.ASSIGNED:
            return "The assignment is made; its policy is being confirmed with 1099Policy."
        case life.INSURED if s.earlier and s.session_id and not s.new_policies:
            return "The renewal waits for the freelancer to complete an application session at 1099Policy."
        case life.INSURED | life.COI_VALIDATED if covered is None:
            return "Nothing needs to be done: the policy is being read back from 1099Policy."
        case life.INSURED | life.COI_VALIDATED if not covered:
            return "The cover that is in place begins by itself; nothing more has to be called for it."
        case life.INSURED | life.COI_VALIDATED:
            return "Nothing needs to be done. It is looked at again when the cover ends."
        case life.UNDER_REVIEW:
            return "It waits for the review at 1099Policy, or for an active policy."
        case life.LAPSED:
            return "It waits for a policy, a validated certificate, or the end of the contract."
        case life.ENDED:
            return ENDINGS.get(s.coverage_ended, ENDINGS[None])
        case _:
            return "It waits for the first news from Upwork."


ENDINGS = {
    None: "Nothing more is made at 1099Policy for this contract.",
    "canceled_by_job": "The contract ended before it began; its cover was cancelled at 1099Policy.",
    "assignment_shortened": "The assignment at 1099Policy was shortened to the end of the contract.",
    "left_to_its_end": "The policy at 1099Policy is left to its own end.",
}

_STEPS = {
    "read": "read the contract",
    "contractor": "create the contractor",
    "job": "create the job",
    "quote": "create the quote",
    "session": "open the application session",
    "assignment": "create the assignment",
    "policy": "read the policy back",
    "fetch": "download an attachment",
    "certificate": "upload the certificate",
    "invoice": "record the invoice",
    "end-coverage": "end the cover",
    "share-opt-in": "note the opt-in for the freelancer's other contracts",
    "wake": "look at the cover again when it ends",
    "deadline:opt-in": "see whether the freelancer has opted in",
    "deadline:review": "see whether the certificate has been judged",
    "deadline:expiry": "tell that the cover comes to its end",
    "deadline:renewal": "renew the cover if the contract runs on",
}

DEADLINES = {
    "opt_in_overdue": "The freelancer had not opted in by then",
    "review_overdue": "The certificate had not been judged by then",
    "expiry_coming": "Cover comes to its end",
    "renewal_due": "It was time to renew the cover of a contract that runs on",
}


def step(name: str) -> str:
    """A step of `react` in words: ``fetch:at_1`` → “download an attachment”."""
    family, _, rest = name.partition(":")
    return _STEPS.get(f"{family}:{rest.partition(':')[0]}") or _STEPS.get(family, name)


def is_timer(step: str) -> bool:
    """A stored timer, which calls nobody: that it was looked at too early is no answer."""
    return step.startswith(("wake:", "deadline:"))


ACTS = {
    "retry": "Tried again",
    "replay": "Deliveries processed again",
    "skip": "Left as it is",
    "verify": "The log was verified",
}

CALL_STATUS = {"waiting": "Waiting", "running": "Under way", "parked": "Given up"}

_OUTCOMES = {
    "unusable": "Cannot be used",
    "unknown_type": "Unknown event type",
    "parked": "Belongs to no known engagement",
    "failed": "Failed and will be tried again",
    "applied": "Applied",
    "quiet": "Needs no action",
    None: "Not processed yet",
}


def outcome(stored: StoredDelivery) -> str:
    return _OUTCOMES[stored.outcome]
