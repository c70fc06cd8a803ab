"""The guide's documents word for word, the reference's equivalents, and errors inside a 200."""

import pytest
from upwork_driver import running

FREELANCER_BY_ID = """
query FreelancerById($id: ID!) {
  freelancer(id: $id) {
    id
    displayName
    location { country region locality }
  }
}
"""
CONTRACT_BY_ID = """
query ContractById($id: ID!) {
  contract(id: $id) {
    id
    title
    description
    hourlyRate { amount }
    fixedBudget { amount }
    category { name }
  }
}
"""
CONTRACT_DATES = """
query ContractDates($id: ID!) {
  contract(id: $id) {
    startDate
    endDate
  }
}
"""
CONTRACT_ATTACHMENTS = """
query ContractAttachments($id: ID!) {
  contract(id: $id) {
    id
    attachments {
      id
      fileName
      url
      contentType
    }
  }
}
"""
GUIDE = (FREELANCER_BY_ID, CONTRACT_BY_ID, CONTRACT_DATES, CONTRACT_ATTACHMENTS)

DETAILS = """
query Details($id: ID!, $date: String) {
  contractDetails(id: $id, date: $date) {
    id title status kind deliveryModel startDate endDate offerId modifyDate createDate
    offer {
      id state type description
      offerTerms { expectedStartDate expectedEndDate fixedPriceTerm { budget { rawValue currency } } }
    }
    job {
      content { title description }
      classification { category { id name slug } subCategory { id name } }
      contractTerms { contractStartDate contractEndDate }
      attachment { id fileName link contentType contentLength createdDateTime }
    }
    freelancer { id rid name firstName lastName }
    clientOrganization { id name }
    terms {
      hourlyTerms { id hourlyRate { rawValue currency displayValue } startDate endDate }
      fixedPriceTerms { id fixedAmount { rawValue currency } }
      stipendTerms { stipendAmount { rawValue } minGuaranteedHours }
    }
  }
}
"""
PERSON = """
query Person($id: ID!) {
  userDetails(id: $id) {
    id name firstName lastName email location { countryName stateCode cityName zip street timezone }
  }
}
"""
OFFERS = """
query Offers($first: Int!, $after: String) {
  organization {
    clientOffers(pagination: { first: $first, after: $after }, sortAttribute: { field: X, sortOrder: DESC }) {
      totalCount
      edges {
        cursor
        node {
          state startDateTime endDateTime lastUpdatedDateTime
          freelancer { id }
          offer { id state }
          contractDetails { id status }
        }
      }
      pageInfo { endCursor hasNextPage }
    }
  }
}
"""


async def test_the_guides_four_documents_run_as_printed():
    async with running() as upwork:
        assert await upwork.data(FREELANCER_BY_ID, id="fl_12345") == {
            "freelancer": {
                "id": "fl_12345",
                "displayName": "Ava Nguyen",
                "location": {"country": "US", "region": "CA", "locality": "San Francisco"},
            }
        }
        assert await upwork.data(CONTRACT_BY_ID, id="9001") == {
            "contract": {
                "id": "9001",
                "title": "Frontend Developer",
                "description": "Build dashboard UI and integrate GraphQL APIs",
                "hourlyRate": {"amount": 75.00},
                "fixedBudget": None,
                "category": {"name": "Web, Mobile & Software Dev"},
            }
        }
        assert set((await upwork.data(CONTRACT_DATES, id="9001"))["contract"]) == {"startDate", "endDate"}
        assert (await upwork.data(CONTRACT_ATTACHMENTS, id="9001"))["contract"] == {
            "id": "9001",
            "attachments": [],
        }


async def test_amounts_are_exact_json_numbers():
    async with running() as upwork:
        await upwork.control(
            "contracts", {"contract": {"id": "7", "hourlyRate": {"amount": "75.10"}}, "offer": False}
        )
        document = {"query": '{ contract(id: "7") { hourlyRate { amount } } }'}
        url = upwork.base + "/graphql"
        async with upwork.http.post(url, json=document, headers=upwork.headers) as answer:
            assert b'{"amount":75.10}' in await answer.read()


async def test_one_request_reads_many_engagements_with_aliases_and_fragments():
    aliases = "\n".join(
        f'c{n}: contract(id: "c{n}") {{ ...terms }} f{n}: freelancer(id: "f{n}") {{ ...who }}'
        for n in range(25)
    )
    document = f"""
    query Batch {{ {aliases} }}
    fragment terms on Contract {{ id title hourlyRate {{ amount }} startDate endDate }}
    fragment who on Freelancer {{ id displayName location {{ country }} }}
    """
    async with running() as upwork:
        for n in range(25):
            await upwork.control(
                "contracts", {"contract": {"id": f"c{n}"}, "freelancer": {"id": f"f{n}"}, "offer": False}
            )
        data = await upwork.data(document)
        assert [data[f"c{n}"]["id"] for n in range(25)] == [f"c{n}" for n in range(25)]
        assert len({data[f"f{n}"]["displayName"] for n in range(25)}) == 25


async def test_the_operation_name_picks_one_of_several():
    async with running() as upwork:
        document = CONTRACT_BY_ID + CONTRACT_DATES
        body = await upwork.graphql(document, {"id": "9001"}, "ContractDates")
        assert set(body["data"]["contract"]) == {"startDate", "endDate"}
        body = await upwork.graphql(document, {"id": "9001"}, "Nothing")
        assert "Nothing" in body["errors"][0]["message"]


async def test_contract_details_answer_as_the_reference():
    async with running() as upwork:
        await upwork.control(
            "contracts",
            {
                "contract": {"id": "501", "startDate": "2027-01-04", "endDate": "2027-06-30"},
                "freelancer": {"id": "fl_9", "displayName": "Ana Ruiz", "email": "ana@example.com"},
                "attachments": [{"id": "at_1", "fileName": "coi.pdf"}],
            },
        )
        found = (await upwork.data(DETAILS, id="501"))["contractDetails"]
        window = {"startDate": "2027-01-04", "endDate": "2027-06-30"}
        assert found.items() >= {"id": "501", "status": None, **window}.items()
        assert found["offer"]["state"] == "ACCEPTED"
        assert found["offer"]["offerTerms"]["expectedEndDate"] == "2027-06-30"
        assert found["freelancer"]["name"] == "Ana R."
        assert found["clientOrganization"]["id"] == "client_1"
        [attachment] = found["job"]["attachment"]
        assert attachment["link"] == f"{upwork.base}/files/at_1/coi.pdf"
        [term] = found["terms"]["hourlyTerms"]
        assert term["id"] == "501"
        assert term["hourlyRate"]["displayValue"] == f"${term['hourlyRate']['rawValue']}"
        assert found["terms"]["fixedPriceTerms"] == []


async def test_the_date_argument_keeps_only_terms_in_force():
    async with running() as upwork:
        await upwork.control("contracts", {"contract": {"id": "5", "startDate": "2027-01-04"}})

        async def terms(date: str) -> int:
            found = await upwork.data(DETAILS, id="5", date=date)
            return len(found["contractDetails"]["terms"]["hourlyTerms"])

        assert await terms("2027-01-03") == 0
        assert await terms("2027-01-04") == 1
        assert await terms("2027-02-01T00:00+0000") == 1


async def test_a_fixed_price_contract_has_a_fixed_term_and_its_subcategory():
    async with running() as upwork:
        contract = {
            "id": "6",
            "fixedBudget": {"amount": 1200.5},
            "category": {"name": "Web Development"},
        }
        await upwork.control("contracts", {"contract": contract})
        found = (await upwork.data(DETAILS, id="6"))["contractDetails"]
        [term] = found["terms"]["fixedPriceTerms"]
        assert term["fixedAmount"] == {"rawValue": "1200.50", "currency": "USD"}
        assert found["offer"]["type"] == "MARKET_PLACE_FIXED_PRICE"
        assert found["job"]["classification"]["category"]["name"] == "Web, Mobile & Software Dev"
        assert found["job"]["classification"]["category"]["id"] == "531770282580668418"
        assert found["job"]["classification"]["subCategory"]["name"] == "Web Development"
        read = (await upwork.data(CONTRACT_BY_ID, id="6"))["contract"]
        assert (read["hourlyRate"], read["fixedBudget"]) == (None, {"amount": 1200.5})


async def test_people_and_look_up_tables():
    async with running() as upwork:
        person = (await upwork.data(PERSON, id="fl_12345"))["userDetails"]
        assert person["location"]["countryName"] == "United States"
        assert (person["firstName"], person["lastName"], person["email"]) == ("Ava", "Nguyen", None)
        tables = await upwork.data("""{
          countries { name twoLetterAbbreviation }
          ontologyCategories { id preferredLabel slug ontologyId subcategories { id preferredLabel } }
          companySelector { items { title organizationId } }
          contractByTerm(termId: "9001") { id }
          contractList(ids: ["9001", "nope"]) { contracts { id } }
          contract(id: "9001") { termId contractType status hourlyChargeRate { rawValue } startDateTime }
        }""")
        assert {"name": "Spain", "twoLetterAbbreviation": "ES"} in tables["countries"]
        assert len(tables["ontologyCategories"]) == 12
        assert tables["companySelector"]["items"][0]["organizationId"] == "1181921839933591552"
        assert tables["contractByTerm"]["id"] == "9001"
        assert tables["contractList"]["contracts"] == [{"id": "9001"}]
        assert tables["contract"]["contractType"] == "HOURLY"
        assert tables["contract"]["hourlyChargeRate"] == {"rawValue": "75.00"}


async def test_client_offers_page_by_cursor_up_to_fifty():
    async with running() as upwork:
        for n in range(4):
            await upwork.control("contracts", {"contract": {"id": f"c{n}"}})
        await upwork.control("contracts/c3/activate")

        async def page(first: int, after: str | None = None):
            return (await upwork.data(OFFERS, first=first, after=after))["organization"]["clientOffers"]

        first = await page(3)
        assert first["totalCount"] == 5
        seeded, taken = first["edges"][0]["node"], first["edges"][1]["node"]
        assert (seeded["offer"]["state"], seeded["contractDetails"]) == ("PENDING_VENDOR_ACCEPTANCE", None)
        assert (taken["offer"]["state"], taken["contractDetails"]["id"]) == ("ACCEPTED", "c0")
        rest = await page(3, first["pageInfo"]["endCursor"])
        assert [edge["node"]["state"] for edge in rest["edges"]] == ["Pending", "Active"]
        assert rest["edges"][1]["node"]["contractDetails"] == {"id": "c3", "status": "ACTIVE"}
        assert rest["pageInfo"]["hasNextPage"] is False
        assert (await page(3, rest["pageInfo"]["endCursor"]))["edges"] == []
        body = await upwork.graphql(OFFERS, {"first": 51})
        assert body["errors"][0]["extensions"]["code"] == "VJCA-6"
        eleven = {"ids": list("abcdefghijk")}
        body = await upwork.graphql(
            "query L($ids: [ID!]) { contractList(ids: $ids) { contracts { id } } }", eleven
        )
        assert body["errors"][0]["extensions"]["code"] == "VJCA-6"


async def test_a_wrong_tenant_sees_empty_lists():
    document = {"query": OFFERS, "variables": {"first": 10}}
    async with running() as upwork:
        for tenant, rows in (("1181921839933591552", 1), ("client_1", 1), ("somebody-else", 0)):
            _, body = await upwork.post_graphql(document, **{"X-Upwork-API-TenantId": tenant})
            assert body["data"]["organization"]["clientOffers"]["totalCount"] == rows


async def test_an_unknown_contract_is_null_or_an_error_by_the_kind_of_root():
    async with running() as upwork:
        assert await upwork.data(CONTRACT_DATES, id="nope") == {"contract": None}
        assert await upwork.data(FREELANCER_BY_ID, id="nope") == {"freelancer": None}
        body = await upwork.graphql(DETAILS, {"id": "nope"})
        assert body["data"] is None
        assert body["errors"][0]["path"] == ["contractDetails"]
        assert body["errors"][0]["extensions"] == {"classification": "ExecutionAborted"}


@pytest.mark.parametrize(
    ("query", "classification", "text"),
    [
        ("{ contract(id: 1) { nope } }", "ValidationError", "Field 'nope' in type 'Contract' is undefined"),
        ("{ contract { id } }", "ValidationError", "Validation error of type MissingFieldArgument"),
        ("{ contract(id: 1 { id } }", "InvalidSyntax", "Syntax Error"),
        (CONTRACT_BY_ID, "ValidationError", "$id"),
    ],
)
async def test_a_wrong_request_is_an_error_in_a_200(query, classification, text):
    async with running() as upwork:
        body = await upwork.graphql(query)
        [error] = body["errors"]
        assert "data" not in body
        assert error["extensions"]["classification"] == classification
        assert text in error["message"]
        assert set(error["locations"][0]) == {"line", "column"}


@pytest.mark.parametrize(
    "body", [[], "text", {"variables": {}}, {"query": "{ user { id } }", "variables": 3}]
)
async def test_a_body_that_is_no_request_gets_errors_in_json(body):
    async with running() as upwork:
        assert "errors" in (await upwork.post_graphql(body))[1]


async def test_the_reference_dialect_refuses_the_guides_documents():
    async with running(dialect="reference") as upwork:
        counts = [len((await upwork.graphql(document, {"id": "9001"}))["errors"]) for document in GUIDE]
        assert counts == [1, 4, 2, 1]  # as the real schema does (fact sheet 6)
        assert (await upwork.data(DETAILS, id="9001"))["contractDetails"]["id"] == "9001"
        assert (await upwork.data('{ contract(id: "9001") { title } }'))["contract"]


async def test_the_guide_dialect_hides_the_reference_roots():
    async with running(dialect="guide") as upwork:
        for document in GUIDE:
            assert "errors" not in await upwork.graphql(document, {"id": "9001"})
        assert "'contractDetails'" in (await upwork.graphql(DETAILS, {"id": "9001"}))["errors"][0]["message"]


async def test_introspection_works():
    async with running() as upwork:
        assert (await upwork.data("{ __schema { queryType { name } } }"))["__schema"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("GET", "/graphql", 405)])
async def test_every_path_answers_json(method, path, status):
    async with running() as upwork:
        answered, body = await upwork.request(method, path)
        assert answered == status
        assert body["message"]
