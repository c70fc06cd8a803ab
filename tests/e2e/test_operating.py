"""What operations people do every day: see causes, count, retry, skip and replay, by ones and by many."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from page_site import Seen, assert_locked_down, well_formed

from domain.commands import RequestRetry
from service.demo import flows
from service.handle import Handler
from service.store.errors import StoreUnavailable

SENT = {"X-Upwork-Webhook-Token": "upwork-sandbox-token"}


@pytest.fixture
async def world(worlds: Any) -> AsyncIterator[Any]:
    async with worlds() as made:
        yield made


async def post(world: Any, path: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    async with world.session.post(f"{world.service.url}{path}", json=body, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def history(world: Any, engagement_id: str) -> list[dict[str, Any]]:
    return list((await world.drive.service.get(f"/v1/engagements/{engagement_id}/events"))["items"])


async def refused(world: Any, how_many: int, match: str = "POST /api/v1/quotes") -> list[str]:
    """Engagements whose call the vendor refuses for good, once each."""
    fault = {"match": match, "kind": "status:422", "times": how_many}
    await world.drive.ten99policy.post("/_control/faults", fault)
    made = []
    for _ in range(how_many):
        engagement = await world.drive.contract(freelancer=flows.someone())
        await world.drive.until(engagement, waits("effect_parked"))
        made.append(engagement)
    await world.service.runner.caught_up()
    return made


def waits(*codes: str) -> Any:
    return lambda shown: {a["code"] for a in shown["attention"]} == set(codes)


async def causes(world: Any, query: str = "") -> list[dict[str, Any]]:
    await world.service.runner.caught_up()
    return list((await world.drive.service.get(f"/v1/attention/causes{query}"))["items"])


async def junk(world: Any, *types: str) -> list[str]:
    """Deliveries of types nobody knows, one of each, once all of them were processed."""
    for number, type in enumerate(types):
        body = f'{{"id": "junk-{type}-{number}", "type": "{type}", "data": {{}}}}'.encode()
        assert await world.drive.service.raw_post("/webhooks/upwork", body, SENT) == 202
    found: list[str] = []

    async def settled() -> bool:
        listed = (await world.drive.service.get("/v1/deliveries?outcome=unknown_type"))["items"]
        found[:] = [d["id"] for d in listed][::-1]
        return len(found) == len(types)

    await world.drive.until_true(settled, "all deliveries processed")
    return found


async def test_causes_tell_how_often_and_name_who_has_waited_longest(world: Any) -> None:
    first, _ = await refused(world, 2)
    held = await flows.unmapped_category(world.drive)
    await junk(world, "dog.barked", "dog.barked")

    found = {(c["code"], c["step"]): c for c in await causes(world)}

    quotes = found["effect_parked", "quote"]
    assert (quotes["count"], quotes["engagements"], quotes["engagement_id"]) == (2, 2, first)
    assert quotes["cause"].startswith("CreateQuote was given up: ")
    assert quotes["first_seen"] < quotes["last_seen"]
    assert found["category_unmapped", None]["engagement_id"] == held
    assert found["delivery_unknown_type", None]["count"] == 2
    assert [c["code"] for c in await causes(world, "?code=category_unmapped")] == ["category_unmapped"]
    assert {c["code"] for c in found.values() if c["retryable"]} == {"effect_parked", "category_unmapped"}


async def test_no_page_holds_more_than_its_limit_silent_sources_among_it(worlds: Any) -> None:
    ahead = timedelta()
    async with worlds(clock=lambda: datetime.now(UTC) + ahead) as world:
        await junk(world, "dog.barked", "cat.meowed")
        await flows.unmapped_category(world.drive)
        await world.service.runner.caught_up()
        ahead = timedelta(hours=2)
        expected = [
            *("source_silent", "source_silent"),
            *("delivery_unknown_type", "delivery_unknown_type"),
            "category_unmapped",
        ]
        for size in (1, 2, 3, 5, 6):
            pages = await paged(world, size)
            assert [code for page in pages for code in page] == expected
            assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
            assert 1 <= len(pages[-1]) <= size, "no page is empty"
        for code in set(expected):
            listed = await paged(world, 1, f"&code={code}")
            assert [c for page in listed for c in page] == [c for c in expected if c == code]
        for strange in ("source", "delivery:nonsense", "feed:1"):
            async with world.session.get(f"{world.service.url}/v1/attention?cursor={strange}") as answered:
                assert answered.status == 400


async def paged(world: Any, size: int, more: str = "") -> list[list[str]]:
    pages, cursor = [], ""
    while cursor is not None:
        at = f"&cursor={cursor}" if cursor else ""
        found = await world.drive.service.get(f"/v1/attention?limit={size}{at}{more}")
        pages.append([item["code"] for item in found["items"]])
        cursor = found["next"]
    return pages


async def test_a_bulk_retry_counts_first_brakes_and_is_done_once(world: Any) -> None:
    made = await refused(world, 3)
    other = (await refused(world, 1, "POST /api/v1/jobs"))[0]
    asked = {"kind": "CreateQuote", "limit": 2, "reason": "1099Policy mended it"}
    key = {"Idempotency-Key": "after-the-outage"}

    status, counted = await post(world, "/v1/attention/retry", {"kind": "CreateQuote", "dry_run": True})
    assert (status, counted) == (200, {"dry_run": True, "matched": 3, "picked": 3})

    status, told = await post(world, "/v1/attention/retry", asked, **key)
    assert (status, told["matched"], told["picked"]) == (202, 3, 2)
    assert told["result"] == {"retried": 2, "settled": 0, "failed": 0}
    status, again = await post(world, "/v1/attention/retry", asked, **key)
    assert (status, again) == (200, told)
    status, _ = await post(world, "/v1/attention/retry", {**asked, "limit": 3}, **key)
    assert status == 409, "the key was used for another request"

    for engagement in made[:2]:
        await world.drive.until_state(engagement, "awaiting_opt_in")
        (retry,) = [e for e in await history(world, engagement) if e["type"] == "RetryRequested"]
        assert retry["data"] == {"reason": "1099Policy mended it", "steps": ["quote"]}
        assert (retry["actor"], retry["cause"]) == ("local", "operation:retry:after-the-outage")
    for engagement in (made[2], other):
        assert waits("effect_parked")(await world.drive.status(engagement)), "beyond the brake or the filter"

    (listed,) = (await world.drive.service.get("/v1/operations?act=retry"))["items"]
    assert (listed["id"], listed["actor"], listed["reason"]) == (told["id"], "local", asked["reason"])
    shown = await world.drive.service.get(f"/v1/operations/{told['id']}")
    assert shown["targets"] == [[engagement, ["quote"]] for engagement in made[:2]]


async def test_a_bulk_retry_that_was_broken_off_goes_on_with_the_same_and_counts_all(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store goes away behind the first of three, which is refused again meanwhile."""
    made = await refused(world, 3)
    asked, key = {"code": "effect_parked", "reason": "mended"}, {"Idempotency-Key": "k"}
    fault = {"match": "POST /api/v1/quotes", "kind": "status:422", "times": 1}
    await world.drive.ten99policy.post("/_control/faults", fault)
    handle, retries = Handler.engagement, 0

    async def away_behind_the_first(self: Handler, id: str, command: Any, *more: Any) -> Any:
        nonlocal retries
        retries += isinstance(command, RequestRetry)
        if isinstance(command, RequestRetry) and retries > 1:
            raise StoreUnavailable(why="it is stopped")
        return await handle(self, id, command, *more)

    with monkeypatch.context() as patched:
        patched.setattr(Handler, "engagement", away_behind_the_first)
        assert (await post(world, "/v1/attention/retry", asked, **key))[0] == 503
        await world.drive.until(made[0], waits("effect_parked"))
    (begun,) = (await world.drive.service.get("/v1/operations"))["items"]
    assert (begun["picked"], begun["ended_at"], begun["result"]) == (3, None, None)

    status, told = await post(world, "/v1/attention/retry", asked, **key)
    assert (status, told["result"]) == (200, {"retried": 3, "settled": 0, "failed": 0})
    for engagement in made:
        retried = [e for e in await history(world, engagement) if e["type"] == "RetryRequested"]
        assert len(retried) == 1
    for engagement in made[1:]:
        await world.drive.until_state(engagement, "awaiting_opt_in")


async def test_a_bulk_retry_of_a_hold_reads_the_contracts_again(world: Any) -> None:
    held = await flows.unmapped_category(world.drive)
    await world.service.runner.caught_up()
    status, told = await post(
        world, "/v1/attention/retry", {"code": "category_unmapped", "reason": "mapped it"}
    )
    assert (status, told["result"]["retried"]) == (202, 1)
    await world.drive.until_event(held, "RetryRequested")
    assert [e["data"]["steps"] for e in await history(world, held) if e["type"] == "RetryRequested"] == [
        ["read"]
    ]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"reason": "everything"}, ""),
        ({"code": "coverage_lapsed", "reason": "no call helps"}, "/code"),
        ({"kind": "CreateChaos", "reason": "x"}, "/kind"),
        ({"kind": "CreateQuote", "step": "job", "reason": "x"}, "/step"),
        ({"step": "quote", "limit": 201, "reason": "x"}, "/limit"),
        ({"since": "2026-03-02T10:40:00", "reason": "x"}, "/since"),
        ({"step": "quote"}, "/reason"),
        ({"step": "quote", "dry_run": "yes"}, "/dry_run"),
    ],
)
async def test_a_bulk_retry_that_says_too_little_or_wrong_is_refused(
    world: Any, body: Any, pointer: str
) -> None:
    status, problem = await post(world, "/v1/attention/retry", body)
    assert (status, problem["errors"][0]["pointer"]) == (422, pointer)


async def test_a_call_left_undone_waits_for_nobody_until_a_retry(world: Any) -> None:
    (engagement,) = await refused(world, 1)
    path = f"/v1/engagements/{engagement}"
    skip = {"code": "effect_parked", "step": "quote", "reason": "insured by hand"}

    assert (await post(world, f"{path}/skip", {**skip, "step": "job"}))[0] == 409
    status, shown = await post(world, f"{path}/skip", skip)
    assert (status, shown["attention"]) == (202, [])
    assert (await post(world, f"{path}/skip", skip))[0] == 200
    assert await causes(world) == []
    told = (await history(world, engagement))[-1]
    assert (told["type"], told["actor"]) == ("EffectSkipped", "local")
    assert told["data"] == {"step": "quote", "reason": "insured by hand"}

    status, _ = await post(world, f"{path}/retry", {"reason": "after all", "step": "quote"})
    assert status == 202
    await world.drive.until_state(engagement, "awaiting_opt_in")


async def test_a_hold_is_left_as_it_is(world: Any) -> None:
    held = await flows.unmapped_category(world.drive)
    path = f"/v1/engagements/{held}/skip"
    status, problem = await post(world, path, {"code": "category_unmapped", "step": "job", "reason": "no"})
    assert (status, problem["errors"][0]["pointer"]) == (422, "/step")
    status, problem = await post(world, path, {"code": "effect_parked", "reason": "which?"})
    assert (status, problem["errors"][0]["pointer"]) == (422, "/step")
    status, shown = await post(world, path, {"code": "category_unmapped", "reason": "a hobby"})
    assert (status, shown["attention"]) == (202, [])
    async with world.session.get(f"{world.service.url}/engagements/{held}") as page:
        assert "Left as it is: category unmapped. a hobby" in await page.text()


async def test_a_delivery_is_left_as_it_is_until_it_is_replayed(world: Any) -> None:
    (id,) = await junk(world, "dog.barked")
    assert [c["code"] for c in await causes(world)] == ["delivery_unknown_type"]

    status, told = await post(world, f"/v1/deliveries/{id}/skip", {"reason": "a toy of the sender"})
    assert (status, told["act"], told["asked"]) == (202, "skip", {"delivery": id})
    assert await causes(world) == []
    assert (await world.drive.service.get("/v1/attention"))["items"] == []
    assert (await world.drive.service.get(f"/v1/deliveries/{id}"))["skipped_at"]

    assert (await post(world, f"/v1/deliveries/{id}/replay", {}))[0] == 422
    status, _ = await post(world, f"/v1/deliveries/{id}/replay", {"reason": "mapped now"})
    assert status == 202
    assert [c["code"] for c in await causes(world)] == ["delivery_unknown_type"]
    told = (await world.drive.service.get("/v1/operations"))["items"]
    assert [(o["act"], o["reason"]) for o in told] == [
        ("replay", "mapped now"),
        ("skip", "a toy of the sender"),
    ]


async def test_what_waits_for_nobody_cannot_be_skipped(world: Any) -> None:
    await flows.first_time(world.drive)
    applied = (await world.drive.service.get("/v1/deliveries?outcome=applied"))["items"][0]["id"]
    assert (await post(world, f"/v1/deliveries/{applied}/skip", {"reason": "tidy"}))[0] == 409
    assert (await world.drive.service.get("/v1/operations"))["items"] == []


async def test_a_window_of_deliveries_is_replayed_by_the_handful(world: Any) -> None:
    began = datetime.now(UTC)
    ids = await junk(world, "dog.barked", "cat.meowed", "cow.mooed")
    window = {"since": began.isoformat(), "until": (began + timedelta(hours=1)).isoformat()}
    asked = {**window, "source": "upwork", "limit": 2, "reason": "aliases were added"}
    processed = {id: await processed_at(world, id) for id in ids}

    status, counted = await post(world, "/v1/deliveries/replay", {**window, "dry_run": True})
    assert (status, counted) == (200, {"dry_run": True, "matched": 3, "picked": 3})

    status, told = await post(world, "/v1/deliveries/replay", asked)
    assert (status, told["matched"], told["result"]) == (202, 3, {"replayed": 2, "next": ids[1]})
    status, told = await post(world, "/v1/deliveries/replay", {**asked, "cursor": ids[1]})
    assert (status, told["matched"], told["result"]) == (202, 1, {"replayed": 1, "next": None})

    async def all_again() -> bool:
        return all([await processed_at(world, id) > processed[id] for id in ids])

    await world.drive.until_true(all_again, "every delivery processed again")
    other = {**window, "source": "1099policy", "dry_run": True}
    assert (await post(world, "/v1/deliveries/replay", other))[1]["matched"] == 0


async def processed_at(world: Any, id: str) -> str:
    return str((await world.drive.service.get(f"/v1/deliveries/{id}"))["processed_at"])


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"since": None}, "/since"),
        ({"until": "2026-03-02T00:00:00Z"}, "/until"),
        ({"source": "fax"}, "/source"),
        ({"outcome": "lost"}, "/outcome"),
        ({"cursor": "nonsense"}, "/cursor"),
        ({"reason": " "}, "/reason"),
    ],
)
async def test_a_replay_that_says_too_little_or_wrong_is_refused(
    world: Any, changed: Any, pointer: str
) -> None:
    asked = {"since": "2026-03-02T00:00:00Z", "until": "2026-03-03T00:00:00Z", "reason": "why"}
    status, problem = await post(world, "/v1/deliveries/replay", {**asked, **changed})
    assert (status, problem["errors"][0]["pointer"]) == (422, pointer)


async def test_the_page_shows_each_cause_and_what_people_did(world: Any) -> None:
    assert "Nothing waits" in (await page(world)).words
    first, second = await refused(world, 2)
    await junk(world, "dog.barked")
    await post(world, "/v1/attention/retry", {"step": "quote", "limit": 1, "reason": "a <b>bold</b> try"})
    await world.drive.until_state(first, "awaiting_opt_in")
    await world.service.runner.caught_up()

    seen = await page(world)

    assert "2 things, for 2 reasons." in seen.words
    assert "Upwork: deliveries nobody here knows of type dog.barked" in seen.words
    assert "coverd retry --code effect_parked --step quote --dry-run" in seen.words
    assert f"/engagements/{second}" in {a.get("href") for a in seen.all("a")}
    assert "Tried again · 1 retried of 2" in seen.words
    assert "a <b>bold</b> try" in seen.words
    assert "by local · step quote, limit 1" in seen.words


async def page(world: Any) -> Seen:
    async with world.session.get(f"{world.service.url}/attention") as answered:
        assert answered.status == 200
        assert_locked_down(answered.headers)
        return well_formed(await answered.text())
