"""Contractors: the insured people (fact sheet 6.1, guide 4.1)."""

from service.sandbox.ten99policy import cancellations, policies
from service.sandbox.ten99policy.address import read_address
from service.sandbox.ten99policy.crud import listing, removed, retrieve
from service.sandbox.ten99policy.fields import Fields
from service.sandbox.ten99policy.refusals import Refusal, business
from service.sandbox.ten99policy.table import Row, Table
from service.sandbox.ten99policy.vendor import Ask, Route, Ten99Policy

NAMES = ("first_name", "last_name", "email")
EMPTY: Row = {
    "phone": None,
    "address": None,
    "middle_name": None,
    "company_name": None,
    "custom_metadata": {},
    "withhold_premium": False,
}


def table(vendor: Ten99Policy) -> Table:
    return vendor.state.contractors


def create(ask: Ask) -> Row:
    """Answers flat; `contact` comes back too when it was sent nested, as the guide prints it."""
    given = _read(ask, {}, partial=False)
    _must_be_unique(ask, given["email"])
    id = table(ask.vendor).new_id()
    return table(ask.vendor).add({"id": id, **EMPTY, **given, "created": ask.vendor.now()})


def update(ask: Ask) -> Row:
    before = ask.row(table(ask.vendor))
    given = _read(ask, before, partial=True)
    if "email" in given:
        _must_be_unique(ask, given["email"])
    if "contact" in before:
        given["contact"] = {**before["contact"], **{k: given[k] for k in NAMES if k in given}}
    return table(ask.vendor).change(ask.id, given)


def delete(ask: Ask) -> Row:
    """Also cancels the contractor's active policies."""
    ask.row(table(ask.vendor))
    cancellations.cancel_all_of(ask.vendor, ask.id)
    return removed(ask, table(ask.vendor))


def list_policies(ask: Ask) -> list[Row]:
    ask.row(table(ask.vendor))
    return policies.list_of_contractor(ask)


def _read(ask: Ask, before: Row, partial: bool) -> Row:
    contact = ask.body.get("contact")
    flat = {**ask.body, **contact} if isinstance(contact, dict) else ask.body
    fields = Fields(flat, partial)
    for name in NAMES:
        fields.text(name, required=True)
    for name in ("phone", "middle_name", "company_name"):
        fields.text(name)
    fields.flag("withhold_premium")
    fields.metadata(before.get("custom_metadata"))
    read_address(fields, ask.vendor.options.dialect)
    if "@" not in fields.found.get("email", "@"):
        fields.wrong["email"] = "must be an e-mail address"
    _refuse_the_other_shape(ask, fields)
    found = fields.finish()
    if isinstance(contact, dict):
        found["contact"] = contact
    return found


def _refuse_the_other_shape(ask: Ask, fields: Fields) -> None:
    dialect = ask.vendor.options.dialect
    if "contact" in ask.body and (dialect == "reference" or not isinstance(ask.body["contact"], dict)):
        fields.wrong["contact"] = "is not a field of a contractor"
    if dialect == "guide":
        fields.wrong.update({name: f"belongs into contact.{name}" for name in NAMES if name in ask.body})


def _must_be_unique(ask: Ask, email: str) -> None:
    if any(row["id"] != ask.id for row in table(ask.vendor).where("email", email)):
        raise _duplicate_email()


def _duplicate_email() -> Refusal:
    return business("duplicate_email", "A contractor with this email already exists.")


ROUTES = (
    Route("GET", "/contractors", listing(table, "email")),
    Route("POST", "/contractors", create, 201),
    Route("GET", "/contractors/{id}", retrieve(table)),
    Route("PUT", "/contractors/{id}", update),
    Route("DELETE", "/contractors/{id}", delete),
    Route("GET", "/contractors/{id}/policies", list_policies),
)
