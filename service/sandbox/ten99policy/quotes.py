"""Quotes (fact sheet 6.4, guide 4.3)."""

from service.sandbox.ten99policy import policies
from service.sandbox.ten99policy.address import region_of
from service.sandbox.ten99policy.crud import listing, retrieve
from service.sandbox.ten99policy.dates import check_start, good_end, new_window
from service.sandbox.ten99policy.fields import Fields, need_general
from service.sandbox.ten99policy.rates import quoted_rates
from service.sandbox.ten99policy.refusals import business
from service.sandbox.ten99policy.state import take_verdict
from service.sandbox.ten99policy.table import Row, Table
from service.sandbox.ten99policy.vendor import Ask, Route, Ten99Policy

MONOPOLISTIC_STATES = frozenset({"ND", "OH", "WA", "WY"})


def table(vendor: Ten99Policy) -> Table:
    return vendor.state.quotes


def create(ask: Ask) -> Row:
    given = _read(ask, {}, partial=False)
    contractor = ask.reference(ask.state.contractors, ask.body.get("contractor"))
    job = ask.reference(ask.state.jobs, ask.body.get("job"))
    given["effective_date"], given["end_date"] = new_window(
        ask.vendor.now(), given.get("effective_date"), given.get("end_date")
    )
    quote = {"id": table(ask.vendor).new_id(), "contractor": contractor["id"], "job": job["id"], **given}
    _check_business(ask, quote)
    verdict = take_verdict(ask.state.quote_verdicts)
    return table(ask.vendor).add(
        {
            **quote,
            "eligible": verdict.result if verdict else True,
            **quoted_rates(quote["coverage_type"]),
            "created": ask.vendor.now(),
        }
    )


def update(ask: Ask) -> Row:
    """Not once a policy was issued on it."""
    before = ask.row(table(ask.vendor))
    if ask.state.policies.where("quote", ask.id):
        raise business("cant_update_create_new_quote", "The quote is bound; make a new one.")
    given = _read(ask, before, partial=True)
    for name, owners in (("contractor", ask.state.contractors), ("job", ask.state.jobs)):
        if name in ask.body:
            given[name] = ask.reference(owners, ask.body[name])["id"]
    if "effective_date" in given and given["effective_date"] != before["effective_date"]:
        check_start(ask.vendor.now(), given["effective_date"])
    after = {**before, **given}
    given["end_date"] = good_end(after["effective_date"], after["end_date"])
    _check_business(ask, after)
    return table(ask.vendor).change(ask.id, {**given, **quoted_rates(after["coverage_type"])})


def _read(ask: Ask, before: Row, partial: bool) -> Row:
    fields = Fields(ask.body, partial)
    fields.coverage(required=True)
    fields.epoch("effective_date")
    fields.epoch("end_date")
    fields.metadata(before.get("custom_metadata"))
    found = fields.finish()
    return {name: value for name, value in found.items() if value is not None or not partial}


def _check_business(ask: Ask, quote: Row) -> None:
    contractor = ask.reference(ask.state.contractors, quote["contractor"])
    job = ask.reference(ask.state.jobs, quote["job"])
    need_general(quote["coverage_type"], region_of(contractor))
    work_state = region_of(job) or region_of(contractor)
    if "workers-comp" in quote["coverage_type"] and work_state in MONOPOLISTIC_STATES:
        raise business("bad_request", f"Workers' compensation is not available in {work_state}.")
    if policies.matches(ask.vendor, quote):
        raise business("contractor_has_matching_policy", "Contractor already has a matching policy on file")


ROUTES = (
    Route("GET", "/quotes", listing(table)),
    Route("POST", "/quotes", create, 201),
    Route("GET", "/quotes/{id}", retrieve(table)),
    Route("PUT", "/quotes/{id}", update),
)
