"""The guide's GraphQL documents, one that reads everything at once, and how answers become `Terms`."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from domain.values import Attachment, Pay, Person, Terms
from service.clients.fields import dig

GUIDE_DOCUMENTS = {
    "ContractById": """query ContractById($id: ID!) {
  contract(id: $id) {
    id
    title
    description
    hourlyRate { amount }
    fixedBudget { amount }
    category { name }
  }
}""",
    "ContractDates": """query ContractDates($id: ID!) {
  contract(id: $id) {
    startDate
    endDate
  }
}""",
    "ContractAttachments": """query ContractAttachments($id: ID!) {
  contract(id: $id) {
    id
    attachments {
      id
      fileName
      url
      contentType
    }
  }
}""",
    "FreelancerById": """query FreelancerById($id: ID!) {
  freelancer(id: $id) {
    id
    displayName
    location { country region locality }
  }
}""",
}
"""As printed in guide 4.1, 4.2, 4.3 and 4.6."""

_COMBINED = """query EngagementById($contractId: ID!, $freelancerId: ID!) {
  contract(id: $contractId) {
    id
    title
    description
    hourlyRate { %(money)s }
    fixedBudget { %(money)s }
    category { name }
    startDate
    endDate
    attachments { id fileName url contentType }
  }
  freelancer(id: $freelancerId) {
    id
    displayName
    location { country region locality }
  }
}"""

COMBINED = (_COMBINED % {"money": "amount currency"}, _COMBINED % {"money": "amount"})
"""All four at once, first with the currency, which the guide's documents leave out: pay in euros must
not pass for dollars where the server can tell them apart."""


def terms_of_guide(contract: Mapping[str, Any], freelancer: Mapping[str, Any]) -> Terms:
    """The guide's ``contract`` and ``freelancer`` as our one internal record."""
    return Terms(
        title=_text(contract.get("title")),
        description=_text(contract.get("description")),
        pay=_pay(contract),
        category=_text(dig(contract, "category.name")),
        starts_at=instant(contract.get("startDate")),
        ends_at=instant(contract.get("endDate")),
        person=Person(
            display_name=_text(freelancer.get("displayName")),
            country=_text(dig(freelancer, "location.country")),
            region=_text(dig(freelancer, "location.region")),
            city=_text(dig(freelancer, "location.locality")),
        ),
        attachments=tuple(_attachments(contract.get("attachments"))),
    )


def _text(value: Any) -> str | None:
    """What the text says; NUL, which JSON may hold and Postgres may not, says nothing."""
    return value.replace("\x00", "").strip() or None if isinstance(value, str) else None


def _id(value: Any) -> str | None:
    number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if number else _text(value)


def _pay(contract: Mapping[str, Any]) -> Pay | None:
    for field, wage_type in (("hourlyRate", "hourly"), ("fixedBudget", "flatfee")):
        amount = dig(contract, f"{field}.amount")
        if amount is not None:
            return Pay(
                "hourly" if wage_type == "hourly" else "flatfee",
                str(amount),
                _text(dig(contract, f"{field}.currency")),
            )
    return None


def _attachments(listed: Any) -> list[Attachment]:
    rows = [row for row in listed if isinstance(row, Mapping)] if isinstance(listed, list) else []
    return [
        Attachment(id, _text(row.get("fileName")) or "", url, _text(row.get("contentType")))
        for row in rows
        if (id := _id(row.get("id"))) and (url := _text(row.get("url")))
    ]


_EPOCH = re.compile(r"[0-9]{1,17}")
_OFFSET = re.compile(r"([+-]\d{2})(\d{2})$")
_YEAR_10000 = 253_402_300_800


def instant(value: Any) -> int | None:
    """Epoch seconds of a date as Upwork may write it, or None where there is none to read.

    Takes ``yyyy-MM-dd`` (the start of that day in UTC), ISO with Z, +hhmm or +hh:mm, and epoch seconds
    or milliseconds (Upwork facts, section 5), from 1970 to 9999. A time without an offset is UTC.
    """
    if isinstance(value, bool) or value is None:
        return None
    seconds = _seconds(value.strip() if isinstance(value, str) else value)
    return seconds if seconds is not None and 0 <= seconds < _YEAR_10000 else None


def _seconds(value: Any) -> int | None:
    try:
        if isinstance(value, int | float) or (isinstance(value, str) and _EPOCH.fullmatch(value)):
            number = int(value)
            return number // 1000 if number > 100_000_000_000 else number
        if not isinstance(value, str):
            return None
        moment = datetime.fromisoformat(_OFFSET.sub(r"\1:\2", value))
    except (ValueError, OverflowError):
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
