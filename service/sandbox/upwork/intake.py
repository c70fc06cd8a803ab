"""Makes and changes contracts and freelancers from the bodies of control calls, in the guide's field names.

A field that is left out gets a plausible value (new) or stays (known); a field that is null becomes null.
"""

import base64
import binascii
import mimetypes
import secrets
from typing import Any
from urllib.parse import quote

from service.sandbox.clock import Clock
from service.sandbox.upwork import people
from service.sandbox.upwork.dates import default_window
from service.sandbox.upwork.pdf import small_pdf
from service.sandbox.upwork.records import Attachment, Contract, Freelancer, HostedFile, Pay, State
from service.sandbox.upwork.seed import CLIENT_ID, settle_window


class Unusable(ValueError):
    """The control body cannot be understood."""


def take_contract(body: dict[str, Any], state: State, clock: Clock) -> Contract:
    """Make or change the contract of `{contract?, freelancer?, attachments?}` and return it."""
    given = _part(body, "contract")
    known = state.contracts.get(str(given.get("id")))
    attachments = body.get("attachments", given.get("attachments", []))
    hosted = _attachments(attachments, state)
    freelancer = _take_freelancer(_part(body, "freelancer"), known, state)
    if known:
        settle_window(known, clock)
    contract = known or _new_contract(given, freelancer.id, state, clock)
    contract.freelancer_id = freelancer.id
    _change_contract(contract, given)
    if "attachments" in body or "attachments" in given:
        contract.attachments = hosted
    contract.modified_at = clock.now()
    return contract


def _new_contract(given: dict[str, Any], freelancer_id: str, state: State, clock: Clock) -> Contract:
    id = str(given["id"]) if given.get("id") is not None else _number(10, state.contracts)
    work = people.work(len(state.contracts) - 1)
    starts, ends = default_window(clock.at(), given.get("startDate"))
    contract = Contract(
        id=id,
        term_id=str(given.get("termId") or id),
        offer_id=_number(9),
        job_id=_number(9),
        client_id=CLIENT_ID,
        freelancer_id=freelancer_id,
        title=work.title,
        description=work.description,
        hourly_rate=Pay(work.hourly),
        fixed_budget=None,
        category={"name": work.category},
        starts=starts,
        ends=ends,
        attachments=[],
        created_at=clock.now(),
        modified_at=clock.now(),
    )
    state.contracts[id] = contract
    return contract


def _change_contract(contract: Contract, given: dict[str, Any]) -> None:
    contract.title = given.get("title", contract.title)
    contract.description = given.get("description", contract.description)
    if "category" in given:
        category = given["category"]
        contract.category = category if isinstance(category, dict | None) else {"name": category}
    if "client" in given:
        client_id = _part(given, "client").get("id")
        contract.client_id = None if client_id is None else str(client_id)
    _change_pay(contract, given)
    _change_window(contract, given)


def _change_pay(contract: Contract, given: dict[str, Any]) -> None:
    """A contract is hourly or fixed: naming one kind of pay drops the other, unless both are named."""
    if given.get("hourlyRate") is not None and "fixedBudget" not in given:
        contract.fixed_budget = None
    if given.get("fixedBudget") is not None and "hourlyRate" not in given:
        contract.hourly_rate = None
    if "hourlyRate" in given:
        contract.hourly_rate = _pay(given["hourlyRate"])
    if "fixedBudget" in given:
        contract.fixed_budget = _pay(given["fixedBudget"])


def _pay(value: Any) -> Pay | None:
    if value is None:
        return None
    if isinstance(value, dict):
        return Pay(value.get("amount"), value.get("currency", "USD"))
    return Pay(value)


def _change_window(contract: Contract, given: dict[str, Any]) -> None:
    if "startDate" in given:
        contract.starts, contract.window = given["startDate"], "fixed"
    if "endDate" in given:
        contract.ends, contract.window = given["endDate"], "fixed"


def _take_freelancer(given: dict[str, Any], contract: Contract | None, state: State) -> Freelancer:
    id = given.get("id")
    if id is None and contract:
        id = contract.freelancer_id
    freelancer = state.freelancers.get(str(id)) or _new_freelancer(id, state)
    _change_name(freelancer, given)
    freelancer.email = given.get("email", freelancer.email)
    freelancer.location = given.get("location", freelancer.location)
    return freelancer


def _new_freelancer(id: Any, state: State) -> Freelancer:
    person = people.person(state.people_made)
    state.people_made += 1
    key = str(id) if id is not None else _number(19, state.freelancers)
    first, last = person.first_name, person.last_name
    freelancer = Freelancer(key, f"{first} {last}", first, last, location=dict(person.location))
    state.freelancers[key] = freelancer
    return freelancer


def _change_name(freelancer: Freelancer, given: dict[str, Any]) -> None:
    """The display name and the two halves follow each other, unless all are given."""
    if "displayName" in given:
        freelancer.display_name = given["displayName"]
        freelancer.first_name, freelancer.last_name = _halves(given["displayName"])
    if "firstName" in given or "lastName" in given:
        first = given.get("firstName", freelancer.first_name)
        last = given.get("lastName", freelancer.last_name)
        freelancer.first_name, freelancer.last_name = first, last
        freelancer.display_name = given.get("displayName", f"{first or ''} {last or ''}".strip())


def _halves(display_name: Any) -> tuple[Any, Any]:
    """Upwork keeps both names apart; a display name of one word, or none, leaves the rest null."""
    if not isinstance(display_name, str) or not display_name.split():
        return None, None
    first, _, last = display_name.strip().rpartition(" ")
    return (first, last) if first else (last, None)


def _attachments(given: Any, state: State) -> list[Attachment] | None:
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise Unusable("attachments are a list of objects")
    return [_attachment(each, state) for each in given]


def _attachment(given: dict[str, Any], state: State) -> Attachment:
    id = str(given["id"]) if given.get("id") is not None else _number(12, state.files)
    name = given.get("fileName", "certificate-of-insurance.pdf")
    guessed = mimetypes.guess_type(str(name))[0] or "application/octet-stream"
    kind = given.get("contentType", guessed)
    if "url" in given:
        return Attachment(id, name, kind, url=given["url"])
    state.files[id] = HostedFile(_content(given, str(name)), str(kind or guessed))
    return Attachment(id, name, kind, url=file_path(id, name), hosted=True)


def _content(given: dict[str, Any], name: str) -> bytes:
    if "content_base64" not in given:
        return small_pdf(f"Certificate of liability insurance: {name}")
    try:
        return base64.b64decode(given["content_base64"], validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise Unusable("content_base64 is not base64") from None


def file_path(id: str, file_name: Any) -> str:
    return f"/files/{quote(id, safe='')}/{quote(str(file_name or 'file'), safe='')}"


def _part(body: dict[str, Any], name: str) -> dict[str, Any]:
    part = body.get(name)
    if part is None:
        return {}
    if not isinstance(part, dict):
        raise Unusable(f"{name} is an object")
    return part


def _number(digits: int, taken: dict[str, Any] | None = None) -> str:
    """Numeric text that is not yet taken. Random, so that a sandbox started afresh makes new ids."""
    lowest = 10 ** (digits - 1)
    while True:
        number = str(lowest + secrets.randbelow(9 * lowest))
        if not taken or number not in taken:
            return number
