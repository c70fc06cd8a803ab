"""The GraphQL documents of the guide, verbatim, and the one document that reads all four at once."""

import base64
from urllib.parse import parse_qs

from golden_guide import CONTRACT, FREELANCER, document
from graphql import build_schema, parse, validate
from story import FRONTEND
from vendor_double import TOKEN, Asked, Says, token, upwork

from service.clients.documents import COMBINED, terms_of_guide

TERMS = terms_of_guide(CONTRACT, FREELANCER)
FOUR = ("ContractById", "ContractDates", "ContractAttachments", "FreelancerById")
REFUSED = {"errors": [{"message": "no", "extensions": {"classification": "ValidationError"}}]}

GUIDE_SCHEMA = build_schema("""
type Query { contract(id: ID!): Contract freelancer(id: ID!): Freelancer }
type Contract {
  id: ID title: String description: String startDate: String endDate: String
  hourlyRate: Money fixedBudget: Money category: Category attachments: [Attachment]
}
type Money { amount: Float }
type Category { name: String }
type Attachment { id: ID fileName: String url: String contentType: String }
type Freelancer { id: ID displayName: String location: Location }
type Location { country: String region: String locality: String }
""")
"""Exactly the fields that the guide's four documents ask for."""

ANSWERS = {
    "ContractById": {"contract": {k: v for k, v in CONTRACT.items() if k not in ("startDate", "endDate")}},
    "ContractDates": {"contract": {k: CONTRACT[k] for k in ("startDate", "endDate")}},
    "ContractAttachments": {"contract": {"id": "9001", "attachments": []}},
    "FreelancerById": {"freelancer": FREELANCER},
    "EngagementById": {"contract": CONTRACT, "freelancer": FREELANCER},
}


def everything(asked: Asked) -> Says:
    if asked.path == TOKEN:
        return token(1)
    return Says(200, {"data": ANSWERS[asked.json["operationName"]]})


def only_the_printed(asked: Asked) -> Says:
    """A server that knows the guide's own documents and no other."""
    if asked.path != TOKEN and asked.json["operationName"] not in FOUR:
        return Says(200, REFUSED)
    return everything(asked)


def test_the_combined_document_asks_for_nothing_the_four_do_not() -> None:
    assert validate(GUIDE_SCHEMA, parse(COMBINED[-1])) == []


def test_the_combined_document_asks_for_the_currency_first() -> None:
    assert COMBINED[0].replace("amount currency", "amount") == COMBINED[1]
    assert COMBINED[0].count("amount currency") == 2


async def test_one_request_reads_a_whole_engagement() -> None:
    async with upwork(everything) as (client, vendor):
        assert await client.read("9001", "fl_12345") == TERMS
    asked = vendor.asked[-1]
    assert len(vendor.to("/graphql")) == 1
    assert (asked.method, asked.path) == ("POST", "/graphql")
    assert asked.json == {
        "query": COMBINED[0],
        "operationName": "EngagementById",
        "variables": {"contractId": "9001", "freelancerId": "fl_12345"},
    }
    assert asked.headers["Authorization"] == "Bearer oauth2v2_1"
    assert asked.headers["Content-Type"] == "application/json"
    assert "X-Upwork-API-TenantId" not in asked.headers
    assert TERMS.title == FRONTEND.title


async def test_a_server_that_knows_only_the_guide_gets_its_four_documents_verbatim() -> None:
    async with upwork(only_the_printed) as (client, vendor):
        assert await client.read("9001", "fl_12345") == TERMS
        assert await client.read("9001", "fl_12345") == TERMS
    bodies = [asked.json for asked in vendor.to("/graphql")]
    names = [body["operationName"] for body in bodies]
    at_once = ["EngagementById"] * len(COMBINED)
    assert names == [*at_once, *FOUR, *FOUR], "a refused document is not tried again"
    for body in bodies[len(COMBINED) :]:
        about = "fl_12345" if body["operationName"] == "FreelancerById" else "9001"
        assert body["variables"] == {"id": about}
        assert body["query"] == document(body["operationName"])


async def test_the_token_comes_from_the_clients_own_credentials() -> None:
    async with upwork(everything, tenant_id="org_1") as (client, vendor):
        await client.read("9001", "fl_12345")
    [asked] = vendor.to(TOKEN)
    assert asked.method == "POST"
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
    basic = base64.b64encode(b"sandbox-client:sandbox-secret").decode()
    assert asked.headers["Authorization"] == f"Basic {basic}"
    assert parse_qs(asked.body.decode()) == {"grant_type": ["client_credentials"]}
    assert vendor.asked[-1].headers["X-Upwork-API-TenantId"] == "org_1"
