"""What Upwork's lists of offers and contracts say, against what engagements show. Pure."""

from collections.abc import Iterator
from typing import Any

from domain.state import Engagement
from service.clients.rows import ContractRow, OfferRow
from service.poll.facts import Fact

DAY = 86_400


def offer_facts(offer: OfferRow, contract: ContractRow | None, now: int) -> Iterator[Fact]:
    """All news of an accepted offer whose contract nobody here knows. An end comes first: then
    nothing is made of a contract that is over."""
    assert offer.contract_id is not None
    names: dict[str, dict[str, Any]] = {
        "offer": {"id": offer.offer_id},
        "contract": {"id": offer.contract_id},
        "freelancer": {"id": offer.freelancer_id},
        "client": {"id": offer.client_id},
    }
    key = f"poll:offer:{offer.offer_id}:accepted:{offer.contract_id}"
    accepted = _fact("offer.accepted", key, names, offer.updated_at, now, offer.contract_id)
    news = list(contract_facts(contract, Engagement(offer.contract_id), now)) if contract else []
    over = any(fact.type == "contract.ended" for fact in news)
    yield from (*news, accepted) if over else (accepted, *news)


def contract_facts(row: ContractRow, engagement: Engagement, now: int) -> Iterator[Fact]:
    """The contract's start or end, where the engagement does not show it."""
    names: dict[str, dict[str, Any]] = {
        "offer": {"id": row.offer_id},
        "contract": {"id": row.contract_id},
        "freelancer": {"id": row.freelancer_id},
        "client": {"id": row.client_id},
    }
    if row.status == "CLOSED" and not engagement.over:
        ended = _ended(row, now)
        names["contract"]["endedAt"] = ended
        key = f"poll:contract:{row.contract_id}:closed:{ended}"
        yield _fact("contract.ended", key, names, row.modified, now, row.contract_id)
    if row.status == "ACTIVE" and not engagement.active and not engagement.over:
        key = f"poll:contract:{row.contract_id}:active"
        yield _fact("contract.active", key, names, row.modified, now, row.contract_id)


def _ended(row: ContractRow, now: int) -> int:
    """When a contract ended: a bare date is sharpened by the hour at which the contract last changed."""
    ended, changed = row.ended_at, row.modified
    if ended is None or ended > now:
        return now if changed is None else min(changed, now)
    if ended % DAY == 0 and changed is not None and ended <= changed < ended + DAY:
        return changed
    return ended


def _fact(
    type: str, key: str, names: dict[str, dict[str, Any]], said_at: int | None, now: int, about: str
) -> Fact:
    data = {name: value for name, value in names.items() if value["id"] is not None}
    at = now if said_at is None else said_at
    return Fact("upwork", {"id": key, "type": type, "createdAt": at, "data": data}, about, said_at)
