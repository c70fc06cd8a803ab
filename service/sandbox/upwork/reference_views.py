"""Contracts and offers as the reference shows them (fact sheet 6.1 and 7)."""

from typing import Any

from service.sandbox.upwork import dates
from service.sandbox.upwork.guide_views import attachment_url
from service.sandbox.upwork.money import as_money
from service.sandbox.upwork.people_views import (
    account_user,
    classification_view,
    client_view,
    user_view,
)
from service.sandbox.upwork.records import Contract, Freelancer, State

_ROW_STATES = {"PENDING": "Pending", "ACTIVE": "Active", "PAUSED": "Paused", "CLOSED": "Ended"}


def details_view(contract: Contract, state: State, origin: str, on: str | None = None) -> dict[str, Any]:
    """ContractDetails. `on` keeps only the terms in force that day; there is no status before the start."""
    closed = contract.status == "CLOSED"
    return {
        "id": contract.id,
        "title": contract.title,
        "status": None if contract.status == "PENDING" else contract.status,
        "closingReason": {"id": "1", "reason": "Job was completed"} if closed else None,
        "deliveryModel": "TALENT_MARKETPLACE",
        "isPtc": False,
        "createDate": dates.stamp_epoch(contract.created_at),
        "modifyDate": dates.stamp_epoch(contract.modified_at),
        "startDate": dates.shown(contract.starts),
        "endDate": dates.shown(contract.ends),
        "offer": lambda info: offer_view(contract, state),
        "offerId": contract.offer_id,
        "job": lambda info: _job_view(contract, state, origin),
        "freelancer": user_view(_freelancer(contract, state)),
        "clientOrganization": client_view(contract),
        "clientTeam": client_view(contract),
        "hiringManager": account_user(),
        "endedBy": account_user() if closed else None,
        "metadata": {"agencyContract": False},
        "terms": _terms_view(contract, on),
    }


def legacy_view(contract: Contract, state: State) -> dict[str, Any]:
    """The deprecated Contract's own fields, beside the guide's."""
    pay = contract.fixed_budget if contract.hourly_rate is None else contract.hourly_rate
    starts = dates.shown(contract.starts)
    return {
        "termId": contract.term_id,
        "contractId": contract.id,
        "contractType": _kind(contract),
        "status": contract.status,
        "paused": contract.status == "PAUSED",
        "job": lambda info: _marketplace_job(contract),
        "offer": lambda info: offer_view(contract, state),
        "freelancer": {"user": user_view(_freelancer(contract, state))},
        "hourlyChargeRate": as_money(contract.hourly_rate),
        "weeklyChargeAmount": as_money(pay),
        "createdDateTime": dates.stamp_epoch(contract.created_at),
        "modifiedDateTime": dates.stamp_epoch(contract.modified_at),
        "firstContractStartDateTime": starts,
        "startDateTime": starts,
        "endDateTime": dates.shown(contract.ends),
    }


def offer_view(contract: Contract, state: State) -> dict[str, Any]:
    hourly = _kind(contract) == "HOURLY"
    return {
        "id": contract.offer_id,
        "title": contract.title,
        "description": contract.description,
        "type": "MARKET_PLACE_HOURLY" if hourly else "MARKET_PLACE_FIXED_PRICE",
        "state": "ACCEPTED" if contract.accepted else "PENDING_VENDOR_ACCEPTANCE",
        "client": client_view(contract),
        "offerTerms": {
            "expectedStartDate": dates.shown(contract.starts),
            "expectedEndDate": dates.shown(contract.ends),
            "hourlyTerms": contract.hourly_rate and {"rate": as_money(contract.hourly_rate)},
            "fixedPriceTerm": contract.fixed_budget and {"budget": as_money(contract.fixed_budget)},
        },
        "job": lambda info: _marketplace_job(contract),
        "freelancer": {"user": user_view(_freelancer(contract, state))},
        "milestones": [],
        "closeJobPostingOnAccept": True,
        "createdUsingBYOFlow": False,
        "payrollOffer": False,
    }


def offer_row(contract: Contract, state: State, origin: str) -> dict[str, Any]:
    """A row of clientOffers. The contract behind it shows once the offer is accepted."""
    accepted = contract.accepted
    return {
        "id": contract.offer_id,
        "company": client_view(contract),
        "team": client_view(contract),
        "contactPerson": account_user(),
        "freelancer": user_view(_freelancer(contract, state)),
        "startDateTime": dates.shown(contract.starts),
        "endDateTime": dates.shown(contract.ends),
        "type": row_type(contract),
        "state": row_state(contract),
        "title": contract.title,
        "lastUpdatedDateTime": dates.stamp_epoch(contract.modified_at),
        "lastPublishedDateTime": dates.stamp_epoch(contract.created_at),
        "offerCreatedDateTime": dates.stamp_epoch(contract.created_at),
        "inPrivateTalentCloud": False,
        "catalogProject": False,
        "offer": lambda info: offer_view(contract, state),
        "contract": lambda info: {**legacy_view(contract, state), "id": contract.id} if accepted else None,
        "contractDetails": lambda info: details_view(contract, state, origin) if accepted else None,
    }


def row_state(contract: Contract) -> str:
    return _ROW_STATES[contract.status]


def row_type(contract: Contract) -> str:
    return "Hourly" if _kind(contract) == "HOURLY" else "FixedPrice"


def _terms_view(contract: Contract, on: str | None) -> dict[str, Any]:
    """Each kind of term is a list, the history of the contract; this contract's is one term long."""
    if not _in_force(contract, on):
        return {"hourlyTerms": [], "fixedPriceTerms": [], "stipendTerms": []}
    term = {
        "id": contract.term_id,
        "startDate": dates.shown(contract.starts),
        "endDate": dates.shown(contract.ends),
    }
    hourly, fixed = contract.hourly_rate, contract.fixed_budget
    return {
        "hourlyTerms": [{**term, "hourlyRate": as_money(hourly)}] if hourly else [],
        "fixedPriceTerms": [{**term, "fixedAmount": as_money(fixed), "milestones": []}] if fixed else [],
        "stipendTerms": [],
    }


def _in_force(contract: Contract, on: str | None) -> bool:
    at, starts, ends = (dates.instant(each) for each in (on, contract.starts, contract.ends))
    if at is None:
        return True
    return not (starts and at < starts) and not (ends and at > ends)


def _job_view(contract: Contract, state: State, origin: str) -> dict[str, Any]:
    return {
        "id": contract.job_id,
        "content": {"title": contract.title, "description": contract.description},
        "classification": classification_view(contract),
        "contractTerms": {
            "contractStartDate": dates.shown(contract.starts),
            "contractEndDate": dates.shown(contract.ends),
            "contractType": _kind(contract),
        },
        "attachment": _attachment_views(contract, state, origin),
    }


def _attachment_views(contract: Contract, state: State, origin: str) -> list[dict[str, Any]] | None:
    if contract.attachments is None:
        return None
    return [
        {
            "id": each.id,
            "fileName": each.file_name,
            "link": attachment_url(each, origin),
            "contentType": each.content_type,
            "contentLength": len(state.files[each.id].content) if each.hosted else None,
            "createdDateTime": dates.stamp_epoch(contract.created_at),
        }
        for each in contract.attachments
    ]


def _marketplace_job(contract: Contract) -> dict[str, Any]:
    classification = classification_view(contract)
    known = (classification["category"] or {}).get("id")
    return {
        "id": contract.job_id,
        "content": {"title": contract.title, "description": contract.description},
        "classification": classification if known else None,
    }


def _kind(contract: Contract) -> str:
    return "FIXED" if contract.fixed_budget and not contract.hourly_rate else "HOURLY"


def _freelancer(contract: Contract, state: State) -> Freelancer:
    return state.freelancers[contract.freelancer_id]
