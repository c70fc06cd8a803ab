"""Every call to 1099Policy in the guide's dialect, field by field as the guide prints it (4.1 to 4.7)."""

import re

import pytest
from golden_guide import CONTRACT, FREELANCER, carry_out, printed, read, to_assign, to_open_session, with_job
from replacing import replace
from story import END, FRONTEND, NOW, START, assigned, given, offer
from vendor_double import Asked, Says, created, ten99policy

from domain import commands as c
from domain.effects import RecordInvoice, UploadCertificate
from service.clients.documents import terms_of_guide
from service.config import EXAMPLE, parse

PRINTED_HEADERS = {"Authorization": "Bearer t9k_test_sandbox", "Content-Type": "application/json"}
OWN = {"Host", "Accept", "Accept-Encoding", "Content-Length", "User-Agent"}
"""What every HTTP client adds."""


def nobody_yet(asked: Asked) -> Says:
    return Says(200, []) if asked.method == "GET" else created(asked)


def sent(asked: Asked) -> dict[str, str]:
    return {name: value for name, value in asked.headers.items() if name not in OWN}


def test_upworks_record_is_read_as_the_terms_the_guide_maps() -> None:
    assert terms_of_guide(CONTRACT, FREELANCER) == replace(FRONTEND, pay=replace(FRONTEND.pay, amount="75.0"))


async def test_the_contractor_is_sent_as_printed_in_4_1() -> None:
    async with ten99policy(otherwise=nobody_yet) as (client, vendor):
        await carry_out(read(terms_of_guide(CONTRACT, FREELANCER)), "contractor", client)
    looked, made = vendor.asked
    assert (looked.method, looked.path) == ("GET", "/api/v1/contractors")
    assert looked.query == {"email": "fl_12345@relay.yourdomain.com"}
    assert (made.method, made.path, made.query) == ("POST", "/api/v1/contractors", {})
    assert made.json == printed("contractor")
    assert sent(made) == {**PRINTED_HEADERS, "Idempotency-Key": "upwork-freelancer-fl_12345"}


async def test_the_job_is_sent_as_printed_in_4_2() -> None:
    async with ten99policy() as (client, vendor):
        await carry_out(read(terms_of_guide(CONTRACT, FREELANCER)), "job", client)
    [made] = vendor.asked
    assert (made.method, made.path) == ("POST", "/api/v1/jobs")
    assert made.json == printed("job")
    assert sent(made) == {**PRINTED_HEADERS, "Idempotency-Key": "upwork-contract-9001-job"}


async def test_the_jobs_region_is_sent_only_when_the_configuration_asks_for_it() -> None:
    config = parse({**EXAMPLE, "job": {"name": "Contract {id} — {title}", "send_region": True}})
    async with ten99policy() as (client, vendor):
        await carry_out(read(), "job", client, config)
    assert vendor.asked[0].json == {**printed("job"), "region": "CA"}


async def test_the_quote_is_sent_as_printed_in_4_3() -> None:
    async with ten99policy() as (client, vendor):
        outcome = await carry_out(with_job(), "quote", client)
    [made] = vendor.asked
    assert (made.method, made.path) == ("POST", "/api/v1/quotes")
    assert made.json == printed("quote")
    assert sent(made) == {**PRINTED_HEADERS, "Idempotency-Key": "upwork-contract-9001-quote"}
    assert outcome == c.ConfirmQuote(NOW, "xx_1", START, END)


async def test_the_session_is_sent_as_printed_in_4_4() -> None:
    async with ten99policy() as (client, vendor):
        await carry_out(to_open_session(), "session", client)
    [made] = vendor.asked
    assert (made.method, made.path) == ("POST", "/api/v1/apply/sessions")
    assert made.json == printed("session")
    assert sent(made) == {**PRINTED_HEADERS, "Idempotency-Key": "upwork-contract-9001-session"}


async def test_the_assignment_is_sent_as_printed_in_4_5() -> None:
    async with ten99policy() as (client, vendor):
        await carry_out(to_assign(), "assignment", client)
    [made] = vendor.asked
    assert (made.method, made.path) == ("POST", "/api/v1/assignments")
    assert made.json == printed("assignment")
    assert sent(made) == {**PRINTED_HEADERS, "Idempotency-Key": "upwork-contract-9001-assignment"}


UPLOAD = UploadCertificate("9001", "cn_FoA42zQ", "c0ffee", "file.pdf")


async def test_the_certificate_is_uploaded_with_the_fields_of_4_6() -> None:
    content = b"%PDF-1.7\r\n\x00\xff--\r\n"
    async with ten99policy() as (client, vendor):
        await client.upload_certificate("9001", "cn_FoA42zQ", "file.pdf", content, "k_1")
    [made] = vendor.asked
    assert (made.method, made.path) == ("POST", "/api/v1/files/certificates")
    assert list(made.parts) == ["certificate", "contractor", "custom_metadata[engagement_id]"]
    certificate, contractor, metadata = made.parts.values()
    assert certificate.get_filename() == "file.pdf"
    assert certificate.get_content_type() == "application/pdf"
    assert certificate.get_payload(decode=True) == content
    assert contractor.get_payload(decode=True) == b"cn_FoA42zQ"
    assert metadata.get_payload(decode=True) == b"9001"
    assert made.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert made.headers["Authorization"] == "Bearer t9k_test_sandbox"
    assert made.headers["Idempotency-Key"] == "k_1"


@pytest.mark.parametrize("name", ['Ava\'s "COI".pdf', "Versicherung für Ava.pdf", "a\r\nX-Evil: 1.pdf"])
async def test_no_file_name_breaks_the_upload(name: str) -> None:
    async with ten99policy() as (client, vendor):
        await client.upload_certificate("9001", "cn_FoA42zQ", name, b"%PDF-", "k_1")
    [made] = vendor.asked
    as_a_browser_would = name.replace('"', '\\"').replace("\r", "_").replace("\n", "_")
    assert f'filename="{as_a_browser_would}"\r\n'.encode() in made.body
    assert list(made.parts) == ["certificate", "contractor", "custom_metadata[engagement_id]"]
    assert "X-Evil" not in made.parts["certificate"]


async def test_the_invoice_is_sent_as_printed_in_4_7() -> None:
    invoice = RecordInvoice("k_1", "cn_ti8eXviE4A", "jb_rajdrwMUKi", 1200, 1714419793, 1714419793)
    async with ten99policy() as (client, vendor):
        await client.create_invoice(invoice, "upwork-contract-9001-invoice-k_1")
    [made] = vendor.asked
    assert (made.method, made.path) == ("POST", "/api/v1/invoices")
    assert made.json == printed("invoice")
    assert sent(made) == {**PRINTED_HEADERS, "Idempotency-Key": "upwork-contract-9001-invoice-k_1"}


async def test_an_assignment_is_cancelled_by_job_before_it_starts() -> None:
    async with ten99policy() as (client, vendor):
        await carry_out(assigned().given(c.EndContract(NOW + 3, NOW + 3)), "end-coverage", client)
    [made] = vendor.asked
    assert (made.method, made.path) == ("POST", "/api/v1/assignments/cancel")
    assert made.json == {"job_id": "jb_Upw42Eng", "reason": "client_request"}
    assert re.fullmatch("upwork-contract-9001-.+", made.headers["Idempotency-Key"])


async def test_an_assignment_that_runs_is_shortened() -> None:
    ended = START + 10
    async with ten99policy() as (client, vendor):
        await carry_out(assigned().given(c.EndContract(ended, ended)), "end-coverage", client)
    [made] = vendor.asked
    assert (made.method, made.path) == ("PUT", "/api/v1/assignments/an_1")
    assert made.json == {"end_date": ended}
    assert sent(made) == PRINTED_HEADERS


async def test_no_id_leaves_its_place_in_the_path() -> None:
    async with ten99policy() as (client, vendor):
        await client.policy("pl_1/../../entities?x=1#y")
    assert vendor.asked[0].path == "/api/v1/policies/pl_1/../../entities?x=1#y"
    assert vendor.asked[0].query == {}


async def test_an_address_with_a_plus_is_looked_for_as_it_is() -> None:
    async with ten99policy(otherwise=nobody_yet) as (client, vendor):
        assert await client.find_contractor("ava+upwork@example.com") is None
    assert vendor.asked[0].query == {"email": "ava+upwork@example.com"}


async def test_production_is_named_and_the_sandbox_is_the_vendors_default() -> None:
    async with ten99policy(environment="production") as (client, vendor):
        await client.policy("pl_1")
    assert vendor.asked[0].headers["Ten99Policy-Environment"] == "production"


def test_an_offer_without_terms_asks_1099policy_for_nothing() -> None:
    given(offer()).wants("read")
