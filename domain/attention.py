"""What a person must look at on one engagement, in words."""

from dataclasses import dataclass

from domain.coverage import spans
from domain.lifecycle import LAPSED, UNDER_REVIEW
from domain.state import Engagement


@dataclass(frozen=True, slots=True)
class Attention:
    """``code`` is stable; ``since`` in epoch seconds; ``clears`` says what will make it go away."""

    code: str
    message: str
    since: int
    clears: str
    step: str | None = None


def attention(s: Engagement) -> tuple[Attention, ...]:
    """Everything that waits for a person; nothing once the contract has ended, except failed calls."""
    holds = (
        ()
        if s.over
        else tuple(Attention(h.hold.code, h.hold.message, h.since, h.hold.fix) for h in s.holds.values())
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
    )
    return (*holds, *parked, *_uncovered(s))


def _uncovered(s: Engagement) -> tuple[Attention, ...]:
    if s.state == LAPSED:
        over = max((x.end for x in spans(s) if x.end is not None), default=s.latest_at)
        return (
            Attention(
                "coverage_lapsed",
                "What covered this engagement has ended before the contract did.",
                over,
                "A new or reinstated policy, a validated certificate, or the end of the contract.",
            ),
        )
    if s.state == UNDER_REVIEW:
        flagged = [n for x in s.certificates.values() for n in x.news if n.verdict != "validated"]
        denied = any(n.verdict != "flagged" for n in flagged[-1:])
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
    return ()
