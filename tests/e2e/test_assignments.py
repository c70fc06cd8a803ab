"""Assignments that change at 1099Policy without us, or that nobody here was told of, over real HTTP."""

from datetime import timedelta
from typing import Any

from e2e.test_polling import Clock, metric

from service.demo import flows
from service.demo.driver import Driver, Peer

POST = "POST /api/v1/assignments"
DAY = 86_400


def vendor(world: Any) -> Peer:
    """Hands on 1099Policy's own API, as somebody else of the same company may have."""
    headers = {"Authorization": "Bearer t9k_test_sandbox"}
    return Peer(world.session, world.drive.ten99policy.url, headers)


async def job_of(world: Any, engagement_id: str) -> str:
    return str((await world.drive.status(engagement_id))["ten99policy"]["job"])


async def assignment_of(world: Any, engagement_id: str) -> dict[str, Any]:
    job = await job_of(world, engagement_id)
    (row,) = await vendor(world).get(f"/api/v1/assignments?job={job}")
    return dict(row)


async def cancels(world: Any, engagement_id: str) -> None:
    """Somebody at 1099Policy cancels what is assigned for the contract's job."""
    body = {"job_id": await job_of(world, engagement_id), "reason": "theirs"}
    await vendor(world).post("/api/v1/assignments/cancel", body)


async def sweeps(world: Any) -> set[tuple[str, str, bool]]:
    """What a sweep found: the type, what became of it, and whether it was drift."""
    report = await world.drive.service.post("/v1/reconcile")
    assert report["errors"] == {}
    return {(one["type"], one["outcome"], one["drift"]) for one in report["found"]}


async def opted_in(drive: Driver) -> dict[str, str]:
    """A freelancer who has opted in with a contract before."""
    person = flows.someone()
    before = await drive.contract(freelancer=person)
    await drive.until_state(before, "awaiting_opt_in")
    await drive.complete_session(before)
    await drive.until_event(before, "OptInShared")
    return person


async def deaf(world: Any) -> None:
    """No webhook of 1099Policy arrives any more."""
    await world.drive.ten99policy.post("/_control/faults", {"match": "*", "kind": "lose", "times": 1000})


async def later(world: Any, clock: Clock) -> None:
    """Two minutes pass, here and at 1099Policy."""
    clock.ahead += timedelta(minutes=2)
    await world.drive.ten99policy.post("/_control/clock", {"advance": 120})


async def test_a_cancellation_told_by_a_webhook_lapses_and_says_why(worlds: Any) -> None:
    async with worlds() as world:
        engagement_id = await flows.returning(world.drive)
        await cancels(world, engagement_id)
        shown = await world.drive.until_state(engagement_id, "lapsed")
        assert shown["covered"] is False
        (item,) = shown["attention"]
        assert (item["code"], "assignment was cancelled" in item["message"]) == ("coverage_lapsed", True)
        await world.drive.end(engagement_id)
        shown = await world.drive.until_state(engagement_id, "ended")
        assert shown["attention"] == []
        types = [event["type"] for event in await world.drive.events(engagement_id)]
        assert types.count("AssignmentCancelled") == 1
        assert "CoverageEnded" not in types


async def test_our_own_cancellation_at_the_end_is_no_news_of_others(worlds: Any) -> None:
    async with worlds() as world:
        engagement_id = await flows.ended_before_start(world.drive)
        assert (await assignment_of(world, engagement_id))["cancelled"] is True

        async def told() -> bool:
            deliveries = (await world.drive.service.get("/v1/deliveries"))["items"]
            return [d["outcome"] for d in deliveries if d["type"] == "assignment.cancelled"] == ["applied"]

        await world.drive.until_true(told, "the news of it")
        shown = await world.drive.status(engagement_id)
        assert (shown["state"], shown["attention"]) == ("ended", [])


async def test_asking_shows_other_dates_and_a_cancellation_that_no_webhook_told(worlds: Any) -> None:
    clock = Clock()
    async with worlds(clock=clock) as world:
        engagement_id = await flows.returning(world.drive)
        await deaf(world)
        row = await assignment_of(world, engagement_id)
        sooner = row["end_date"] - DAY
        await vendor(world)._send("PUT", f"/api/v1/assignments/{row['id']}", {"end_date": sooner})
        assert await sweeps(world) == {("assignment.changed", "applied", False)}
        shown = await world.drive.status(engagement_id)
        assert len(shown["coverage"]["gaps"]) == 1
        assert await sweeps(world) == set()

        await cancels(world, engagement_id)
        await later(world, clock)
        assert await sweeps(world) == {("assignment.cancelled", "applied", True)}
        assert (await world.drive.status(engagement_id))["state"] == "lapsed"
        assert await sweeps(world) == set()


async def test_what_was_made_before_the_contract_ended_is_ended_though_its_answer_was_lost(
    worlds: Any,
) -> None:
    async with worlds() as world:
        drive = world.drive
        person = await opted_in(drive)
        engagement_id = await drive.contract(freelancer=person)
        await drive.until_state(engagement_id, "quoted")
        lost = {"match": POST, "kind": "drop-after-commit", "times": 1000}
        await drive.ten99policy.post("/_control/faults", lost)
        await drive.activate(engagement_id)

        async def made() -> bool:
            job = await job_of(world, engagement_id)
            return bool(await vendor(world).get(f"/api/v1/assignments?job={job}"))

        await drive.until_true(made, "the assignment")
        await drive.end(engagement_id)
        await drive.until_event(engagement_id, "CoverageEnded")
        assert (await assignment_of(world, engagement_id))["cancelled"] is True


async def test_asking_finds_an_assignment_nobody_here_was_told_of_and_ends_it_with_its_contract(
    worlds: Any,
) -> None:
    clock = Clock()
    async with worlds(clock=clock) as world:
        drive = world.drive
        person = await opted_in(drive)
        live, over = [await drive.contract(freelancer=person) for _ in range(2)]
        for engagement_id in (live, over):
            shown = await drive.until_state(engagement_id, "quoted")
            quote = await vendor(world).get(f"/api/v1/quotes/{shown['ten99policy']['quote']}")
            body = {name: quote[name] for name in ("contractor", "job", "effective_date", "end_date")}
            if engagement_id == over:
                await drive.end(over)
                await drive.until_state(over, "ended")
            await vendor(world).post("/api/v1/assignments", body)
        assert await sweeps(world) == set(), "its answer may be on the way"

        await later(world, clock)
        assert await sweeps(world) == {("assignment.standing", "applied", True)}
        drift = await metric(world, "coverd_drift_total")
        assert drift == {'coverd_drift_total{source="1099policy",type="assignment.standing"}': 2}
        await drive.until_state(live, "insured")
        await drive.until_event(over, "CoverageEnded")
        assert (await assignment_of(world, over))["cancelled"] is True
        assert (await assignment_of(world, live))["cancelled"] is False
        assert await sweeps(world) == set()
