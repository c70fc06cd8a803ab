"""Assignments: cover for a contractor who has opted in before (fact sheet 6.7, guide 4.5)."""

from service.sandbox.ten99policy import policies
from service.sandbox.ten99policy.cancellations import can_be_cancelled, cancel_assignment
from service.sandbox.ten99policy.crud import listing, removed, retrieve
from service.sandbox.ten99policy.dates import check_start, good_end, new_window
from service.sandbox.ten99policy.events import announce
from service.sandbox.ten99policy.fields import Fields
from service.sandbox.ten99policy.invoices import any_paid
from service.sandbox.ten99policy.rates import net_rate
from service.sandbox.ten99policy.refusals import Refusal, business, invalid, not_found, unknown_reference
from service.sandbox.ten99policy.state import take_verdict
from service.sandbox.ten99policy.table import Row, Table
from service.sandbox.ten99policy.vendor import Ask, Route, Ten99Policy

ELIGIBLE = "Contractor is pre-approved for insurance coverage."


def table(vendor: Ten99Policy) -> Table:
    return vendor.state.assignments


def create(ask: Ask) -> Row:
    """201 also when not eligible; 400 only when the contractor holds no active policy at all."""
    given = _read(ask, {}, partial=False)
    contractor = ask.reference(ask.state.contractors, ask.body.get("contractor"))["id"]
    job = ask.reference(ask.state.jobs, ask.body.get("job"))["id"]
    start, end = new_window(ask.vendor.now(), given.get("effective_date"), given.get("end_date"))
    policy = _policy_for(ask, contractor)
    coverage = given.get("coverage_type") or policies.coverage_of(ask.vendor, policy)
    assignment = table(ask.vendor).add(
        {
            "id": table(ask.vendor).new_id(),
            "contractor": contractor,
            "job": job,
            "bind": True,
            **given,
            "effective_date": start,
            "end_date": end,
            "coverage_type": coverage,
            "policy": policy["id"],
            "eligible": _eligibility(ask),
            "net_rate": net_rate(coverage),
            "certificates": policy["certificates"],
            "cancelled": False,
            "cancellation_date": None,
            "cancellation_reason": None,
            "created": ask.vendor.now(),
        }
    )
    _tell_when_active(ask.vendor, assignment)
    return assignment


def _policy_for(ask: Ask, contractor: str) -> Row:
    """The one named in the body, or the contractor's latest active one."""
    active = policies.active_of(ask.vendor, contractor)
    if not active:
        raise business("no_active_policy", "No matching policy found for assignment.")
    wanted = ask.body.get("policy")
    found = [policy for policy in active if wanted in (None, policy["id"])]
    if not found:
        raise unknown_reference("policy", wanted)
    return found[-1]


def _eligibility(ask: Ask) -> Row:
    verdict = take_verdict(ask.state.assignment_verdicts)
    if verdict is None:
        return {"result": True, "message": ELIGIBLE}
    return {"result": verdict.result, "message": verdict.message or ELIGIBLE}


def _tell_when_active(vendor: Ten99Policy, assignment: Row) -> None:
    if assignment["bind"] and assignment["eligible"]["result"]:
        announce(vendor, "assignment.active", assignment, "assignment")


def update(ask: Ask) -> Row:
    """Window, cover and `bind`; never once cancelled."""
    before = ask.row(table(ask.vendor))
    given = _read(ask, before, partial=True)
    if before["cancelled"]:
        raise business("assignment_cancelled", "A cancelled assignment cannot be edited.")
    _refuse_when_paid(ask.vendor, before)
    after = {**before, **given}
    if after["effective_date"] != before["effective_date"]:
        check_start(ask.vendor.now(), after["effective_date"])
    given["end_date"] = good_end(after["effective_date"], after["end_date"])
    if "coverage_type" in given:
        given["net_rate"] = net_rate(given["coverage_type"])
    newly_bound = given.get("bind") is True and not before["bind"]
    assignment = table(ask.vendor).change(ask.id, given)
    if newly_bound:
        _tell_when_active(ask.vendor, assignment)
    return assignment


def cancel(ask: Ask) -> Row:
    """By `job_id`, before the start, for good."""
    fields = Fields(ask.body)
    fields.text("reason")
    reason = fields.finish().get("reason")
    if ask.body.get("job_id") is None:
        raise invalid(job_id="is required")
    job = ask.reference(ask.state.jobs, ask.body["job_id"])["id"]
    standing = [row for row in table(ask.vendor).where("job", job) if not row["cancelled"]]
    if not standing:
        raise not_found("assignment of job", job)
    coming = [row for row in standing if can_be_cancelled(ask.vendor, row)]
    if not coming:
        raise Refusal("assignment_already_started", "The assignment has started and cannot be cancelled.")
    for assignment in coming:
        cancel_assignment(ask.vendor, assignment, reason)
    return coming[-1]


def delete(ask: Ask) -> Row:
    _refuse_when_paid(ask.vendor, ask.row(table(ask.vendor)))
    return removed(ask, table(ask.vendor))


def _refuse_when_paid(vendor: Ten99Policy, assignment: Row) -> None:
    if any_paid(vendor, assignment["contractor"], assignment["job"]):
        raise business("invoice_already_paid", "The related invoice is paid.")


def _read(ask: Ask, before: Row, partial: bool) -> Row:
    fields = Fields(ask.body, partial)
    fields.epoch("effective_date")
    fields.epoch("end_date")
    fields.coverage()
    fields.flag("bind")
    fields.metadata(before.get("custom_metadata"))
    return {name: value for name, value in fields.finish().items() if value is not None}


ROUTES = (
    Route("GET", "/assignments", listing(table, "contractor", "job")),
    Route("POST", "/assignments", create, 201),
    Route("POST", "/assignments/cancel", cancel),
    Route("GET", "/assignments/{id}", retrieve(table)),
    Route("PUT", "/assignments/{id}", update),
    Route("DELETE", "/assignments/{id}", delete),
)
