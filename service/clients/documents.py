"""The guide's GraphQL documents, one that reads everything at once, and how answers become `Terms`."""

from collections.abc import Mapping
from typing import Any

from domain.values import Attachment, Pay, Person, Terms, WageType
from service.clients.fields import dig, id_of, instant, is_nothing, rows_at, text

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
        title=text(contract.get("title")),
        description=text(contract.get("description")),
        pay=_pay(contract),
        category=text(dig(contract, "category.name")),
        starts_at=instant(contract.get("startDate")),
        ends_at=instant(contract.get("endDate")),
        person=Person(
            display_name=text(freelancer.get("displayName")),
            country=text(dig(freelancer, "location.country")),
            region=text(dig(freelancer, "location.region")),
            city=text(dig(freelancer, "location.locality")),
        ),
        attachments=attachments(contract, "attachments", address="url"),
    )


def _pay(contract: Mapping[str, Any]) -> Pay | None:
    """By which is set (guide 4.2)."""
    rate, budget = contract.get("hourlyRate"), contract.get("fixedBudget")
    return first_set(_amount("hourly", rate), _amount("flatfee", budget))


def _amount(wage_type: WageType, money: Any) -> Pay | None:
    amount = dig(money, "amount")
    return None if amount is None else Pay(wage_type, str(amount), text(dig(money, "currency")))


def first_set(*shown: Pay | None) -> Pay | None:
    """The first that is not zero, which may stand for what is not set; else the first there is."""
    there = [pay for pay in shown if pay is not None]
    return next((pay for pay in there if not is_nothing(pay.amount)), there[0] if there else None)


def attachments(contract: Mapping[str, Any], path: str, address: str) -> tuple[Attachment, ...]:
    """The files listed at ``path``; ``address`` is what a file's URL is called there."""
    return tuple(
        Attachment(id, text(row.get("fileName")) or "", url, text(row.get("contentType")))
        for row in rows_at(contract, path)
        if (id := id_of(row.get("id"))) and (url := text(row.get(address)))
    )
