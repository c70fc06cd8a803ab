"""The reference's documents hold against its schema, and one request carries contract and freelancer."""

from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, parse, validate
from vendor_double import TOKEN, Asked, Says, token, upwork

from service.clients.dialects import REFERENCE
from service.clients.http import VendorRefused
from service.clients.reference import CONTRACT_DETAILS, ENGAGEMENT, USER_DETAILS, terms_of_reference
from service.clients.rows import CLIENT_OFFERS, CONTRACTS_BY_ID

SANDBOX = Path(__file__).parents[2] / "service" / "sandbox" / "upwork"
SCHEMA = build_schema("\n".join((SANDBOX / f"{n}.graphql").read_text() for n in ("contract", "reference")))

CONTRACT = {
    "id": "9001",
    "title": "Frontend Developer",
    "startDate": "2025-12-01",
    "freelancer": {"id": "fl_12345", "name": "Ava N.", "firstName": "Ava", "lastName": "Nguyen"},
    "terms": {"hourlyTerms": [{"id": "77", "hourlyRate": {"rawValue": "75.00", "currency": "USD"}}]},
}
USER = {"id": "fl_12345", "name": "Ava N.", "email": "ava@example.com"}
WHOLE = {"contractDetails": CONTRACT, "userDetails": USER}
NOBODY = terms_of_reference(CONTRACT, {}, 0)
TERMS = terms_of_reference(CONTRACT, USER, 0)

SCOPES = "The client or token doesn't have enough oauth2 permissions/scopes to access: [PiiUser.email]"


def refusal(message: str, data: Any = None, classification: str = "ExecutionAborted") -> Says:
    errors = [{"message": message, "extensions": {"classification": classification}}]
    return Says(200, {"data": data, "errors": errors})


class Account:
    """Answers each operation as told, and keeps their names in the order they came."""

    def __init__(self, **answers: Says) -> None:
        self.answers = {
            "EngagementById": Says(200, {"data": WHOLE}),
            "ContractDetailsById": Says(200, {"data": {"contractDetails": CONTRACT}}),
            "UserDetailsById": Says(200, {"data": {"userDetails": USER}}),
        } | answers
        self.asked: list[Any] = []

    def __call__(self, asked: Asked) -> Says:
        if asked.path == TOKEN:
            return token(1)
        self.asked.append(asked.json)
        return self.answers[asked.json["operationName"]]

    @property
    def names(self) -> list[str]:
        return [body["operationName"] for body in self.asked]


@pytest.mark.parametrize(
    "document", [ENGAGEMENT, CONTRACT_DETAILS, USER_DETAILS, CONTRACTS_BY_ID, CLIENT_OFFERS]
)
def test_every_document_is_valid_in_the_reference(document: str) -> None:
    assert validate(SCHEMA, parse(document)) == []


def test_every_document_bears_the_name_it_is_asked_under() -> None:
    named = {**REFERENCE.of_contract, **REFERENCE.of_freelancer}
    named |= {"EngagementById": ENGAGEMENT, "ContractsById": CONTRACTS_BY_ID, "ClientOffers": CLIENT_OFFERS}
    for name, document in named.items():
        assert parse(document).to_dict()["definitions"][0]["name"]["value"] == name


async def test_one_request_carries_contract_and_freelancer() -> None:
    account = Account()
    async with upwork(account, dialect="reference") as (client, _):
        assert await client.read("9001", "fl_12345") == TERMS
    variables = {"contractId": "9001", "freelancerId": "fl_12345"}
    assert account.asked == [{"query": ENGAGEMENT, "operationName": "EngagementById", "variables": variables}]


async def test_a_contract_read_without_its_freelancer_says_who_they_are() -> None:
    account = Account()
    async with upwork(account, dialect="reference") as (client, _):
        assert await client.read("9001", None) == TERMS
    assert [(body["operationName"], body["variables"]) for body in account.asked] == [
        ("ContractDetailsById", {"id": "9001"}),
        ("UserDetailsById", {"id": "fl_12345"}),
    ]


async def test_the_guides_contract_names_nobody_so_it_is_not_read_without_them() -> None:
    async with upwork(Account()) as (client, vendor):
        with pytest.raises(VendorRefused, match="does not name its freelancer"):
            await client.read("9001", None)
    assert vendor.asked == []


# A key that may not read people: the contract's own names are enough, and the proxy e-mail.


async def test_partial_data_without_the_freelancers_record_goes_on_with_the_contracts_names() -> None:
    account = Account(EngagementById=refusal(SCOPES, {"contractDetails": CONTRACT, "userDetails": None}))
    async with upwork(account, dialect="reference") as (client, _):
        found = await client.read("9001", "fl_12345")
    assert found == NOBODY
    assert (found.person.first_name, found.person.last_name, found.person.email) == ("Ava", "Nguyen", None)
    assert account.names == ["EngagementById"]


async def test_where_a_refused_record_empties_the_answer_the_contract_is_read_alone() -> None:
    account = Account(EngagementById=refusal(SCOPES), UserDetailsById=refusal(SCOPES))
    async with upwork(account, dialect="reference") as (client, _):
        assert await client.read("9001", "fl_12345") == NOBODY
        assert await client.read("9001", "fl_12345") == NOBODY
    apart = ["ContractDetailsById", "UserDetailsById"]
    assert account.names == ["EngagementById", *apart, *apart], "what a key may not read is not tried again"


async def test_one_unknown_user_leaves_the_document_in_use_for_others() -> None:
    gone = refusal("User not found")
    account = Account(EngagementById=gone, UserDetailsById=gone)
    async with upwork(account, dialect="reference") as (client, _):
        assert await client.read("9001", "fl_gone") == NOBODY
        account.answers["EngagementById"] = Says(200, {"data": WHOLE})
        assert await client.read("9001", "fl_12345") == TERMS
    assert account.names[-1] == "EngagementById"


async def test_a_token_refused_for_the_freelancer_is_no_reason_to_go_on_without_them() -> None:
    denied = Says(401, {"message": "Authentication failed"})
    account = Account(EngagementById=refusal(SCOPES), UserDetailsById=denied)
    async with upwork(account, dialect="reference") as (client, _):
        with pytest.raises(VendorRefused, match="Authentication failed"):
            await client.read("9001", "fl_12345")


async def test_a_contract_that_is_not_there_is_refused_in_upworks_words() -> None:
    gone = refusal("Contract not found")
    account = Account(EngagementById=gone, ContractDetailsById=gone)
    async with upwork(account, dialect="reference") as (client, _):
        with pytest.raises(VendorRefused, match="Contract not found"):
            await client.read("9001", "fl_12345")
    assert "UserDetailsById" not in account.names


async def test_a_server_that_does_not_know_the_document_is_asked_in_parts() -> None:
    account = Account(EngagementById=refusal("no such field", classification="ValidationError"))
    async with upwork(account, dialect="reference") as (client, _):
        assert await client.read("9001", "fl_12345") == TERMS
        assert await client.read("9001", "fl_12345") == TERMS
    assert account.names.count("EngagementById") == 1
