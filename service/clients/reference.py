"""The reference's GraphQL documents, and how their answers become `Terms` (Upwork facts, section 6.1)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from domain.values import ContractKind, Pay, Person, Terms
from service.clients.documents import attachments, first_set
from service.clients.fields import dig, id_of, instant, is_nothing, rows_at, text

T = TypeVar("T")
Record = Mapping[str, Any]
Money = tuple[str, str | None]
"""Decimal text and its currency."""

DAY = int(timedelta(days=1).total_seconds())

_CONTRACT = """contractDetails(id: %s) {
    id
    title
    kind
    startDate
    endDate
    freelancer { id name firstName lastName }
    clientOrganization { id }
    offer {
      description
      payrollOffer
      offerTerms {
        expectedStartDate
        expectedEndDate
        fixedPriceTerm { budget { rawValue currency } }
      }
    }
    job {
      content { description }
      classification { category { id name } subCategory { id name } }
      contractTerms { contractStartDate contractEndDate }
      attachment { id fileName link contentType }
    }
    terms {
      hourlyTerms { id startDate endDate hourlyRate { rawValue currency } }
      fixedPriceTerms {
        id
        startDate
        endDate
        fixedAmount { rawValue currency }
        milestones { state depositAmount { rawValue currency } }
      }
      stipendTerms { id stipendAmount { rawValue currency } }
    }
  }"""

_FREELANCER = """userDetails(id: %s) {
    id
    name
    firstName
    lastName
    email
    location { countryName stateCode cityName }
  }"""


def _document(head: str, *fields: str) -> str:
    return "\n  ".join((f"query {head} {{", *fields)) + "\n}"


ENGAGEMENT = _document(
    "EngagementById($contractId: ID!, $freelancerId: ID!)",
    _CONTRACT % "$contractId",
    _FREELANCER % "$freelancerId",
)
CONTRACT_DETAILS = _document("ContractDetailsById($id: ID!)", _CONTRACT % "$id")
USER_DETAILS = _document("UserDetailsById($id: ID!)", _FREELANCER % "$id")

PLACES: Mapping[str, tuple[str, ...]] = {
    "title": ("title",),
    "description": ("offer.description", "job.content.description"),
    "starts_at": (
        "startDate",
        "offer.offerTerms.expectedStartDate",
        "job.contractTerms.contractStartDate",
    ),
    "ends_at": ("endDate", "offer.offerTerms.expectedEndDate", "job.contractTerms.contractEndDate"),
    "category": ("job.classification.category.name",),
    "category_id": ("job.classification.category.id",),
    "subcategory": ("job.classification.subCategory.name",),
    "subcategory_id": ("job.classification.subCategory.id",),
    "client_id": ("clientOrganization.id",),
    "freelancer_id": ("freelancer.id",),
    "display_name": ("user.name", "freelancer.name"),
    "first_name": ("user.firstName", "freelancer.firstName"),
    "last_name": ("user.lastName", "freelancer.lastName"),
    "email": ("user.email",),
    "country": ("user.location.countryName",),
    "region": ("user.location.stateCode",),
    "city": ("user.location.cityName",),
}
"""Where each of our fields stands, the first that says something wins. ``user`` is the freelancer's own
record, which a key without its scope may not read; ``freelancer`` is how the contract names them."""


def terms_of_reference(contract: Record, freelancer: Record, now: int) -> Terms:
    """``contractDetails`` and ``userDetails`` as our one internal record; pay as it is in force ``now``."""
    record = {**contract, "user": freelancer}

    def said(field: str, read: Callable[[Any], T | None]) -> T | None:
        return next((v for path in PLACES[field] if (v := read(dig(record, path))) is not None), None)

    hourly = term_in_force(rows_at(contract, "terms.hourlyTerms"), now)
    fixed = term_in_force(rows_at(contract, "terms.fixedPriceTerms"), now)
    return Terms(
        title=said("title", text),
        description=said("description", text),
        pay=_pay(contract, hourly, fixed),
        category=said("category", text),
        starts_at=said("starts_at", instant),
        ends_at=said("ends_at", instant),
        person=Person(
            display_name=said("display_name", text),
            first_name=said("first_name", text),
            last_name=said("last_name", text),
            email=said("email", text),
            country=said("country", text),
            region=said("region", text),
            city=said("city", text),
        ),
        attachments=attachments(contract, "job.attachment", address="link"),
        category_id=said("category_id", id_of),
        client_id=said("client_id", id_of),
        freelancer_id=said("freelancer_id", id_of),
        subcategory=said("subcategory", text),
        subcategory_id=said("subcategory_id", id_of),
        term_id=id_of((hourly or fixed).get("id")),
        kind=_kind(contract),
    )


def term_in_force(terms: Sequence[Record], now: int) -> Record:
    """Terms are a contract's history: the one in force, else the next to begin, else the latest."""
    ordered = sorted(terms, key=_begins)
    in_force = [term for term in ordered if _begins(term) <= now < _over(term)]
    ahead = [term for term in ordered if _begins(term) > now]
    return (in_force[-1:] or ahead[:1] or ordered[-1:] or [{}])[0]


def _begins(term: Record) -> int:
    return instant(term.get("startDate")) or 0


def _over(term: Record) -> float:
    """A term that ends on a day without a time is in force on that day."""
    ends = instant(term.get("endDate"))
    if ends is None:
        return float("inf")
    return ends + (DAY if len(str(term["endDate"]).strip()) == len("yyyy-MM-dd") else 0)


def _pay(contract: Record, hourly: Record, fixed: Record) -> Pay | None:
    """By which is set, as in the guide; a fixed price stands in the term, the offer or its milestones."""
    budget = dig(contract, "offer.offerTerms.fixedPriceTerm.budget")
    prices = (_money(fixed.get("fixedAmount")), _money(budget), _sum(rows_at(fixed, "milestones")))
    rate = _money(hourly.get("hourlyRate"))
    return first_set(
        Pay("hourly", *rate) if rate else None, *(Pay("flatfee", *price) for price in prices if price)
    )


def _money(value: Any) -> Money | None:
    amount = dig(value, "rawValue")
    number = isinstance(amount, int | float) and not isinstance(amount, bool)
    raw = str(amount) if number else text(amount)
    return (raw, text(dig(value, "currency"))) if raw else None


_NEVER_PAID = ("NotFundedClosed", "CancelledByClient", "CancelledByFreelancer", "CancelledByUpwork")


def _sum(milestones: Sequence[Record]) -> Money | None:
    """All that is still to be paid or was. None where the currencies differ: there is no one price then."""
    due = [m for m in milestones if m.get("state") not in (*_NEVER_PAID, "OfferCancelled")]
    parts = [money for m in due if (money := _money(m.get("depositAmount")))]
    if len({currency for _, currency in parts}) != 1:
        return None
    unreadable = [money for money in parts if not _is_number(money[0])]
    if unreadable:
        return unreadable[0]  # it goes on as it is, and the mapping says what is wrong with it
    return str(sum((Decimal(raw) for raw, _ in parts), Decimal())), parts[0][1]


def _is_number(raw: str) -> bool:
    try:
        return Decimal(raw).is_finite()
    except InvalidOperation:
        return False


def _kind(contract: Record) -> ContractKind | None:
    if contract.get("kind") == "PAYROLL" or dig(contract, "offer.payrollOffer") is True:
        return "payroll"
    stipends = [_money(row.get("stipendAmount")) for row in rows_at(contract, "terms.stipendTerms")]
    paid = any(stipend and not is_nothing(stipend[0]) for stipend in stipends)
    if contract.get("kind") == "WEEKLY_RETAINER" or paid:
        return "weekly_retainer"
    return None
