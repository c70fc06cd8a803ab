"""Every call to 1099Policy in the vendor's own dialect (fact sheet sections 5, 6 and 10)."""

from typing import Any

from golden_guide import carry_out, printed, read, to_assign, to_open_session, with_job
from vendor_double import Asked, Says, created, ten99policy

from domain.effects import RecordInvoice
from service.config import EXAMPLE, parse


def nobody_yet(asked: Asked) -> Says:
    return Says(200, []) if asked.method == "GET" else created(asked)


def plain(name: str) -> Any:
    """The guide's body without the metadata that the reference knows on contractor and job only (row 11)."""
    return {field: value for field, value in printed(name).items() if field != "custom_metadata"}


def addressed(asked: Asked) -> tuple[str, str, str | None, str | None]:
    headers = asked.headers
    assert headers["Authorization"] == "Bearer t9k_test_sandbox"
    assert "Idempotency-Key" not in headers
    return (
        asked.method,
        asked.path,
        headers.get("Ten99Policy-Environment"),
        headers.get("Ten99Policy-Idempotent-Key"),
    )


async def test_the_contractor_is_flat_and_its_city_a_locality() -> None:
    async with ten99policy("reference", otherwise=nobody_yet) as (client, vendor):
        await carry_out(read(), "contractor", client)
    looked, made = vendor.asked
    assert addressed(looked) == ("GET", "/api/v1/contractors", "sandbox", None)
    assert addressed(made) == ("POST", "/api/v1/contractors", "sandbox", "upwork-freelancer-fl_12345")
    assert made.json == {
        "first_name": "Ava",
        "last_name": "Nguyen",
        "email": "fl_12345@relay.yourdomain.com",
        "address": {"country": "US", "region": "CA", "locality": "San Francisco"},
        "custom_metadata": {"upwork_freelancer_id": "fl_12345"},
    }


async def test_the_jobs_region_stands_in_its_address() -> None:
    config = parse({**EXAMPLE, "job": {"name": "Contract {id} — {title}", "send_region": True}})
    async with ten99policy("reference") as (client, vendor):
        await carry_out(read(), "job", client, config)
    [made] = vendor.asked
    assert addressed(made) == ("POST", "/api/v1/jobs", "sandbox", "upwork-contract-9001-job")
    assert made.json == {**printed("job"), "address": {"region": "CA"}}


async def test_quote_session_and_assignment_carry_no_metadata() -> None:
    async with ten99policy("reference") as (client, vendor):
        await carry_out(with_job(), "quote", client)
        await carry_out(to_open_session(), "session", client)
        await carry_out(to_assign(), "assignment", client)
    quote, session, assignment = vendor.asked
    assert quote.json == plain("quote")
    assert session.json == plain("session")
    assert assignment.json == plain("assignment")
    assert addressed(assignment)[2:] == ("sandbox", "upwork-contract-9001-assignment")


async def test_a_certificate_carries_no_metadata() -> None:
    async with ten99policy("reference", "production") as (client, vendor):
        await client.upload_certificate("9001", "cn_FoA42zQ", "file.pdf", b"%PDF-", "k_1")
    [made] = vendor.asked
    assert addressed(made) == ("POST", "/api/v1/files/certificates", "production", "k_1")
    assert list(made.parts) == ["certificate", "contractor"]


async def test_the_invoice_is_the_same_in_both_dialects() -> None:
    invoice = RecordInvoice("k_1", "cn_ti8eXviE4A", "jb_rajdrwMUKi", 1200, 1714419793, 1714419793)
    async with ten99policy("reference") as (client, vendor):
        await client.create_invoice(invoice, "k_1")
    assert vendor.asked[0].json == printed("invoice")


async def test_a_flat_contractor_is_found_by_address_whatever_its_case() -> None:
    row = {"id": "cn_1", "email": "fl_12345@relay.yourdomain.com"}
    async with ten99policy("reference", otherwise=lambda _: Says(200, {"data": [row]})) as (client, _):
        assert await client.find_contractor("FL_12345@relay.yourdomain.com") == row
        assert await client.find_contractor("fl_1@relay.yourdomain.com") is None
