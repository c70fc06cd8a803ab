"""Bad input is kept, named and mended: nothing crashes and nothing is lost."""

import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from deliveries import deliver_1099policy, deliver_upwork

from service.demo.flows import someone

TOML = """
[clients]
"*" = "en_abc123"
[categories]
{categories}
[contractor]
proxy_email_domain = "relay.example.com"
"""


async def attention_codes(world: Any) -> list[str]:
    found = await world.drive.service.get("/v1/attention")
    return [item["code"] for item in found["items"]]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"not json", "delivery_unusable"),
        (b'{"id":"e1","type":"offer.accepted","data":{}}', "delivery_unusable"),
        (b'{"id":"e2","type":"moon.landed","data":{}}', "delivery_unknown_type"),
        (b"[1, 2]", "delivery_unusable"),
        (b"\xff\xfe\x00", "delivery_unusable"),
    ],
)
async def test_an_unusable_delivery_is_kept_and_shown(world: Any, body: bytes, code: str) -> None:
    assert await deliver_upwork(world, body) == 202
    assert await deliver_upwork(world, body) == 200

    async def shown() -> bool:
        return code in await attention_codes(world)

    await world.drive.until_true(shown, f"{code} under attention")
    listed = await world.drive.service.get("/v1/deliveries")
    assert len(listed["items"]) == 1


async def test_an_unproven_delivery_is_refused_and_leaves_nothing(world: Any) -> None:
    wrong = {"X-Upwork-Webhook-Token": "guess"}
    assert await world.drive.service.raw_post("/webhooks/upwork", b"{}", wrong) == 401
    assert await world.drive.service.raw_post("/webhooks/upwork", b"{}", {}) == 401
    listed = await world.drive.service.get("/v1/deliveries")
    assert listed["items"] == []


async def test_a_compressed_or_empty_or_huge_delivery_is_refused_before_it_is_read(world: Any) -> None:
    assert await deliver_upwork(world, b"{}", **{"Content-Encoding": "gzip"}) == 415
    assert await deliver_upwork(world, b"") == 400
    assert await deliver_upwork(world, b"x" * (256 * 1024 + 1)) == 413


BAD_CONTRACTS = {
    "category_unmapped": {"contract": {"category": {"name": "Falconry"}}},
    "start_missing": {"contract": {"startDate": None}},
    "pay_not_exact": {"contract": {"hourlyRate": {"amount": 75.005}}},
    "pay_currency": {"contract": {"hourlyRate": {"amount": 75, "currency": "EUR"}}},
    "pay_missing": {"contract": {"hourlyRate": None, "fixedBudget": None}},
    "title_missing": {"contract": {"title": None}},
    "name_missing": {"freelancer": {"displayName": None}},
    "name_unclear": {"freelancer": {"displayName": "Madonna"}},
    "window_empty": {"contract": {"startDate": "2031-05-02", "endDate": "2031-05-01"}},
}


@pytest.mark.parametrize("code", BAD_CONTRACTS)
async def test_a_contract_that_cannot_be_mapped_waits_with_the_fix_in_words(world: Any, code: str) -> None:
    body = dict(BAD_CONTRACTS[code])
    body["freelancer"] = {**someone(), **body.get("freelancer", {})}
    engagement_id = await world.drive.contract(**body)
    shown = await world.drive.until(
        engagement_id, lambda s: code in {item["code"] for item in s["attention"]}
    )
    item = next(item for item in shown["attention"] if item["code"] == code)
    assert item["message"]
    assert item["clears"]
    assert shown["covered"] is False


async def test_after_the_mapping_is_mended_and_retry_called_the_engagement_goes_on(
    worlds: Any, tmp_path: Path
) -> None:
    config = tmp_path / "coverd.toml"
    config.write_text(TOML.format(categories='"Writing" = "jc_MTqpkbkp6G"'))
    async with worlds(config) as world:
        engagement_id = await world.drive.contract(freelancer=someone())
        await world.drive.until(
            engagement_id, lambda s: "category_unmapped" in {item["code"] for item in s["attention"]}
        )
        config.write_text(TOML.format(categories='"*" = "SOFTWARE_ENGINEERING_CONTRACT"'))
        retry = {"reason": "mapped every category"}
        await world.drive.service.post(f"/v1/engagements/{engagement_id}/retry", retry)
        shown = await world.drive.until_state(engagement_id, "awaiting_opt_in")
        assert shown["attention"] == []


async def test_a_name_decided_by_a_person_is_kept_for_the_next_engagement(world: Any) -> None:
    person = {**someone(), "displayName": "Madonna"}
    first = await world.drive.contract(freelancer=person)
    await world.drive.until(first, lambda s: "name_unclear" in {item["code"] for item in s["attention"]})
    name = {"first_name": "Madonna", "last_name": "Ciccone"}
    await world.drive.service.post(f"/v1/freelancers/{person['id']}/name", name)
    await world.drive.until_state(first, "awaiting_opt_in")
    second = await world.drive.contract(freelancer=person)
    await world.drive.until_state(second, "awaiting_opt_in")


async def offer_that_names_nobody(world: Any, freelancer: dict[str, Any]) -> str:
    engagement_id: str = await world.drive.contract(freelancer=freelancer, offer=False)
    body = {"id": "evt-nobody", "type": "offer.accepted", "data": {"contract": {"id": engagement_id}}}
    assert await deliver_upwork(world, orjson.dumps(body)) == 202
    return engagement_id


async def test_an_offer_without_a_freelancer_waits_until_the_contract_names_them(worlds: Any) -> None:
    async with worlds(dialect="guide") as world:
        engagement_id = await offer_that_names_nobody(world, someone())
        await world.drive.until(
            engagement_id, lambda s: "freelancer_missing" in {item["code"] for item in s["attention"]}
        )
        await world.drive.activate(engagement_id)
        shown = await world.drive.until_state(engagement_id, "awaiting_opt_in")
        assert shown["attention"] == []


async def test_where_the_contract_shows_its_freelancer_an_offer_without_one_goes_on(worlds: Any) -> None:
    person = someone()
    async with worlds(dialect="reference") as world:
        engagement_id = await offer_that_names_nobody(world, person)
        shown = await world.drive.until_state(engagement_id, "awaiting_opt_in")
        assert shown["attention"] == []
        assert shown["freelancer"] == {"id": person["id"]}
        assert shown["contract"]["client_id"] == "client_1"
        found = await world.drive.service.get(f"/v1/engagements?q={person['id']}")
        assert [item["engagement_id"] for item in found["items"]] == [engagement_id]


async def test_a_contract_is_found_by_the_id_of_its_terms_too(worlds: Any) -> None:
    async with worlds(dialect="reference") as world:
        engagement_id = await world.drive.contract(freelancer=someone(), contract={"termId": "40077"})
        await world.drive.until_state(engagement_id, "awaiting_opt_in")
        found = await world.drive.service.get("/v1/engagements?q=40077")
        assert [item["engagement_id"] for item in found["items"]] == [engagement_id]


async def test_policy_news_before_its_engagement_waits_and_is_applied_later(world: Any) -> None:
    engagement_id = await world.drive.contract(freelancer=someone(), offer=False)
    early = {
        "id": "ev_early",
        "type": "policy.active",
        "created": int(time.time()),
        "data": {
            "id": "pl_early",
            "object": "policy",
            "effective_date": 1_900_000_000,
            "expiration_date": 1_910_000_000,
            "custom_metadata": {"engagement_id": engagement_id},
        },
    }
    assert await deliver_1099policy(world, early) == 202
    await world.drive.activate(engagement_id)
    shown = await world.drive.until_state(engagement_id, "insured")
    assert shown["ten99policy"]["policy"] == "pl_early"


async def test_what_the_vendor_refuses_is_parked_with_its_words_and_tried_again_on_retry(world: Any) -> None:
    fault = {"match": "POST /api/v1/jobs", "kind": "status:422", "times": 1}
    await world.drive.ten99policy.post("/_control/faults", fault)
    engagement_id = await world.drive.contract(freelancer=someone())
    shown = await world.drive.until(
        engagement_id, lambda s: "effect_parked" in {item["code"] for item in s["attention"]}
    )
    assert "422" in shown["attention"][0]["message"]
    retry = {"reason": "the vendor mended it"}
    await world.drive.service.post(f"/v1/engagements/{engagement_id}/retry", retry)
    await world.drive.until_state(engagement_id, "awaiting_opt_in")


@pytest.mark.parametrize(
    "kind",
    ["status:500", "status:503", "html", "truncate", "drop-before", "drop-after-commit", "retry-after:0"],
)
async def test_a_vendor_that_fails_for_a_while_delays_but_doubles_nothing(world: Any, kind: str) -> None:
    for path in ("contractors", "jobs", "quotes", "apply/sessions"):
        fault = {"match": f"POST /api/v1/{path}", "kind": kind, "times": 1}
        await world.drive.ten99policy.post("/_control/faults", fault)
    engagement_id = await world.drive.contract(freelancer=someone())
    await world.drive.until_state(engagement_id, "awaiting_opt_in")
    objects = await world.drive.ten99policy.get("/_control/objects")
    assert [len(objects[name]) for name in ("contractors", "jobs", "quotes")] == [1, 1, 1]
