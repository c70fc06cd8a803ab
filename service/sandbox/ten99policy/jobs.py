"""Jobs: what the work is and pays (fact sheet 6.3, guide 4.2)."""

from service.sandbox.ten99policy.address import read_address
from service.sandbox.ten99policy.categories import check_category
from service.sandbox.ten99policy.crud import listing, removed, retrieve
from service.sandbox.ten99policy.fields import WAGE_TYPES, Fields
from service.sandbox.ten99policy.refusals import business
from service.sandbox.ten99policy.table import Row, Table
from service.sandbox.ten99policy.vendor import Ask, Route, Ten99Policy

LEAST_WAGE, MOST_WAGE = 100, 1_000_000_000
EMPTY: Row = {
    "years_experience": None,
    "duration_hours": None,
    "address": None,
    "custom_metadata": {},
    "withhold_premium": False,
}


def table(vendor: Ten99Policy) -> Table:
    return vendor.state.jobs


def create(ask: Ask) -> Row:
    given = _read(ask, {}, partial=False)
    entity = ask.reference(ask.state.entities, ask.body.get("entity"))
    category = check_category(ask.vendor.options.dialect, ask.body.get("category_code"))
    return table(ask.vendor).add(
        {
            "id": table(ask.vendor).new_id(),
            "entity": entity["id"],
            "category_code": category,
            **EMPTY,
            **given,
            "created": ask.vendor.now(),
        }
    )


def update(ask: Ask) -> Row:
    """A job is locked once it has an invoice; its category is fixed (fact sheet 6.3)."""
    before = ask.row(table(ask.vendor))
    given = _read(ask, before, partial=True)
    if "entity" in ask.body:
        given["entity"] = ask.reference(ask.state.entities, ask.body["entity"])["id"]
    if ask.state.invoices.where("job", ask.id):
        raise business("invoice_exists", "The job has an invoice and can no longer be changed.")
    return table(ask.vendor).change(ask.id, given)


def delete(ask: Ask) -> Row:
    ask.row(table(ask.vendor))
    users = (ask.state.quotes, ask.state.assignments, ask.state.invoices)
    if any(user.where("job", ask.id) for user in users):
        raise business("job_is_used", "The job is in use and cannot be deleted.")
    return removed(ask, table(ask.vendor))


def _read(ask: Ask, before: Row, partial: bool) -> Row:
    fields = Fields(ask.body, partial)
    fields.text("name", required=True)
    fields.text("description", required=True)
    fields.cents("wage", LEAST_WAGE, MOST_WAGE, required=True)
    fields.choice("wage_type", WAGE_TYPES, required=True)
    fields.number("years_experience")
    fields.number("duration_hours")
    fields.flag("withhold_premium")
    fields.metadata(before.get("custom_metadata"))
    read_address(fields, ask.vendor.options.dialect, region_required=True)
    if "region" in ask.body:
        if ask.vendor.options.dialect == "reference":
            fields.wrong["region"] = "is not a field of a job"
        fields.text("region")
    return fields.finish()


ROUTES = (
    Route("GET", "/jobs", listing(table)),
    Route("POST", "/jobs", create, 201),
    Route("GET", "/jobs/{id}", retrieve(table)),
    Route("PUT", "/jobs/{id}", update),
    Route("DELETE", "/jobs/{id}", delete),
)
