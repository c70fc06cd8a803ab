"""translate: a vendor's words become a command and the ids that lead to its engagement. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from domain import commands as c
from service.clients.fields import instant
from service.ports import Lookup

ALIASES: Mapping[str, str] = {
    "policy.cancelled": "policy.canceled",
    "policy.reactivated": "policy.active",
    "policy.active.media": "policy.active",
    "assignment.canceled": "assignment.cancelled",
    "certificate.approved": "certificate.validated",
    "certificate.denied": "certificate.flagged",
    "certificate.error": "certificate.flagged",
    "CONTRACT/ENDED": "contract.ended",
    "CONTRACT/ACTIVE": "contract.active",
    "OFFER/ACCEPTED": "offer.accepted",
}
"""Other names for the events we act on (1099Policy fact sheet section 7, Upwork facts 8.2)."""

UPWORK_TYPES = frozenset({"offer.accepted", "contract.active", "contract.ended"})
TEN99POLICY_TYPES = frozenset(
    {
        *("policy.active", "policy.expired", "policy.canceled"),
        *("certificate.validated", "certificate.flagged"),
    }
)

ASSIGNMENT_TYPES = frozenset({"assignment.cancelled", "assignment.changed", "assignment.standing"})
"""Beyond the guide's; ``changed`` and ``standing`` come of asking alone, no webhook says so."""

QUIET_FAMILIES = ("application.", "assignment.", "invoice.", "category_code.", "webhook.")
"""1099Policy's other events that are known: they need no act here."""

RESUMING = frozenset({"policy.reactivated"})

NAMED = ("quote", "session", "assignment", "job")
"""What an object of 1099Policy's may name that leads to its engagement."""

VERDICTS = {"certificate.denied": "denied", "certificate.error": "error"}


@dataclass(frozen=True, slots=True)
class Acts:
    """A command for the engagements that ``engagement_id`` and ``routes`` lead to."""

    type: str
    command: c.EngagementCommand
    engagement_id: str | None
    routes: tuple[Lookup, ...]
    contractor_id: str | None = None
    """Whose it is by the vendor's own word: nobody else's engagement may be touched by it."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Known, recorded, nothing to do."""

    type: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A type nobody here knows: a person should look once."""

    type: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """Validly signed, but it cannot be understood; ``why`` says what is missing."""

    type: str | None
    why: str


Translation = Acts | Quiet | Unknown | Unusable


def translate(source: str, body: bytes, received_at: int, aliases: Mapping[str, str]) -> Translation:
    """What a delivery asks for. ``received_at`` stands in where the vendor gives no time."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Unusable(None, "The body is not JSON.")
    if not isinstance(document, dict):
        return Unusable(None, "The body is not a JSON object.")
    said = _word(document.get("type"))
    if said is None:
        return Unusable(None, "The body has no type.")
    named = aliases.get(said, said)
    known = ALIASES.get(named, named)
    data = document.get("data")
    if source == "upwork":
        if known not in UPWORK_TYPES:
            return Unknown(said)
        at = _time(document, "createdAt", received_at)
        return _upwork(known, data if isinstance(data, dict) else {}, at)
    if known not in TEN99POLICY_TYPES | ASSIGNMENT_TYPES:
        return Quiet(said) if known.startswith(QUIET_FAMILIES) else Unknown(said)
    at = _time(document, "created", received_at)
    return _ten99policy(known, named, _object(data), at)


def is_known(type_name: str) -> bool:
    """Whether a delivery of this type is understood, so that an alias may lead to it."""
    return type_name in UPWORK_TYPES | TEN99POLICY_TYPES | ALIASES.keys() or type_name.startswith(
        QUIET_FAMILIES
    )


def _time(document: Mapping[str, Any], field: str, otherwise: int) -> int:
    told = instant(document.get(field))
    return otherwise if told is None else told


def _object(data: Any) -> Mapping[str, Any]:
    """The flat and the nested envelope (fact sheet section 7): ``data.object`` when it is an object."""
    if not isinstance(data, dict):
        return {}
    nested = data.get("object")
    return nested if isinstance(nested, dict) else data


def _id(data: Mapping[str, Any], field: str) -> str | None:
    """An id given as ``{"contract": {"id": …}}``, or as ``{"contract": …}``; numbers become text."""
    value = data.get(field)
    if isinstance(value, dict):
        value = value.get("id")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _word(value)


MAX_WORD = 200
"""Bytes of UTF-8. No id and no type is longer; a key of the store's could not hold much more."""


def _word(value: Any) -> str | None:
    """An id or a type that can be stored, searched and sent on: one short line that can be printed."""
    text = value.strip() if isinstance(value, str) else ""
    return text if 0 < len(text.encode()) <= MAX_WORD and text.isprintable() else None


def _upwork(known: str, data: Mapping[str, Any], at: int) -> Translation:
    engagement_id = _id(data, "contract")
    if engagement_id is None:
        return Unusable(known, "data.contract.id is missing or no id: no engagement is named.")
    names = {
        "offer_id": _id(data, "offer"),
        "freelancer_id": _id(data, "freelancer"),
        "client_id": _id(data, "client"),
    }
    command: c.EngagementCommand
    if known == "offer.accepted":
        command = c.AcceptOffer(at, **names)
    elif known == "contract.active":
        command = c.ActivateContract(at, **names)
    else:
        contract = data.get("contract")
        ended = instant(contract.get("endedAt")) if isinstance(contract, dict) else None
        command = c.EndContract(at, at if ended is None else ended)
    return Acts(known, command, engagement_id, ())


def _ten99policy(known: str, named: str, data: Mapping[str, Any], at: int) -> Translation:
    object_id = _id(data, "id")
    kind = known.partition(".")[0]
    if object_id is None:
        return _unnamed(known, kind)
    metadata = data.get("custom_metadata")
    engagement_id = _id(metadata, "engagement_id") if isinstance(metadata, dict) else None
    routes = tuple(
        (name, found)
        for name, found in (
            (kind, object_id),
            *((n, _id(data, n)) for n in NAMED),
        )
        if found
    )
    if kind == "assignment":
        noted = _assignment(known, object_id, data, at)
        return Quiet(known) if noted is None else Acts(known, noted, engagement_id, routes)
    tell = _policy if kind == "policy" else _certificate
    told = tell(known, named, object_id, data, at)
    return Acts(known, told, engagement_id, routes, _id(data, "contractor"))


def _unnamed(known: str, kind: str) -> Quiet | Unusable:
    """News of an assignment that names none is as quiet as all other news of assignments."""
    if kind == "assignment":
        return Quiet(known)
    return Unusable(known, f"data.id is missing or no id: no {kind} is named.")


def _policy(
    known: str, named: str, policy_id: str, data: Mapping[str, Any], at: int
) -> c.NotePolicyActive | c.NotePolicyOver:
    if known != "policy.active":
        return _over(known, policy_id, data, at)
    # News that contradicts itself is no proof: without its dates the policy is read back.
    doubtful = data.get("is_active") is False or data.get("status") not in (None, "active")
    return c.NotePolicyActive(
        at,
        policy_id,
        _id(data, "quote"),
        None if doubtful else instant(data.get("effective_date")),
        None if doubtful else instant(data.get("expiration_date")),
        resumed=named in RESUMING,
        doubtful=doubtful,
    )


def _certificate(
    known: str, named: str, certificate_id: str, data: Mapping[str, Any], at: int
) -> c.NoteCertificateValidated | c.NoteCertificateFlagged:
    if known != "certificate.validated":
        return c.NoteCertificateFlagged(at, certificate_id, VERDICTS.get(named, "flagged"))
    if data.get("status") in ("flagged", "denied", "error"):  # news that contradicts itself proves nothing
        return c.NoteCertificateFlagged(at, certificate_id, str(data["status"]))
    begins, ends = instant(data.get("effective_date")), instant(data.get("expiration_date"))
    return c.NoteCertificateValidated(at, certificate_id, begins, ends)


def _assignment(
    known: str, assignment_id: str, data: Mapping[str, Any], at: int
) -> c.NoteAssignmentCancelled | c.NoteAssignmentChanged | c.ConfirmAssignment | None:
    """None where it says nothing that counts: one that is not cancelled after all, or dates that are none."""
    begins, ends = instant(data.get("effective_date")), instant(data.get("end_date"))
    if known == "assignment.cancelled":
        if data.get("cancelled") is False:
            return None
        canceled_at = instant(data.get("cancellation_date"))
        return c.NoteAssignmentCancelled(at, assignment_id, at if canceled_at is None else canceled_at)
    if begins is None or ends is None:
        return None
    if known == "assignment.standing":
        return c.ConfirmAssignment(at, assignment_id, _id(data, "policy"), begins, ends)
    return c.NoteAssignmentChanged(at, assignment_id, begins, ends)


def _over(known: str, policy_id: str, data: Mapping[str, Any], at: int) -> c.NotePolicyOver:
    """A cancellation counts from its date, or from an expiration that moved earlier: whether one to come has,
    the term says that is known by then."""
    expires = instant(data.get("expiration_date"))
    ended = at if expires is None else min(at, expires)
    if known != "policy.canceled":
        return c.NotePolicyOver(at, policy_id, ended, canceled=False)
    dated = instant(data.get("cancellation_date"))
    if dated is not None:
        return c.NotePolicyOver(at, policy_id, dated, canceled=True)
    to_come = expires if expires != ended else None
    return c.NotePolicyOver(at, policy_id, ended, canceled=True, expires_at=to_come)
