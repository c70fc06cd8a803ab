"""Time as a fact: stored timers that outlive the process, tell once, and renew a contract that runs on."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.demo import flows

DAY = timedelta(days=1)


class Hands:
    """Our own clock, moved by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self._stopped: datetime | None = None

    def __call__(self) -> datetime:
        return self._stopped or datetime.now(UTC) + self.ahead

    def still_at(self, instant: datetime) -> None:
        self._stopped = instant


async def passed(world: Any, engagement: str, code: str) -> list[dict[str, Any]]:
    events = await world.drive.events(engagement)
    return [e["data"] for e in events if e["type"] == "DeadlinePassed" and e["data"]["code"] == code]


async def set_clock(world: Any, **body: Any) -> None:
    """At both vendors; 1099Policy's next answer tells of it."""
    for vendor in (world.drive.upwork, world.drive.ten99policy):
        await vendor.post("/_control/clock", body)
    await world.service.desk.ten99policy.read("/events?limit=1")


async def test_an_opt_in_that_never_comes_is_told_of_once_also_after_a_restart(worlds: Any) -> None:
    clock = Hands()
    async with worlds(clock=clock) as world:
        engagement = await world.drive.contract(freelancer=flows.someone())
        await world.drive.until_state(engagement, "awaiting_opt_in")
    clock.ahead = 3 * DAY + timedelta(minutes=1)
    async with worlds(clock=clock, COVERD_POLL_SECONDS="0") as world:
        await world.drive.until_event(engagement, "DeadlinePassed")
        shown = await world.drive.status(engagement)
        assert [item["code"] for item in shown["attention"]] == ["opt_in_overdue"]
    clock.ahead = 30 * DAY
    async with worlds(clock=clock, COVERD_POLL_SECONDS="0") as world:

        async def listed() -> bool:
            items = (await world.drive.service.get("/v1/attention"))["items"]
            return [item["code"] for item in items] == ["opt_in_overdue"]

        await world.drive.until_true(listed, "one item under attention")
        assert await world.service.store.claim(10, 1.0, clock()) == []
        assert len(await passed(world, engagement, "opt_in_overdue")) == 1


async def test_the_end_of_cover_is_told_at_each_configured_day_and_by_the_vendors_clock(world: Any) -> None:
    await set_clock(world, now="2025-11-20T00:00:00Z")
    await world.drive.offer("9001")
    await world.drive.until_state("9001", "awaiting_opt_in")
    await world.drive.complete_session("9001")
    await world.drive.until_state("9001", "insured")
    assert await passed(world, "9001", "expiry_coming") == []
    for now, times in (("2026-02-01T00:00:00Z", 1), ("2026-02-24T00:00:00Z", 2), ("2026-03-01T12:00:00Z", 3)):
        await set_clock(world, now=now)

        async def told(times: int = times) -> bool:
            return len(await passed(world, "9001", "expiry_coming")) == times

        await world.drive.until_true(told, f"{times} reminders")
    assert (await world.drive.status("9001"))["attention"] == [], "the contract ends on the same day"
    await set_clock(world, now="2026-03-02T12:00:00Z")
    await world.drive.until_state("9001", "lapsed")


async def test_a_timer_put_back_while_the_vendors_clock_is_set_looks_at_it_again(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = world.service.store
    put_back, rouse, roused = store.retry_later, store.rouse, asyncio.Event()

    async def rousing(*what: Any) -> None:
        await rouse(*what)
        roused.set()

    async def putting_back(claimed: Any, *when: Any, **more: Any) -> Any:
        if claimed.kind == "WatchDeadline" and claimed.step.startswith("deadline:expiry") and once:
            once.clear()
            roused.clear()
            await set_clock(world, now="2026-02-01T00:00:00Z")
            await roused.wait()
        return await put_back(claimed, *when, **more)

    once = [True]
    await set_clock(world, now="2025-11-20T00:00:00Z")
    monkeypatch.setattr(store, "rouse", rousing)
    monkeypatch.setattr(store, "retry_later", putting_back)
    await world.drive.offer("9001")
    await world.drive.until_state("9001", "awaiting_opt_in")
    await world.drive.complete_session("9001")
    await world.drive.until_event("9001", "DeadlinePassed")
    assert once == []


async def test_a_contract_without_an_end_is_renewed_before_its_quote_ends(world: Any) -> None:
    await set_clock(world, now="2025-11-20T00:00:00Z")
    engagement = await world.drive.contract(
        freelancer=flows.someone(), contract={"startDate": "2025-12-01", "endDate": None}
    )
    await world.drive.until_state(engagement, "awaiting_opt_in")
    await world.drive.complete_session(engagement)
    await world.drive.until_state(engagement, "insured")
    await world.drive.activate(engagement)
    await world.drive.until_event(engagement, "ContractActivated")
    await world.drive.until_event(engagement, "OptInShared")
    first = await world.drive.status(engagement)
    assert first["contract"]["ends_at"] == "2026-03-01T00:00:00Z"
    assert len(await passed(world, engagement, "renewal_due")) == 0

    await set_clock(world, now="2026-02-16T00:00:00Z")
    second = await world.drive.until(
        engagement,
        lambda s: s["ten99policy"]["assignment"] and s["ten99policy"]["session"],
    )
    assert second["state"] == "insured"
    assert second["ten99policy"]["quote"] != first["ten99policy"]["quote"]
    assert second["contract"]["starts_at"] == first["contract"]["starts_at"]
    assert second["contract"]["ends_at"] == "2026-05-30T00:00:00Z"
    await world.drive.complete_session(engagement)
    renewed = await world.drive.until(engagement, lambda s: s["coverage"]["gaps"] == [])
    assert renewed["state"] == "insured"

    await set_clock(world, now="2026-03-05T00:00:00Z")
    told = await world.drive.service.get(f"/v1/engagements/{engagement}/coverage?at=2026-03-05T00:00:00Z")
    assert (told["covered"], told["since"]) == (True, "2025-12-01T00:00:00Z")
    quotes = (await world.drive.ten99policy.get("/_control/calls"))["by_route"]["POST /api/v1/quotes"]
    assert quotes == 2


async def test_a_renewed_contract_that_ends_leaves_nothing_standing(world: Any) -> None:
    await set_clock(world, now="2025-11-20T00:00:00Z")
    person = flows.someone()
    before = await world.drive.contract(
        freelancer=person, contract={"startDate": "2025-12-01", "endDate": "2026-11-01"}
    )
    await world.drive.until_state(before, "awaiting_opt_in")
    await world.drive.complete_session(before)
    await world.drive.until_event(before, "OptInShared")
    engagement = await world.drive.contract(
        freelancer=person, contract={"startDate": "2025-12-01", "endDate": None}
    )
    await world.drive.until_state(engagement, "quoted")
    await world.drive.activate(engagement)
    first = (await world.drive.until_state(engagement, "insured"))["ten99policy"]["assignment"]

    await set_clock(world, now="2026-02-16T00:00:00Z")
    renewed = await world.drive.until(
        engagement, lambda s: s["ten99policy"]["assignment"] not in (None, first)
    )
    assert renewed["ten99policy"]["session"] is None, "the policy reaches far enough"
    second = renewed["ten99policy"]["assignment"]
    await world.drive.end(engagement)
    await world.drive.until_state(engagement, "ended")

    async def ended() -> bool:
        held = await world.drive.ten99policy.get("/_control/objects")
        rows = {row["id"]: row for row in held["assignments"]}
        return bool(rows[second]["cancelled"]) and rows[first]["end_date"] < 1_772_323_200

    await world.drive.until_true(ended, "both assignments to end")


async def test_a_contract_that_runs_already_is_quoted_from_the_next_day_and_the_event_says_so(
    world: Any,
) -> None:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    began, ends = today - 10 * DAY, today + 30 * DAY
    dates = {"startDate": began.date().isoformat(), "endDate": ends.date().isoformat()}
    engagement = await world.drive.contract(contract=dates, freelancer=flows.someone())
    await world.drive.until_state(engagement, "awaiting_opt_in")
    [quoted] = [e["data"] for e in await world.drive.events(engagement) if e["type"] == "QuoteCreated"]
    assert quoted["moved_from"] == began.timestamp()
    assert quoted["effective_date"] % DAY.total_seconds() == 0
    assert began.timestamp() < quoted["effective_date"] <= (today + 2 * DAY).timestamp()
    assert quoted["end_date"] == ends.timestamp()


async def test_an_answer_is_kept_until_its_cover_begins_and_a_304_says_so_too(worlds: Any) -> None:
    clock = Hands()
    async with worlds(clock=clock, COVERD_POLL_SECONDS="0") as world:
        await world.drive.offer("9001")
        await world.drive.until_state("9001", "awaiting_opt_in")
        await world.drive.complete_session("9001")
        insured = await world.drive.until_state("9001", "insured")
        begins = datetime.fromisoformat(insured["coverage"]["next_change_at"])

        async def asked(**headers: str) -> tuple[int, str, str]:
            url = f"{world.service.url}/v1/engagements/9001"
            async with world.session.get(url, headers=headers) as got:
                return got.status, got.headers["Cache-Control"], got.headers["ETag"]

        async def settled() -> bool:
            return (await asked())[1] == "private, max-age=5, must-revalidate"

        await world.drive.until_true(settled, "an answer that rests")
        clock.still_at(begins - timedelta(seconds=3.5))
        status, kept, tag = await asked()
        assert (status, kept) == (200, "private, max-age=3, must-revalidate")
        assert await asked(**{"If-None-Match": tag}) == (304, kept, tag)
        clock.still_at(begins - timedelta(seconds=0.5))
        assert await asked(**{"If-None-Match": tag}) == (304, "private, max-age=0, must-revalidate", tag)
        clock.still_at(begins)
        status, _, later = await asked(**{"If-None-Match": tag})
        assert status == 200
        assert later != tag
