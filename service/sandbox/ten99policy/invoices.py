"""Invoices: what was really paid, and the premium due on it (fact sheet 6.8, guide 4.7)."""

from service.sandbox.ten99policy.crud import listing, removed, retrieve
from service.sandbox.ten99policy.events import announce
from service.sandbox.ten99policy.fields import Fields
from service.sandbox.ten99policy.rates import RATES, premium
from service.sandbox.ten99policy.refusals import Refusal, business
from service.sandbox.ten99policy.table import Row, Table
from service.sandbox.ten99policy.vendor import Ask, Route, Ten99Policy

LEAST_PAY, MOST_PAY = 100, 100_000_000


def table(vendor: Ten99Policy) -> Table:
    return vendor.state.invoices


def create(ask: Ask) -> Row:
    given = _read(ask, partial=False)
    contractor = ask.reference(ask.state.contractors, ask.body.get("contractor"))["id"]
    job = ask.reference(ask.state.jobs, ask.body.get("job"))
    _check_cycle(given)
    metadata = job["custom_metadata"] or {}
    return table(ask.vendor).add(
        {
            "id": table(ask.vendor).new_id(),
            "contractor": contractor,
            "job": job["id"],
            "purchase_order_number": metadata.get("purchase_order_number"),
            **given,
            "premium_due": premium(given["gross_pay"], _rate(ask.vendor, contractor, job["id"])),
            "created": ask.vendor.now(),
        }
    )


def update(ask: Ask) -> Row:
    """Paid is final. A changed pay is priced again under the same id."""
    before = ask.row(table(ask.vendor))
    given = _read(ask, partial=True)
    _check_cycle({**before, **given})
    _refuse_when_paid(ask.vendor, ask.id)
    if "gross_pay" in given:
        rate = _rate(ask.vendor, before["contractor"], before["job"])
        given["premium_due"] = premium(given["gross_pay"], rate)
    return table(ask.vendor).change(ask.id, given)


def delete(ask: Ask) -> Row:
    ask.row(table(ask.vendor))
    _refuse_when_paid(ask.vendor, ask.id)
    return removed(ask, table(ask.vendor))


def charge(vendor: Ten99Policy, invoice: Row, succeeded: bool) -> None:
    """The card was charged, or not; told either way."""
    vendor.state.note(invoice["id"])["paid"] = succeeded
    outcome = "succeeded" if succeeded else "failed"
    announce(vendor, f"invoice.charge_card_{outcome}", invoice, "invoice")


def any_paid(vendor: Ten99Policy, contractor: str, job: str) -> bool:
    invoices = (row for row in table(vendor).where("job", job) if row["contractor"] == contractor)
    return any(_is_paid(vendor, row["id"]) for row in invoices)


def _is_paid(vendor: Ten99Policy, id: str) -> bool:
    return vendor.state.notes.get(id, {}).get("paid", False) is True


def _refuse_when_paid(vendor: Ten99Policy, id: str) -> None:
    if _is_paid(vendor, id):
        raise business("invoice_already_paid", "The invoice is paid.")


def _rate(vendor: Ten99Policy, contractor: str, job: str) -> int:
    """Of the contractor's latest assignment or quote for the job; general cover when there is none."""
    for priced in (vendor.state.assignments, vendor.state.quotes):
        for row in reversed(priced.where("job", job)):
            if row["contractor"] == contractor:
                return int(row["net_rate"])
    return RATES["general"]


def _check_cycle(invoice: Row) -> None:
    """The guide's example starts and ends on the same second."""
    if invoice["paycycle_enddate"] < invoice["paycycle_startdate"]:
        raise Refusal("invalid_paycycle_enddate", "The pay cycle must not end before it starts.")


def _read(ask: Ask, partial: bool) -> Row:
    fields = Fields(ask.body, partial)
    fields.cents("gross_pay", LEAST_PAY, MOST_PAY, required=True)
    fields.epoch("paycycle_startdate", required=True)
    fields.epoch("paycycle_enddate", required=True)
    fields.text("purchase_order_number")
    fields.metadata()
    found = fields.finish()
    if found.get("purchase_order_number") == "":
        found["purchase_order_number"] = None
    return found


ROUTES = (
    Route("GET", "/invoices", listing(table, "contractor", "job")),
    Route("POST", "/invoices", create, 201),
    Route("GET", "/invoices/{id}", retrieve(table)),
    Route("PUT", "/invoices/{id}", update),
    Route("DELETE", "/invoices/{id}", delete),
)
