"""Upwork as far as one contract goes: tokens, what is asked by each document, and a file."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from contracts.given import NOON
from golden_guide import CONTRACT, FREELANCER
from vendor_double import TOKEN, Asked, Says, token

from service.clock import epoch

ID, FREELANCER_ID = "9001", "fl_9001"
STARTS, ENDS = NOON + timedelta(days=10), NOON + timedelta(days=70)
PDF = b"%PDF-1.7 a certificate"
FILE = "/files/acord-25.pdf"
WHOLE = 15 * 1024 * 1024
"""The most bytes that a file may have."""


@dataclass
class Client:
    """``attached``: what hangs on the contract · ``in_parts``: it refuses the document that asks for all at
    once · ``by_reference``: it speaks that dialect · ``renews``: a token comes with one that renews it."""

    attached: list[dict[str, Any]] = field(default_factory=list)
    starts: datetime = STARTS
    ends: datetime | None = ENDS
    in_parts: bool = False
    by_reference: bool = False
    renews: bool = False
    tokens: int = 0

    def __call__(self, asked: Asked) -> Says:
        if asked.path == TOKEN:
            self.tokens += 1
            return token(self.tokens, refresh_token="oauth2v2_again") if self.renews else token(self.tokens)
        if asked.path == FILE:
            return Says(200, body=PDF, headers={"Content-Type": "application/pdf"})
        if "query Categories" in asked.json["query"]:
            row = {"id": "1", "preferredLabel": "Web, Mobile & Software Dev"}
            return Says(200, {"data": {"ontologyCategories": [row]}})
        if "query ClientOffers" in asked.json["query"]:
            return Says(200, {"data": {"organization": {"clientOffers": {"edges": self.offers()}}}})
        if "query ContractsById" in asked.json["query"]:
            return Says(200, {"data": self.contracts(asked.json["variables"]["ids"])})
        if self.in_parts and "query EngagementById" in asked.json["query"]:
            fault = {"message": "No such field", "extensions": {"classification": "ValidationError"}}
            return Says(200, {"errors": [fault]})
        return Says(200, {"data": self.by_the_reference() if self.by_reference else self.everything()})

    def offers(self) -> list[dict[str, Any]]:
        """One that was accepted and nobody here knows."""
        of = {"company": {"id": "cl_1"}, "freelancer": {"id": "fl_9002"}, "contractDetails": {"id": "9002"}}
        node = {"id": "of_9002", "state": "Active", "lastUpdatedDateTime": epoch(NOON), **of}
        return [{"cursor": "1", "node": node}]

    def contracts(self, ids: list[str]) -> dict[str, Any]:
        """What was ours is over, what is new runs."""
        status = {ID: "CLOSED"}
        rows = [{"id": id, "status": status.get(id, "ACTIVE"), "modifyDate": epoch(NOON)} for id in ids]
        return {"contractList": {"contracts": [row | {"endDate": epoch(NOON)} for row in rows]}}

    def by_the_reference(self) -> dict[str, Any]:
        dates = {"startDate": STARTS.isoformat(), "endDate": ENDS.isoformat()}
        names = {"id": FREELANCER_ID, "firstName": "Ava", "lastName": "Nguyen"}
        rate = {"hourlyRate": {"rawValue": "75.00", "currency": "USD"}, "id": "40077"}
        about = {"content": {"description": CONTRACT["description"]}}
        category = {"classification": {"category": CONTRACT["category"]}}
        terms = {"terms": {"hourlyTerms": [rate]}, "job": {**about, **category}}
        contract = {"id": ID, "title": CONTRACT["title"], **dates, "freelancer": names, **terms}
        return {"contractDetails": contract, "userDetails": names}

    def everything(self) -> dict[str, Any]:
        ends = self.ends and self.ends.isoformat()
        contract = {**CONTRACT, "startDate": self.starts.isoformat(), "endDate": ends}
        contract |= {"id": ID, "attachments": self.attached}
        return {"contract": contract, "freelancer": {**FREELANCER, "id": FREELANCER_ID}}
