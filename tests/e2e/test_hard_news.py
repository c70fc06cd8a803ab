"""News that is short of dates, names the wrong engagement, contradicts itself, or comes from another year."""

import time
from datetime import datetime, timedelta
from typing import Any

import orjson
from deliveries import deliver_1099policy

from service.demo import flows


def policy_news(kind: str, policy: str, created: int | None = None, **data: Any) -> dict[str, Any]:
    said = created or int(time.time())
    return {
        "id": f"ev_{kind}_{policy}_{said}_{len(data)}",
        "type": kind,
        "created": said,
        "data": {"id": policy, "object": "policy", **data},
    }


async def policy_reads(world: Any) -> int:
    calls = await world.drive.ten99policy.get("/_control/calls")
    reads: int = calls["by_route"].get("GET /api/v1/policies/{id}", 0)
    return reads


async def test_a_reinstatement_without_dates_is_read_back_once_and_covers_again(world: Any) -> None:
    engagement = await flows.first_time(world.drive)
    await world.drive.policy(engagement, "cancel")
    await world.drive.until_state(engagement, "lapsed")
    policy = (await world.drive.status(engagement))["ten99policy"]["policy"]
    lost = {"match": "/webhooks/1099policy", "kind": "lose", "times": 1}
    await world.drive.ten99policy.post("/_control/faults", lost)
    await world.drive.policy(engagement, "reactivate")
    assert await deliver_1099policy(world, policy_news("policy.reactivated", policy)) == 202
    shown = await world.drive.until(
        engagement, lambda s: s["state"] == "insured" and s["coverage"]["next_change_at"] is not None
    )
    assert shown["covered"] is False
    assert await policy_reads(world) == 1
    assert len(await world.drive.events(engagement)) == shown["version"]


async def test_once_a_freelancer_has_opted_in_their_other_contract_is_assigned_too(world: Any) -> None:
    person = flows.someone()
    first = await world.drive.contract(freelancer=person)
    second = await world.drive.contract(freelancer=person)
    for engagement in (first, second):
        await world.drive.until_state(engagement, "awaiting_opt_in")
    await world.drive.complete_session(first)
    await world.drive.until_state(first, "insured")
    await world.drive.activate(second)
    shown = await world.drive.until_state(second, "insured")
    assert shown["ten99policy"]["assignment"].startswith("an_")


async def test_by_the_vendors_own_clock_the_guides_dates_are_insured(world: Any) -> None:
    for vendor in (world.drive.upwork, world.drive.ten99policy):
        await vendor.post("/_control/clock", {"now": "2025-11-20T00:00:00Z"})
    await world.drive.offer("9001")
    await world.drive.until_state("9001", "awaiting_opt_in")
    quotes = (await world.drive.ten99policy.get("/_control/calls?detail=1"))["requests"]
    asked = next(r["body"] for r in quotes if r["path"] == "/api/v1/quotes")
    assert (asked["effective_date"], asked["end_date"]) == (1764628800, 1772448000)
    await world.drive.complete_session("9001")
    await world.drive.until_state("9001", "insured")
    await world.drive.until_event("9001", "OptInShared")
    await world.drive.activate("9001")
    await world.drive.until_event("9001", "ContractActivated")
    shown = await world.drive.status("9001")
    assert shown["state"] == "insured"
    assert shown["covered"] is False, "by our clock that winter is over"


async def test_news_that_names_a_stranger_is_led_by_what_it_speaks_of(world: Any) -> None:
    engagement = await world.drive.contract(freelancer=flows.someone())
    quote = (await world.drive.until_state(engagement, "awaiting_opt_in"))["ten99policy"]["quote"]
    news = policy_news(
        "policy.active",
        "pl_elsewhere",
        quote=quote,
        effective_date=1_900_000_000,
        expiration_date=1_910_000_000,
        custom_metadata={"engagement_id": "nobody-knows-me"},
    )
    assert await deliver_1099policy(world, news) == 202
    await world.drive.until_state(engagement, "insured")


async def test_news_that_names_two_engagements_covers_neither_and_is_shown(world: Any) -> None:
    one = await world.drive.contract(freelancer=flows.someone())
    other = await world.drive.contract(freelancer=flows.someone())
    quote = (await world.drive.until_state(one, "awaiting_opt_in"))["ten99policy"]["quote"]
    await world.drive.until_state(other, "awaiting_opt_in")
    news = policy_news(
        "policy.active",
        "pl_whose",
        quote=quote,
        effective_date=1_700_000_000,
        expiration_date=1_910_000_000,
        custom_metadata={"engagement_id": other},
    )
    assert await deliver_1099policy(world, news) == 202

    async def shown() -> bool:
        found = await world.drive.service.get("/v1/attention?code=delivery_unusable")
        return any(one in item["message"] and other in item["message"] for item in found["items"])

    await world.drive.until_true(shown, "the disagreement under attention")
    for engagement in (one, other):
        assert (await world.drive.status(engagement))["covered"] is False


async def test_an_activation_whose_body_says_cancelled_covers_nothing(world: Any) -> None:
    engagement = await flows.first_time(world.drive)
    await world.drive.policy(engagement, "cancel")
    await world.drive.until_state(engagement, "lapsed")
    policy = (await world.drive.status(engagement))["ten99policy"]["policy"]
    contradiction = policy_news(
        "policy.active",
        policy,
        created=int(time.time()) + 1,
        effective_date=1_700_000_000,
        expiration_date=1_910_000_000,
        is_active=False,
        status="cancelled",
    )
    assert await deliver_1099policy(world, contradiction) == 202

    async def read_back() -> bool:
        types = [event["type"] for event in await world.drive.events(engagement)]
        return types.count("PolicyCanceled") == 2

    await world.drive.until_true(read_back, "the policy read back")
    shown = await world.drive.until_state(engagement, "lapsed")
    assert shown["covered"] is False


async def test_any_content_encoding_is_refused(world: Any) -> None:
    sent = {"X-Upwork-Webhook-Token": "upwork-sandbox-token", "Content-Encoding": "identity"}
    body = orjson.dumps({"id": "x", "type": "offer.accepted"})
    assert await world.drive.service.raw_post("/webhooks/upwork", body, sent) == 415


async def test_a_cancellation_that_only_moves_the_expiration_ends_cover_there(world: Any) -> None:
    """Contract, "Meaning": a cancellation takes effect at an expiration_date that moved earlier."""
    engagement = await flows.first_time(world.drive)
    shown = await world.drive.until(engagement, lambda s: s["coverage"]["next_change_at"] is not None)
    begins = datetime.fromisoformat(shown["coverage"]["next_change_at"])
    sooner = begins + timedelta(days=9)
    moved = {"cancellation_date": None, "expiration_date": int(sooner.timestamp())}
    await world.drive.policy(engagement, "cancel", **moved)
    await world.drive.until_event(engagement, "PolicyCanceled")
    assert (await world.drive.status(engagement))["state"] == "insured"

    async def covered(at: datetime) -> bool:
        path = f"/v1/engagements/{engagement}/coverage?at={at.isoformat().replace('+00:00', 'Z')}"
        return bool((await world.drive.service.get(path))["covered"])

    second = timedelta(seconds=1)
    days = (begins - second, begins, sooner - second, sooner)
    assert [await covered(at) for at in days] == [False, True, True, False]


async def test_a_policy_of_another_contractor_covers_nothing(world: Any) -> None:
    engagement = await flows.own_certificate(world.drive)
    now = int(time.time())
    foreign = policy_news(
        "policy.active",
        "pl_foreign",
        contractor="cn_somebody_else",
        status="active",
        is_active=True,
        effective_date=now - 86_400,
        expiration_date=now + 86_400 * 90,
        custom_metadata={"engagement_id": engagement},
    )
    assert await deliver_1099policy(world, foreign) == 202
    await world.drive.until_true(lambda: needs(world, "delivery_unusable"), "it to be shown to a person")
    shown = await world.drive.status(engagement)
    assert (shown["state"], shown["ten99policy"]["policy"]) == ("coi_validated", None)


async def needs(world: Any, code: str) -> bool:
    listed = await world.drive.service.get("/v1/attention")
    return code in {item["code"] for item in listed["items"]}


async def test_a_certificate_that_says_it_is_denied_is_not_validated_by_its_events_name(world: Any) -> None:
    engagement = await world.drive.contract(freelancer=flows.someone(), attachments=flows.COI)
    shown = await world.drive.until(engagement, lambda s: s["ten99policy"]["certificate"] is not None)
    news = {
        "id": "ev_denied",
        "type": "certificate.validated",
        "created": int(time.time()),
        "data": {"object": {"id": shown["ten99policy"]["certificate"], "status": "denied"}},
    }
    assert await deliver_1099policy(world, news) == 202
    await world.drive.until_state(engagement, "under_review")


async def test_news_that_contradicts_itself_makes_a_running_policy_unknown_until_it_is_read(
    world: Any,
) -> None:
    engagement = await flows.first_time(world.drive)
    policy = (await world.drive.status(engagement))["ten99policy"]["policy"]
    reads = await policy_reads(world)
    later = int(time.time()) + 2
    doubt = policy_news("policy.active", policy, later, status="cancelled", is_active=False)
    assert await deliver_1099policy(world, doubt) == 202

    async def read() -> bool:
        return await policy_reads(world) > reads

    await world.drive.until_true(read, "the policy to be read back")
    shown = await world.drive.until(engagement, lambda s: s["coverage"]["until"] or not s["attention"])
    assert shown["state"] == "insured"


async def test_a_certificate_from_elsewhere_is_led_by_its_contractor(world: Any) -> None:
    engagement = await world.drive.contract(freelancer=flows.someone())
    shown = await world.drive.until_state(engagement, "awaiting_opt_in")
    news = {
        "id": "ev_elsewhere",
        "type": "certificate.validated",
        "created": int(time.time()),
        "data": {"object": {"id": "crt_elsewhere", "contractor": shown["ten99policy"]["contractor"]}},
    }
    assert await deliver_1099policy(world, news) == 202
    await world.drive.until_state(engagement, "coi_validated")
