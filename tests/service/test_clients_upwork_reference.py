"""The reference's record becomes the same terms as the guide's: every field and where else it may stand."""

from datetime import UTC, datetime
from typing import Any

import pytest
import upwork_driver
from aiohttp import ClientSession
from replacing import replace
from vendor_double import PROOF

from domain.mapping import cents
from domain.names import split_name
from domain.places import country_code
from domain.values import Attachment, Pay, Person, Terms
from service.clients.reference import terms_of_reference
from service.clients.upwork import Upwork
from service.settings import Secret, UpworkSettings

START, END = 1_764_547_200, 1_772_409_600
"""2025-12-01 and 2026-03-02."""


def usd(amount: Any, currency: Any = "USD") -> dict[str, Any]:
    return {"rawValue": amount, "currency": currency}


CONTRACT: dict[str, Any] = {
    "id": "9001",
    "title": "Frontend Developer",
    "kind": None,
    "startDate": "2025-12-01",
    "endDate": "2026-03-02",
    "freelancer": {"id": "fl_12345", "name": "Ava N.", "firstName": "Ava", "lastName": "Nguyen"},
    "clientOrganization": {"id": "1181921839933591552"},
    "offer": {"description": "The offer's scope", "payrollOffer": False, "offerTerms": {}},
    "job": {
        "content": {"description": "The job post's scope"},
        "classification": {
            "category": {"id": "531770282580668418", "name": "Web, Mobile & Software Dev"},
            "subCategory": {"id": "531770282589057025", "name": "Web Development"},
        },
        "contractTerms": {},
        "attachment": [
            {"id": "at_1", "fileName": "coi.pdf", "link": "https://f/1", "contentType": "application/pdf"},
            {"id": None, "fileName": "no id.pdf", "link": "https://f/2"},
            {"id": "at_3", "fileName": "no link.pdf", "link": None},
        ],
    },
    "terms": {
        "hourlyTerms": [{"id": "40077", "startDate": "2025-12-01", "hourlyRate": usd("75.00")}],
        "fixedPriceTerms": [],
        "stipendTerms": [],
    },
}
USER: dict[str, Any] = {
    "id": "fl_12345",
    "name": "Ava N.",
    "firstName": "Ava",
    "lastName": "Nguyen",
    "email": "ava@example.com",
    "location": {"countryName": "United States", "stateCode": "CA", "cityName": "San Francisco"},
}


def read(user: Any = None, now: int = START, **contract: Any) -> Terms:
    return terms_of_reference({**CONTRACT, **contract}, USER if user is None else user, now)


def test_the_whole_record_is_read() -> None:
    assert read() == Terms(
        title="Frontend Developer",
        description="The offer's scope",
        pay=Pay("hourly", "75.00", "USD"),
        category="Web, Mobile & Software Dev",
        starts_at=START,
        ends_at=END,
        person=Person(
            display_name="Ava N.",
            first_name="Ava",
            last_name="Nguyen",
            email="ava@example.com",
            country="United States",
            region="CA",
            city="San Francisco",
        ),
        attachments=(Attachment("at_1", "coi.pdf", "https://f/1", "application/pdf"),),
        category_id="531770282580668418",
        client_id="1181921839933591552",
        freelancer_id="fl_12345",
        subcategory="Web Development",
        subcategory_id="531770282589057025",
        term_id="40077",
    )


@pytest.mark.parametrize("shape", [None, [], "x", 7, {}, [None], {"terms": "x"}])
@pytest.mark.parametrize("field", [name for name in CONTRACT if name != "id"])
def test_no_shape_of_a_field_is_a_crash(field: str, shape: Any) -> None:
    read(**{field: shape})
    read(user=shape if isinstance(shape, dict) else {})


# Fall-backs.


def test_the_description_is_the_offers_then_the_job_posts() -> None:
    assert read(offer=None).description == "The job post's scope"
    assert read(offer={"description": "  "}).description == "The job post's scope"
    assert read(offer=None, job=None).description is None


def dated(offer: Any = None, job: Any = None, **contract: Any) -> tuple[int | None, int | None]:
    terms = read(
        **{"startDate": None, "endDate": None, **contract},
        offer={"offerTerms": offer},
        job={"contractTerms": job},
    )
    return terms.starts_at, terms.ends_at


EXPECTED = {"expectedStartDate": "2025-12-01", "expectedEndDate": "2026-03-02"}
POSTED = {"contractStartDate": "2025-12-01T00:00:00+0000", "contractEndDate": "2026-03-02T00:00:00Z"}


def test_the_dates_are_the_contracts_then_the_offers_then_the_job_posts() -> None:
    later = {"startDate": "2025-12-02", "endDate": "2026-03-03"}
    assert dated(EXPECTED, POSTED, **later) == (START + 86_400, END + 86_400)
    assert dated(EXPECTED, None) == (START, END)
    assert dated(None, POSTED) == (START, END)
    assert dated({"expectedStartDate": "2025-12-01"}, POSTED) == (START, END)
    assert dated(None, None) == (None, None)


def test_a_date_that_cannot_be_read_gives_way_to_the_next() -> None:
    assert dated(EXPECTED, None, startDate="soon") == (START, END)


def test_an_open_contract_takes_its_end_from_the_offer() -> None:
    assert read(endDate=None, offer={"offerTerms": EXPECTED}).ends_at == END


def test_a_freelancer_who_may_not_be_read_keeps_the_contracts_names() -> None:
    person = read(user={}).person
    assert person == Person(display_name="Ava N.", first_name="Ava", last_name="Nguyen")
    assert split_name(person) == ("Ava", "Nguyen")


def test_a_name_shown_in_part_is_held_and_not_guessed() -> None:
    shown = {"id": "fl_1", "name": "John S.", "firstName": "John", "lastName": None}
    person = read(user=shown, freelancer=shown).person
    assert getattr(split_name(person), "code", None) == "name_unclear"


def test_a_country_comes_by_its_name() -> None:
    assert country_code(read().person.country) == "US"


# Pay.


def term(id: str, starts: Any, ends: Any, amount: Any) -> dict[str, Any]:
    return {"id": id, "startDate": starts, "endDate": ends, "hourlyRate": usd(amount)}


HISTORY = [
    term("3", "2026-02-01", None, "90.00"),
    term("1", "2025-12-01", "2025-12-31", "75.00"),
    term("2", "2026-01-01", "2026-01-31", "80.00"),
]


def at(moment: str) -> int:
    return int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("now", "amount"),
    [
        ("2025-11-01", "75.00"),
        ("2025-12-01", "75.00"),
        ("2025-12-31T23:59:59", "75.00"),
        ("2026-01-01", "80.00"),
        ("2026-02-01", "90.00"),
        ("2027-01-01", "90.00"),
    ],
)
def test_the_rate_is_that_of_the_term_in_force(now: str, amount: str) -> None:
    found = read(terms={"hourlyTerms": HISTORY}, now=at(now))
    assert found.pay == Pay("hourly", amount, "USD")


@pytest.mark.parametrize(
    ("terms", "id"),
    [
        ([term("1", "2025-10-01", "2025-10-31", "1"), term("2", "2025-11-01", "2025-11-30", "1")], "2"),
        ([term("2", "2026-02-01", None, "1"), term("1", "2026-01-01", None, "1")], "1"),
        ([term("1", None, "2025-01-01", "1"), term("2", "2026-01-01", None, "1")], "2"),
        ([term("1", "2025-01-01", None, "1"), term("2", "2025-02-01", None, "1")], "2"),
        ([term("1", None, None, "1")], "1"),
        ([term("1", "2025-12-01T08:00:00Z", "2025-12-01T09:00:00Z", "1")], "1"),
    ],
)
def test_else_it_is_the_next_to_begin_and_else_the_latest(terms: list[Any], id: str) -> None:
    assert read(terms={"hourlyTerms": terms}, now=START).term_id == id


def fixed(amount: Any = None, milestones: Any = None, budget: Any = None) -> Pay | None:
    price = {"id": "40078", "fixedAmount": amount, "milestones": milestones}
    offer = {"offerTerms": {"fixedPriceTerm": {"budget": budget}}}
    return read(terms={"hourlyTerms": [], "fixedPriceTerms": [price]}, offer=offer).pay


def milestone(amount: Any, state: str = "Active", currency: str = "USD") -> dict[str, Any]:
    return {"state": state, "depositAmount": usd(amount, currency)}


def test_a_fixed_price_is_the_terms_then_the_offers_then_the_sum_of_its_milestones() -> None:
    steps = [milestone("1000.10"), milestone("499.90"), {"state": "Active", "depositAmount": None}]
    assert fixed(usd("1200.00"), steps, usd("900.00")) == Pay("flatfee", "1200.00", "USD")
    assert fixed(None, steps, usd("900.00")) == Pay("flatfee", "900.00", "USD")
    assert fixed(None, steps) == Pay("flatfee", "1500.00", "USD")
    assert fixed(None, []) is None


def test_a_zero_is_a_price_only_where_there_is_no_other() -> None:
    assert fixed(usd("0.00"), [milestone("500.00")], usd("0")) == Pay("flatfee", "500.00", "USD")
    assert fixed(usd("0.00"), []) == Pay("flatfee", "0.00", "USD")
    free = {"hourlyTerms": [term("1", None, None, "0.00")]}
    assert read(terms=free).pay == Pay("hourly", "0.00", "USD")
    priced = {**free, "fixedPriceTerms": [{"id": "2", "fixedAmount": usd("900.00")}]}
    assert read(terms=priced).pay == Pay("flatfee", "900.00", "USD")


def test_an_offers_budget_stands_in_for_terms_that_are_not_shown() -> None:
    offer = {"offerTerms": {"fixedPriceTerm": {"budget": usd("900.00")}}}
    assert read(terms=None, offer=offer).pay == Pay("flatfee", "900.00", "USD")


def test_milestones_that_were_called_off_are_not_in_the_sum() -> None:
    off = [milestone("5", "CancelledByClient"), milestone("5", "OfferCancelled"), milestone("7", "Paid")]
    assert fixed(None, [*off, milestone("5", "NotFundedClosed")]) == Pay("flatfee", "7", "USD")


def test_a_sum_is_never_made_over_currencies_nor_of_what_is_no_number() -> None:
    assert fixed(None, [milestone("5"), milestone("5", currency="EUR")]) is None
    assert fixed(None, [milestone("5"), milestone("five")]) == Pay("flatfee", "five", "USD")
    assert fixed(None, [milestone("NaN"), milestone("5")]) == Pay("flatfee", "NaN", "USD")


@pytest.mark.parametrize(("raw", "amount"), [("75.00", "75.00"), (75, "75"), ("0.10", "0.10")])
def test_an_amount_stays_the_text_it_was(raw: Any, amount: str) -> None:
    assert read(terms={"hourlyTerms": [term("1", None, None, raw)]}).pay == Pay("hourly", amount, "USD")


def test_a_rate_in_euros_says_so() -> None:
    rate = {"id": "1", "hourlyRate": usd("75.00", "EUR")}
    assert read(terms={"hourlyTerms": [rate]}).pay == Pay("hourly", "75.00", "EUR")


# Contracts unlike the guide's.


def test_a_payroll_contract_is_known_by_its_kind_or_its_offer() -> None:
    assert read(kind="PAYROLL").kind == "payroll"
    assert read(offer={"payrollOffer": True}).kind == "payroll"


def test_a_retainer_is_known_by_its_kind_or_its_stipend() -> None:
    assert read(kind="WEEKLY_RETAINER").kind == "weekly_retainer"
    stipend = {"stipendTerms": [{"id": "1", "stipendAmount": usd("400.00")}]}
    assert read(terms=stipend).kind == "weekly_retainer"
    none = {"stipendTerms": [{"id": "1", "stipendAmount": usd("0.00")}, {"id": "2", "stipendAmount": None}]}
    assert read(terms=none).kind is None


@pytest.mark.parametrize("kind", [None, "STAFF_AUG", "DIRECT_CONTRACT", "SOMETHING_NEW"])
def test_any_other_kind_is_an_ordinary_contract(kind: str | None) -> None:
    assert read(kind=kind).kind is None


# Both dialects over one record.


async def test_both_dialects_read_the_same_contract_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.clients.upwork.PER_SECOND", 1e9)
    found = {}
    async with upwork_driver.running() as sandbox, ClientSession() as session:
        attachments = [{"id": "at_1", "fileName": "coi.pdf"}]
        await sandbox.control("contracts", {"contract": {"id": "9001"}, "attachments": attachments})
        for dialect in ("guide", "reference"):
            settings = UpworkSettings(
                url=sandbox.base,
                token_url=sandbox.base,
                client_id="sandbox-client",
                client_secret=Secret("sandbox-secret"),
                tenant_id=None,
                dialect="reference" if dialect == "reference" else "guide",
                proof=PROOF,
            )
            found[dialect] = await Upwork(session, settings).read("9001", "fl_12345")
    guide, reference = found["guide"], found["reference"]
    assert cents(guide.pay) == cents(reference.pay) == 7500
    more = {
        name: getattr(reference, name)
        for name in ("pay", "person", "category_id", "client_id", "freelancer_id", "term_id")
    }
    assert replace(guide, **more) == reference
    assert country_code(guide.person.country) == country_code(reference.person.country) == "US"
    assert split_name(guide.person) == split_name(reference.person) == ("Ava", "Nguyen")
