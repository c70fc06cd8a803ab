"""Writes over the API: refused with the field's pointer, done once per Idempotency-Key, never swallowed."""

import time
from typing import Any

import aiohttp
import pytest

from service.demo import flows

NOW = int(time.time())
PAY = {"gross_pay": 120_000, "paycycle_startdate": NOW, "paycycle_enddate": NOW}


async def post(world: Any, path: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    async with world.session.post(f"{world.service.url}{path}", json=body, headers=headers) as response:
        return response.status, await response.json(content_type=None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("gross_pay", 99),
        ("gross_pay", 1200.5),
        ("gross_pay", True),
        ("gross_pay", "1200"),
        ("gross_pay", 10**12),
        ("paycycle_startdate", NOW * 1000),
        ("paycycle_enddate", NOW - 86400),
        ("paycycle_enddate", None),
    ],
)
async def test_pay_and_times_out_of_range_are_refused_with_the_fields_pointer(
    world: Any, field: str, value: Any
) -> None:
    engagement_id = await flows.first_time(world.drive)
    status, problem = await post(world, f"/v1/engagements/{engagement_id}/invoices", {**PAY, field: value})
    assert status == 422
    assert problem["errors"][0]["pointer"] == f"/{field}"


async def test_one_idempotency_key_records_one_invoice_and_does_not_swallow_a_retry(world: Any) -> None:
    engagement_id = await flows.first_time(world.drive)
    path = f"/v1/engagements/{engagement_id}"
    key = {"Idempotency-Key": "march"}
    answers = [await post(world, f"{path}/invoices", PAY, **key) for _ in range(3)]
    assert [status for status, _ in answers] == [202, 200, 200]
    status, _ = await post(world, f"{path}/retry", {"reason": "the same key, another act"}, **key)
    assert status == 202
    await world.drive.until_event(engagement_id, "InvoiceRecorded")
    calls = await world.drive.ten99policy.get("/_control/calls")
    assert calls["by_route"]["POST /api/v1/invoices"] == 1


async def test_two_writes_under_one_request_id_are_two_writes(world: Any) -> None:
    engagement_id = await flows.first_time(world.drive)
    path = f"/v1/engagements/{engagement_id}/retry"
    for _ in range(2):
        status, _ = await post(world, path, {"reason": "again"}, **{"X-Request-Id": "from-a-gateway"})
        assert status == 202


async def test_a_certificate_handed_in_is_uploaded_and_covers(world: Any) -> None:
    engagement_id = await flows.first_time(world.drive)
    form = aiohttp.FormData()
    form.add_field("certificate", b"%PDF-1.7 acord", filename="acord 25.pdf", content_type="application/pdf")
    url = f"{world.service.url}/v1/engagements/{engagement_id}/certificates"
    async with world.session.post(url, data=form) as response:
        assert response.status == 202
    await world.drive.certificate(engagement_id, "approve")
    shown = await world.drive.until(engagement_id, lambda s: s["covered"] is True)
    assert shown["state"] == "insured"
    assert shown["coverage"]["certificate"]["status"] == "validated"


async def test_what_is_no_pdf_is_refused(world: Any) -> None:
    engagement_id = await flows.first_time(world.drive)
    form = aiohttp.FormData()
    form.add_field("certificate", b"MZ not a pdf", filename="acord.pdf", content_type="application/pdf")
    url = f"{world.service.url}/v1/engagements/{engagement_id}/certificates"
    async with world.session.post(url, data=form) as response:
        assert response.status == 422


async def test_what_waits_can_be_paged_through_deliveries_first(world: Any) -> None:
    sent = {"X-Upwork-Webhook-Token": "upwork-sandbox-token"}
    for number in range(3):
        body = f'{{"id": "junk-{number}"}}'.encode()
        assert await world.drive.service.raw_post("/webhooks/upwork", body, sent) == 202
    await flows.unmapped_category(world.drive)
    expected = ["delivery_unusable"] * 3 + ["category_unmapped"]

    async def codes() -> bool:
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            more = f"&cursor={cursor}" if cursor else ""
            page = await world.drive.service.get(f"/v1/attention?limit=2{more}")
            assert len(page["items"]) <= 2
            seen += [item["code"] for item in page["items"]]
            cursor = page["next"]
        return seen == expected

    await world.drive.until_true(codes, "all four items")


async def test_nobody_gets_a_name_who_is_not_known_here(world: Any) -> None:
    name = {"first_name": "Ava", "last_name": "Nguyen"}
    status, problem = await post(world, "/v1/freelancers/fl_nobody/name", name)
    assert (status, problem["status"]) == (404, 404)
    assert (await post(world, "/v1/freelancers/fl_nobody/name", name))[0] == 404
