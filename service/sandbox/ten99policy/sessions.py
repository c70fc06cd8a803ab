"""Application sessions: the contractor's one-time opt-in (fact sheet 6.5, guide 4.4)."""

from service.sandbox.ten99policy import policies
from service.sandbox.ten99policy.crud import listing, retrieve
from service.sandbox.ten99policy.events import announce
from service.sandbox.ten99policy.fields import Fields
from service.sandbox.ten99policy.refusals import Refusal, business
from service.sandbox.ten99policy.table import Row, Table
from service.sandbox.ten99policy.vendor import Ask, Route, Ten99Policy

FIRST_STEP, LAST_STEP = "verify_info", "application_complete"
STEPS = (
    FIRST_STEP,
    "application_questions",
    "esignature_document",
    "add_card_details",
    "final_review",
    LAST_STEP,
)
URLS = ("success_url", "cancel_url")


def table(vendor: Ten99Policy) -> Table:
    return vendor.state.sessions


def create(ask: Ask) -> Row:
    """For a quote, or a general opt-in for a contractor and a work state."""
    fields = Fields(ask.body)
    fields.flag("is_general_opt_in")
    fields.metadata()
    for name in URLS:
        fields.text(name)
    general = fields.found.pop("is_general_opt_in", None) is True
    if general:
        fields.text("general_opt_in_work_state", required=True)
    given = fields.finish()
    quote, contractor = _opens_for(ask, general)
    id = table(ask.vendor).new_id()
    ask.state.note(id).update(contractor=contractor)
    work_state = given.pop("general_opt_in_work_state", None)
    session = table(ask.vendor).add(
        {
            "id": id,
            "quote": quote,
            "success_url": None,
            "cancel_url": None,
            "url": f"{ask.origin}/apply/{id}",
            "step": FIRST_STEP,
            "expired": False,
            "created": ask.vendor.now(),
            **given,
        }
    )
    if work_state:
        ask.state.note(id).update(work_state=work_state)
    _tell(ask.vendor, "application.created", session)
    return session


def _opens_for(ask: Ask, general: bool) -> tuple[str | None, str]:
    if general:
        return None, ask.reference(ask.state.contractors, ask.body.get("contractor"))["id"]
    quote = ask.reference(ask.state.quotes, ask.body.get("quote", ask.body.get("quote_id")))
    if ask.state.policies.where("quote", quote["id"]):
        raise business("policy_already_exists", "A policy was already issued for this quote.")
    return quote["id"], quote["contractor"]


def update(ask: Ask) -> Row:
    """Only the two URLs."""
    ask.row(table(ask.vendor))
    fields = Fields(ask.body, partial=True)
    for name in URLS:
        fields.text(name)
    return table(ask.vendor).change(ask.id, fields.finish())


def expire(ask: Ask) -> Row:
    session = ask.row(table(ask.vendor))
    _must_be_open(session)
    table(ask.vendor).change(ask.id, {"expired": True})
    _tell(ask.vendor, "application.expired", session)
    return session


def complete(vendor: Ten99Policy, session: Row, overrides: Row | None = None) -> Row:
    """The contractor has opted in: issue the policy and tell. Raises when the session is over already."""
    _must_be_open(session)
    table(vendor).change(session["id"], {"step": LAST_STEP})
    quote = vendor.state.quotes.rows.get(session["quote"])
    policy = policies.issue(vendor, vendor.state.note(session["id"])["contractor"], quote, overrides)
    _tell(vendor, "application.complete", session)
    announce(vendor, "policy.active", policy, "policy")
    return policy


def _must_be_open(session: Row) -> None:
    if session["step"] == LAST_STEP:
        raise business("application_already_complete", "The application is already complete.")
    if session["expired"]:
        raise Refusal("session_expired", "The session has expired.", stored=True)


def _tell(vendor: Ten99Policy, type: str, session: Row) -> None:
    if vendor.options.application_events:
        announce(vendor, type, session, "session")


ROUTES = (
    Route("GET", "/apply/sessions", listing(table)),
    Route("POST", "/apply/sessions", create, 201),
    Route("GET", "/apply/sessions/{id}", retrieve(table)),
    Route("PUT", "/apply/sessions/{id}", update),
    Route("POST", "/apply/sessions/{id}/expire", expire),
)
