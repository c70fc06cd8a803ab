"""What 1099Policy shows of policies and certificates, against what engagements show. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from domain.coverage import policy_spans
from domain.state import Certificate, Engagement, Policy
from service.clients.fields import instant
from service.clients.policies import status_of
from service.poll.facts import Fact

Row = Mapping[str, Any]

TYPES = {"active": "policy.active", "cancelled": "policy.canceled", "expired": "policy.expired"}
VERDICTS = {"approved": "validated", "flagged": "flagged", "denied": "denied", "error": "error"}


def policy_facts(row: Row, engagements: Sequence[Engagement], now: int) -> Iterator[Fact]:
    """The news that any of these engagements misses of the policy in ``row``.

    A status is dated by when it was seen: that it came after all news we have is certain, and when exactly
    the vendor does not say. What it means for cover is in its own dates.
    """
    status = status_of(row)
    if status is None or all(_shows(e.policies.get(str(row["id"])), row, status, now) for e in engagements):
        return
    held = [e.policies[str(row["id"])] for e in engagements if str(row["id"]) in e.policies]
    known = [news for policy in held for news in policy.news]
    latest = max((news.said_at for news in known), default=0)
    created = instant(row.get("created"))
    if not any(news.kind == "active" for news in known):
        yield _policy_fact(row, "active", latest, now if created is None else min(created, now), created)
        if status == "active":
            return
    yield _policy_fact(row, status, latest, max(now, latest), _since(row, status, now))


def running_policies(engagement: Engagement, now: int) -> list[str]:
    """The ids of its policies whose cover is not known to be over."""
    last = {id: policy_spans(policy)[-1:] for id, policy in engagement.policies.items()}
    return [id for id, spans in last.items() if spans and not spans[0].over(now)]


def gone_facts(id: str, engagements: Sequence[Engagement], now: int) -> Iterator[Fact]:
    """That a policy of which the vendor knows nothing any more is cancelled as of now."""
    for fact in policy_facts({"id": id, "status": "cancelled", "cancellation_date": now}, engagements, now):
        yield replace(fact, said_at=None)


def _since(row: Row, status: str, now: int) -> int | None:
    """Since when the vendor shows this, as far as it says so."""
    said = {
        "cancelled": instant(row.get("cancellation_date")),
        "expired": instant(row.get("expiration_date")),
    }.get(status)
    return said if said is not None and said <= now else None


def _policy_fact(row: Row, status: str, latest: int, at: int, said_at: int | None) -> Fact:
    id = str(row["id"])
    dates = {
        "active": (row.get("effective_date"), row.get("expiration_date")),
        "cancelled": (row.get("cancellation_date") or row.get("expiration_date"),),
        "expired": (row.get("expiration_date"),),
    }[status]
    key = ":".join(str(part) for part in ("poll:policy", id, status, *dates, latest))
    data = {**row, "object": "policy"}
    return Fact("1099policy", {"id": key, "type": TYPES[status], "created": at, "data": data}, id, said_at)


def _shows(policy: Policy | None, row: Row, status: str, now: int) -> bool:
    """Whether this evidence already says what the vendor shows."""
    if policy is None or not policy.news:
        return False
    last, spans = policy.news[-1], policy_spans(policy)
    starts, ends = instant(row.get("effective_date")), instant(row.get("expiration_date"))
    if status == "active":
        dated = spans and starts in (None, spans[-1].start) and ends in (None, spans[-1].end)
        return last.kind == "active" and bool(dated)
    if status == "cancelled":
        canceled_at = instant(row.get("cancellation_date"))
        moved = canceled_at is None and last.expires_at not in (None, ends)
        return last.kind == "canceled" and canceled_at in (None, last.ended_at) and not moved
    if last.kind == "active":
        return bool(spans) and spans[-1].over(now) and ends in (None, spans[-1].end)
    return True


def certificate_facts(row: Row, certificate: Certificate, now: int) -> Iterator[Fact]:
    """The verdict on a certificate, where the engagement shows another."""
    status = str(row.get("status"))
    verdict = VERDICTS.get(status)
    last = certificate.news[-1] if certificate.news else None
    until = instant(row.get("expiration_date"))
    same_term = verdict != "validated" or until is None or (last is not None and last.valid_until == until)
    if verdict is None or (certificate.verdict == verdict and same_term):
        return
    id, updated = certificate.certificate_id, instant(row.get("updated"))
    said_at = updated if updated is not None and (last is None or updated > last.said_at) else None
    at = said_at if said_at is not None else max(now, last.said_at if last else 0)
    key = f"poll:certificate:{id}:{status}:{until or ''}:{updated or at}"
    body = {"id": key, "type": f"certificate.{verdict}", "created": at, "data": {"object": {**row}}}
    yield Fact("1099policy", body, id, said_at)
