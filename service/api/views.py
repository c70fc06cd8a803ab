"""What the API shows of an engagement: the domain's values as JSON-ready builtins, times as RFC 3339."""

from datetime import date, datetime
from typing import Any

from domain import codec
from domain.attention import Attention, attention
from domain.coverage import Answer, Span, answer, certificate_spans, gaps, policy_spans, spans
from domain.days import Day
from domain.ids import engagement_stream
from domain.recorded import Recorded
from domain.state import Certificate, Engagement, Policy
from service.clock import rfc3339
from service.ports import StoredDelivery


def event_id(stream_id: str, version: int) -> str:
    """An event's id: its stream and its version in it."""
    return f"{stream_id}@{version}"


def engagement_view(
    s: Engagement, now: int, updated_at: datetime | None, silent_since: int | None = None
) -> dict[str, Any]:
    """The current answer (contract, section 3). ``now`` in epoch seconds."""
    told = answer(s, now, silent_since)
    return {
        "engagement_id": s.engagement_id,
        "state": s.state,
        "covered": told.covered,
        "reason": told.reason,
        "coverage": {
            "policy": _policy_view(s, now),
            "certificate": _certificate_view(s, now),
            "since": rfc3339(told.since),
            "until": rfc3339(told.until),
            "next_change_at": rfc3339(told.next_change_at),
            "gaps": [{"from": rfc3339(g.starts_at), "to": rfc3339(g.ends_at)} for g in gaps(s)],
        },
        "contract": contract_view(s),
        "freelancer": {"id": s.freelancer_id},
        "ten99policy": _ids_view(s, now),
        "attention": [attention_view(a) for a in attention(s)],
        "version": s.version,
        "updated_at": rfc3339(updated_at),
    }


def contract_view(s: Engagement) -> dict[str, Any]:
    terms, job = s.terms, s.job
    window = s.whole_window
    starts = window.starts_at if window else terms.starts_at if terms else None
    ends = window.ends_at if window else terms.ends_at if terms else None
    return {
        "title": terms.title if terms else None,
        "client_id": s.client_id,
        "offer_id": s.offer_id,
        "active": s.active and not s.over,
        "starts_at": rfc3339(starts),
        "ends_at": rfc3339(ends),
        "ended_at": rfc3339(s.ended_at),
        "wage": job.wage if job else None,
        "wage_type": job.wage_type if job else terms.pay.wage_type if terms and terms.pay else None,
    }


def _current(s: Engagement, now: int) -> tuple[str | None, str | None]:
    """The policy and the certificate that count: in force or coming, else the last known."""
    live = [span for span in spans(s) if not span.over(now)]
    policy = next((span.id for span in live if span.source == "policy"), None)
    certificate = next((span.id for span in live if span.source == "certificate"), None)
    return (
        policy
        or next(reversed(list(s.policies)), None)
        or (s.assignment.policy_id if s.assignment else None),
        certificate or next(reversed(list(s.certificates)), None),
    )


def _ids_view(s: Engagement, now: int) -> dict[str, Any]:
    policy, certificate = _current(s, now)
    return {
        "contractor": s.contractor_id,
        "job": s.job_id,
        "quote": s.quote_id,
        "session": {"id": s.session_id, "url": s.session_url} if s.session_id else None,
        "assignment": s.assignment.assignment_id if s.assignment else None,
        "policy": policy,
        "certificate": certificate,
        "opted_in": s.opted_in or bool(s.policies),
        "coverage_ended": s.coverage_ended,
    }


def _policy_view(s: Engagement, now: int) -> dict[str, Any] | None:
    policy = s.policies.get(_current(s, now)[0] or "")
    if policy is None:
        return None
    last = policy_spans(policy)[-1:]
    return {"id": policy.policy_id, "status": _policy_status(policy, last, now), **_span_view(last)}


def _policy_status(policy: Policy, last: tuple[Span, ...], now: int) -> str:
    if last and last[0].over(now):
        return last[0].over_by or "expired"
    return policy.news[-1].kind if policy.news else "unknown"


def _certificate_view(s: Engagement, now: int) -> dict[str, Any] | None:
    certificate: Certificate | None = s.certificates.get(_current(s, now)[1] or "")
    if certificate is None:
        return None
    last = certificate_spans(certificate)[-1:]
    status = "expired" if last and last[0].over(now) and not last[0].over_by else certificate.verdict
    return {"id": certificate.certificate_id, "status": status, **_span_view(last)}


def _span_view(last: tuple[Span, ...]) -> dict[str, Any]:
    return {
        "starts_at": rfc3339(last[0].start) if last else None,
        "ends_at": rfc3339(last[0].end) if last else None,
    }


def attention_view(item: Attention) -> dict[str, Any]:
    return {
        "code": item.code,
        "message": item.message,
        "since": rfc3339(item.since),
        "clears": item.clears,
        "step": item.step,
    }


def coverage_view(s: Engagement, told: Answer, at: int, known_at: datetime) -> dict[str, Any]:
    """Was it covered at ``at``, as known at ``known_at``."""
    stream_id = engagement_stream(s.engagement_id)
    return {
        "engagement_id": s.engagement_id,
        "at": rfc3339(at),
        "known_at": rfc3339(known_at),
        "covered": told.covered,
        "basis": told.basis,
        "state": s.state if s.version else None,
        "reason": told.reason,
        "since": rfc3339(told.since),
        "until": rfc3339(told.until),
        "next_change_at": rfc3339(told.next_change_at),
        "gaps": [{"from": rfc3339(g.starts_at), "to": rfc3339(g.ends_at)} for g in gaps(s)],
        "evidence": [event_id(stream_id, version) for version in told.evidence],
    }


def day_view(s: Engagement, told: Day, date: date, zone: str, known_at: datetime) -> dict[str, Any]:
    """How much of a day was covered, as known at ``known_at``."""
    stream_id = engagement_stream(s.engagement_id)
    words = {
        "all": "Covered for the whole day.",
        "part": "Covered for a part of the day only.",
        "none": "Not covered at any time of the day.",
        "unknown": "Whether the whole day is covered is not known.",
    }
    basis = {answered.basis for _, answered in told.answers if answered.covered}
    return {
        "engagement_id": s.engagement_id,
        "at": date.isoformat(),
        "tz": zone,
        "known_at": rfc3339(known_at),
        "covered": told.covered,
        "day": told.extent,
        "basis": basis.pop() if len(basis) == 1 else None,
        "state": s.state if s.version else None,
        "reason": f"{words[told.extent]} {told.answers[0][1].reason}",
        "parts": [{"from": rfc3339(p.starts_at), "to": rfc3339(p.ends_at)} for p in told.parts],
        "evidence": [event_id(stream_id, version) for version in told.evidence],
    }


def event_view(recorded: Recorded) -> dict[str, Any]:
    """One event of the history."""
    return {
        "id": event_id(recorded.stream_id, recorded.version),
        "version": recorded.version,
        "type": recorded.type,
        "data": codec.event_data(recorded.event),
        "recorded_at": rfc3339(recorded.recorded_at),
        "effective_at": rfc3339(recorded.effective_at),
        "cause": recorded.cause,
        "correlation": recorded.correlation,
        "actor": recorded.actor,
        "bucket": recorded.bucket,
        "position": recorded.position,
        "hash": recorded.hash.hex(),
    }


def delivery_view(stored: StoredDelivery) -> dict[str, Any]:
    """A delivery without its body, which may hold personal data."""
    return {
        "id": stored.id,
        "source": stored.delivery.source,
        "type": stored.type,
        "received_at": rfc3339(stored.delivery.received_at),
        "verdict": stored.delivery.verdict,
        "outcome": stored.outcome,
        "detail": stored.detail,
        "engagements": [stream.partition(":")[2] for stream in stored.streams],
        "processed_at": rfc3339(stored.processed_at),
        "attempt": stored.attempt,
        "skipped_at": rfc3339(stored.skipped_at),
        "size": len(stored.delivery.body),
    }
