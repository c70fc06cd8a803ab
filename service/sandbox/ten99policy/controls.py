"""What a test can make this sandbox do, under `/_control`."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from service.sandbox.control import CONTROL, control_answer, control_body
from service.sandbox.ten99policy import cancellations, certificates, invoices, policies, sessions
from service.sandbox.ten99policy.events import announce, emit
from service.sandbox.ten99policy.refusals import Refusal, invalid, not_found, unknown_reference
from service.sandbox.ten99policy.state import Verdict
from service.sandbox.ten99policy.table import Row, Table
from service.sandbox.ten99policy.vendor import Ten99Policy

MISMATCH = "Job category mismatch. The policy on file does not cover this job's category."
POLICY_FIELDS = ("cancellation_date", "expiration_date", "effective_date", "custom_metadata")

# Does the deed to the object named in the path, with the JSON body; gives the object back.
Deed = Callable[[Ten99Policy, Row, Row], Row]


def add_controls(app: web.Application, vendor: Ten99Policy) -> None:
    def on(table: Table, action: str, deed: Deed) -> None:
        async def handle(request: web.Request) -> web.Response:
            id, body = request.match_info["id"], await control_body(request)
            if id not in table.rows:
                raise not_found(table.singular, id)
            return control_answer(deed(vendor, table.rows[id], body))

        app.router.add_post(f"{CONTROL}/{table.name}/{{id}}/{action}", handle)

    def plain(path: str, deed: Callable[[Ten99Policy, Row], Any], status: int = 200) -> None:
        async def handle(request: web.Request) -> web.Response:
            return control_answer(deed(vendor, await control_body(request)), status)

        app.router.add_post(f"{CONTROL}/{path}", handle)

    on(vendor.state.sessions, "complete", complete_session)
    on(vendor.state.sessions, "step", set_step)
    on(vendor.state.policies, "expire", _policy_deed(cancellations.expire_policy))
    on(vendor.state.policies, "cancel", _policy_deed(cancellations.cancel_policy))
    on(vendor.state.policies, "reactivate", _policy_deed(cancellations.reactivate_policy))
    on(vendor.state.invoices, "charge", charge)
    for verdict in certificates.VERDICTS:
        on(vendor.state.certificates, verdict, _certificate_deed(verdict))
    plain("policies", create_policy, 201)
    plain("decisions", order_decisions)
    plain("emit", emit_any, 201)


def complete_session(vendor: Ten99Policy, session: Row, body: Row) -> Row:
    """The policy; 409 when the session is over. The body overrides dates and metadata of the policy."""
    try:
        return sessions.complete(vendor, session, body)
    except Refusal as refusal:
        refusal.status = 409
        raise


def set_step(vendor: Ten99Policy, session: Row, body: Row) -> Row:
    """`{"step": "add_card_details"}`: as far as the contractor has come."""
    if body.get("step") not in sessions.STEPS[:-1]:
        raise invalid(step=f"must be one of {', '.join(sessions.STEPS[:-1])}")
    return vendor.state.sessions.change(session["id"], {"step": body["step"]})


def _policy_deed(deed: Callable[[Ten99Policy, Row, Row, str | None], None]) -> Deed:
    """`{"event"?, "cancellation_date"?, "expiration_date"?, "effective_date"?, "custom_metadata"?}`."""

    def act(vendor: Ten99Policy, policy: Row, body: Row) -> Row:
        changes = {name: body[name] for name in POLICY_FIELDS if name in body}
        deed(vendor, policy, changes, body.get("event"))
        return policy

    return act


def _certificate_deed(verdict: str) -> Deed:
    """`{"event"?, "effective_date"?, "expiration_date"?, "message"?}`."""

    def act(vendor: Ten99Policy, certificate: Row, body: Row) -> Row:
        certificates.decide(vendor, certificate, verdict, body)
        return certificate

    return act


def charge(vendor: Ten99Policy, invoice: Row, body: Row) -> Row:
    """`{"succeeded": true}`: the contractor's card, a day after binding in life."""
    invoices.charge(vendor, invoice, body.get("succeeded", True) is True)
    return invoice


def create_policy(vendor: Ten99Policy, body: Row) -> Row:
    """A past opt-in: `{"contractor" | "quote", "coverage_type"?, dates?, "custom_metadata"?, "emit"?}`."""
    quote = vendor.state.quotes.rows.get(body.get("quote", ""))
    contractor = body.get("contractor") or (quote and quote["contractor"])
    if contractor not in vendor.state.contractors.rows:
        raise unknown_reference("contractor", contractor)
    policy = policies.issue(vendor, contractor, quote, body)
    if body.get("emit"):
        announce(vendor, "policy.active", policy, "policy")
    return policy


def order_decisions(vendor: Ten99Policy, body: Row) -> Row:
    """`{"assignment_eligible": false, "quote_eligible": false, "message"?, "times": 1}`."""
    times = int(body.get("times", 1))
    if "assignment_eligible" in body:
        result = body["assignment_eligible"] is True
        message = body.get("message") or ("" if result else MISMATCH)
        vendor.state.assignment_verdicts.append(Verdict(result, message, times))
    if "quote_eligible" in body:
        verdict = Verdict(body["quote_eligible"] is True, body.get("message") or "", times)
        vendor.state.quote_verdicts.append(verdict)
    return {"assignment": vendor.state.assignment_verdicts, "quote": vendor.state.quote_verdicts}


def emit_any(vendor: Ten99Policy, body: Row) -> Row:
    """`{"type", "data", "id"?}`: any event at all, data as given."""
    if not isinstance(body.get("type"), str):
        raise invalid(type="is required")
    return emit(vendor, body["type"], body.get("data", {}), body.get("id"))
