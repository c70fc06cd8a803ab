"""Policies (fact sheet 6.6): issued on a completed application, or by POST."""

from typing import Any

from service.sandbox.ten99policy import cancellations
from service.sandbox.ten99policy.crud import narrowed, removed
from service.sandbox.ten99policy.dates import DEFAULT_TERM, good_end, new_window
from service.sandbox.ten99policy.events import announce
from service.sandbox.ten99policy.fields import Fields
from service.sandbox.ten99policy.pages import page
from service.sandbox.ten99policy.refusals import business
from service.sandbox.ten99policy.table import Row, Table
from service.sandbox.ten99policy.vendor import Ask, Route, Ten99Policy

OVERRIDABLE = frozenset({"effective_date", "expiration_date", "custom_metadata", "is_active", "status"})


def table(vendor: Ten99Policy) -> Table:
    return vendor.state.policies


def issue(vendor: Ten99Policy, contractor: str, quote: Row | None, overrides: Row | None = None) -> Row:
    """An active policy with the quote's window, cover and metadata; without a quote 30 days of general."""
    changes = overrides or {}
    start = quote["effective_date"] if quote else vendor.now()
    id = changes.get("id") or table(vendor).new_id()
    coverage = changes.get("coverage_type") or (quote["coverage_type"] if quote else ["general"])
    policy: Row = {
        "id": id,
        "quote": quote["id"] if quote else None,
        "contractor": contractor,
        "effective_date": start,
        "expiration_date": quote["end_date"] if quote else start + DEFAULT_TERM,
        "is_active": True,
        "status": "active",
        "certificates": _certificates(id, coverage),
        "pdf_url": f"https://files.sandbox.invalid/{id}.pdf",
        "cancellation_date": None,
        "created": vendor.now(),
    }
    if quote and quote.get("custom_metadata") is not None:
        policy["custom_metadata"] = quote["custom_metadata"]
    policy.update({name: value for name, value in changes.items() if name in OVERRIDABLE})
    vendor.state.note(id).update(coverage_type=coverage, expiration_date=policy["expiration_date"])
    return table(vendor).add(policy)


def _certificates(id: str, coverage: list[str]) -> dict[str, str | None]:
    url = f"https://files.sandbox.invalid/{id}"
    return {
        "gl_coi_pdf_url": f"{url}-gl-coi.pdf" if "general" in coverage else None,
        "wc_coi_pdf_url": f"{url}-wc-coi.pdf" if "workers-comp" in coverage else None,
    }


def current(vendor: Ten99Policy, policy: Row) -> Row:
    """A policy past its date is expired. No event tells of it: status and date do (fact sheet 8)."""
    if policy["status"] == "active" and policy["expiration_date"] <= vendor.now():
        table(vendor).change(policy["id"], {"status": "expired", "is_active": False})
    return policy


def active_of(vendor: Ten99Policy, contractor: str) -> list[Row]:
    """The contractor's active policies, oldest first; one that starts later counts."""
    held = table(vendor).where("contractor", contractor)
    return [policy for policy in held if current(vendor, policy)["status"] == "active"]


def matches(vendor: Ten99Policy, quote: Row) -> bool:
    """Whether an active policy has the quote's job, cover and window already."""
    quotes = vendor.state.quotes.rows
    bound = (quotes.get(policy["quote"]) for policy in active_of(vendor, quote["contractor"]))
    return any(other is not None and _terms(other) == _terms(quote) for other in bound)


def _terms(quote: Row) -> tuple[Any, ...]:
    return quote["job"], sorted(quote["coverage_type"]), quote["effective_date"], quote["end_date"]


def coverage_of(vendor: Ten99Policy, policy: Row) -> list[str]:
    coverage = vendor.state.note(policy["id"]).get("coverage_type", ["general"])
    return list(coverage)


def create(ask: Ask) -> Row:
    quote = ask.reference(ask.state.quotes, ask.body.get("quote", ask.body.get("quote_id")))
    given = _read(ask, {}, partial=False)
    given["effective_date"], given["expiration_date"] = new_window(
        ask.vendor.now(), given.get("effective_date"), given.get("expiration_date")
    )
    if table(ask.vendor).where("quote", quote["id"]):
        raise business("policy_already_exists", "A policy was already issued for this quote.")
    if given.get("is_active") is False:
        return issue(ask.vendor, quote["contractor"], quote, {**given, "status": "cancelled"})
    policy = issue(ask.vendor, quote["contractor"], quote, {**given, "is_active": True})
    announce(ask.vendor, "policy.active", policy, "policy")
    return policy


def update(ask: Ask) -> Row:
    """`is_active` switches cover off now, or on again (fact sheet 6.6)."""
    policy = current(ask.vendor, ask.row(table(ask.vendor)))
    given = _read(ask, policy, partial=True)
    wanted = given.pop("is_active", None)
    if "effective_date" in given or "expiration_date" in given:
        after = {**policy, **given}
        good_end(after["effective_date"], after["expiration_date"])
        ask.state.note(ask.id)["expiration_date"] = after["expiration_date"]
    table(ask.vendor).change(ask.id, given)
    if wanted is False and policy["is_active"]:
        cancellations.cancel_policy(ask.vendor, policy)
    if wanted is True and not policy["is_active"]:
        cancellations.reactivate_policy(ask.vendor, policy)
    return policy


def delete(ask: Ask) -> Row:
    """Cancels cover now and the contractor's assignments that start later."""
    policy = current(ask.vendor, ask.row(table(ask.vendor)))
    if policy["is_active"]:
        cancellations.cancel_policy(ask.vendor, policy)
    cancellations.cancel_later_assignments(ask.vendor, policy["contractor"])
    return removed(ask, table(ask.vendor))


def _read(ask: Ask, before: Row, partial: bool) -> Row:
    fields = Fields(ask.body, partial)
    fields.epoch("effective_date")
    fields.epoch("expiration_date")
    fields.flag("is_active")
    fields.metadata(before.get("custom_metadata"))
    return {name: value for name, value in fields.finish().items() if value is not None}


def retrieve(ask: Ask) -> Row:
    return current(ask.vendor, ask.row(table(ask.vendor)))


def list_all(ask: Ask) -> list[Row]:
    found = page(narrowed(table(ask.vendor), ask, ("quote", "contractor")), ask.query)
    return [current(ask.vendor, policy) for policy in found]


def list_of_contractor(ask: Ask) -> list[Row]:
    held = table(ask.vendor).where("contractor", ask.id)
    wanted = ask.query.get("quote")
    rows = {policy["id"]: policy for policy in held if wanted in (None, policy["quote"])}
    return [current(ask.vendor, policy) for policy in page(rows, ask.query)]


ROUTES = (
    Route("GET", "/policies", list_all),
    Route("POST", "/policies", create, 201),
    Route("GET", "/policies/{id}", retrieve),
    Route("PUT", "/policies/{id}", update),
    Route("DELETE", "/policies/{id}", delete),
)
