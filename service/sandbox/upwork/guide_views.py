"""Records as the guide's documents read them (guide sections 4.1, 4.2, 4.3 and 4.6)."""

from typing import Any

from service.sandbox.upwork import dates
from service.sandbox.upwork.money import as_json_number
from service.sandbox.upwork.records import Attachment, Contract, Freelancer, Pay


def contract_view(contract: Contract, origin: str) -> dict[str, Any]:
    return {
        "id": contract.id,
        "title": contract.title,
        "description": contract.description,
        "hourlyRate": _amount(contract.hourly_rate),
        "fixedBudget": _amount(contract.fixed_budget),
        "category": contract.category,
        "startDate": dates.shown(contract.starts),
        "endDate": dates.shown(contract.ends),
        "attachments": attachment_views(contract.attachments, origin),
    }


def freelancer_view(freelancer: Freelancer) -> dict[str, Any]:
    return {
        "id": freelancer.id,
        "displayName": freelancer.display_name,
        "location": freelancer.location if isinstance(freelancer.location, dict) else None,
        "email": freelancer.email,
    }


def attachment_views(attachments: list[Attachment] | None, origin: str) -> list[dict[str, Any]] | None:
    if attachments is None:
        return None
    return [
        {
            "id": each.id,
            "fileName": each.file_name,
            "url": attachment_url(each, origin),
            "contentType": each.content_type,
        }
        for each in attachments
    ]


def attachment_url(attachment: Attachment, origin: str) -> Any:
    """Hosted files live on this server, wherever it was reached."""
    return origin + attachment.url if attachment.hosted else attachment.url


def _amount(pay: Pay | None) -> dict[str, Any] | None:
    return None if pay is None else {"amount": as_json_number(pay.amount), "currency": pay.currency}
