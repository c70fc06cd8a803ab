"""Asking beside the webhooks: one asks of many, drift is counted, and silence leaves answers unknown."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from aiohttp.test_utils import unused_port
from deliveries import deliver_1099policy

from service.clock import rfc3339
from service.demo import flows
from service.poll.poller import Poller
from service.poll.reconcile import SOURCES
from service.poll.report import Report

HOURS = timedelta(hours=2)


class Clock:
    """The world's clock, which a test may set ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


async def metric(world: Any, name: str) -> dict[str, float]:
    async with world.session.get(f"{world.service.url}/metrics") as answered:
        lines = (await answered.text()).splitlines()
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line.startswith(name)
    }


async def test_of_several_processes_one_asks_each_source(worlds: Any) -> None:
    clock = Clock()
    async with worlds(clock=clock) as world:
        service = world.service
        many = [Poller(service.reconciler, service.store, clock, 300) for _ in range(5)]
        clock.ahead = HOURS
        asked = await asyncio.gather(*(one.ask_if_due(source) for one in many for source in SOURCES))
        assert sum(report is not None for report in asked) == len(SOURCES)
        again = await asyncio.gather(*(one.ask_if_due(source) for one in many for source in SOURCES))
        assert again == [None] * len(again)


async def test_what_no_webhook_brought_in_time_counts_as_drift_once(worlds: Any) -> None:
    clock = Clock()
    async with worlds(webhooks=False, clock=clock) as world:
        engagement_id = await world.drive.contract(freelancer=flows.someone())
        clock.ahead = timedelta(minutes=2)
        report = await world.drive.service.post("/v1/reconcile")
        assert [(f["type"], f["about"], f["drift"]) for f in report["found"]] == [
            ("offer.accepted", engagement_id, True)
        ]
        drift = await metric(world, "coverd_drift_total")
        assert drift == {'coverd_drift_total{source="upwork",type="offer.accepted"}': 1}
        again = await world.drive.service.post("/v1/reconcile")
        assert (again["found"], again["drift"], again["healed"]) == ([], 0, 0)


async def test_what_a_person_reconciles_at_once_counts_as_drift_and_a_sweep_of_the_loop_waits(
    worlds: Any,
) -> None:
    async with worlds(webhooks=False) as world:
        first = await world.drive.contract(freelancer=flows.someone())
        report = await world.service.reconciler.sweep("upwork", Report())
        assert [(one.about, one.outcome, one.late) for one in report.found] == [(first, "applied", False)]
        second = await world.drive.contract(freelancer=flows.someone())
        report = await world.drive.service.post("/v1/reconcile")
        assert [(one["about"], one["drift"]) for one in report["found"]] == [(second, True)]
        assert (report["healed"], report["drift"]) == (1, 1)
        drift = await metric(world, "coverd_drift_total")
        assert drift == {'coverd_drift_total{source="upwork",type="offer.accepted"}': 1}


async def test_an_event_that_came_under_an_id_of_its_header_is_not_found_again(worlds: Any) -> None:
    async with worlds() as world:
        engagement_id = await world.drive.contract(freelancer=flows.someone())
        await world.drive.until_state(engagement_id, "awaiting_opt_in")
        await world.drive.ten99policy.post("/_control/faults", {"match": "*", "kind": "lose", "times": 9})
        await world.drive.complete_session(engagement_id)
        events = (await world.drive.ten99policy.get("/_control/objects"))["events"]
        (told,) = [event for event in events if event["type"] == "policy.active"]
        for _ in range(2):
            assert await deliver_1099policy(world, told, **{"webhook-id": "msg_1"}) in (202, 200)
        await world.drive.until_state(engagement_id, "insured")
        found = (await world.drive.service.post("/v1/reconcile"))["found"]
        assert "policy.active" not in [one["type"] for one in found]
        assert (await world.drive.service.post("/v1/reconcile"))["found"] == []
        events = await world.drive.events(engagement_id)
        assert [event["type"] for event in events].count("PolicyActivated") == 1


async def test_while_the_policies_source_is_silent_no_path_says_covered(worlds: Any) -> None:
    clock = Clock()
    async with worlds(clock=clock) as world:
        live, over = await flows.first_time(world.drive), await flows.first_time_to_the_end(world.drive)
        begins = (await world.drive.status(live))["coverage"]["next_change_at"]
        await world.drive.service.post("/v1/reconcile")
        clock.ahead = datetime.fromisoformat(begins) - datetime.now(UTC) + HOURS
        paths = (f"/v1/engagements/{live}", f"/v1/engagements/{live}/coverage")
        (source,) = [s for s in await world.service.store.sources() if s.name == "1099policy"]
        heard = rfc3339(int(source.heard_at.timestamp()))

        for path in paths:
            shown = await world.drive.service.get(path)
            assert shown["covered"] is None
            assert shown["reason"] == f"1099Policy has not answered since {heard}."
        assert (await world.drive.service.get(paths[1]))["since"] == heard
        then = rfc3339(source.heard_at)
        before = await world.drive.service.get(f"{paths[1]}?at={begins}&known_at={then}")
        assert before["covered"] is True, "as known when it still spoke"
        day = await world.drive.service.get(f"{paths[1]}?at={begins[:10]}&tz=UTC")
        assert day["covered"] is None
        history = await world.drive.service.get(f"{paths[0]}/replay")
        assert history["state"]["covered"] is None
        assert (await world.drive.status(over))["covered"] is False

        async def listed(covered: str) -> list[str]:
            found = await world.drive.service.get(f"/v1/engagements?covered={covered}")
            assert {str(row["covered"]).lower().replace("none", "null") for row in found["items"]} <= {
                covered
            }
            return [row["engagement_id"] for row in found["items"]]

        assert (await listed("true"), await listed("null"), await listed("false")) == ([], [live], [over])
        for path in ("/", f"/engagements/{live}"):
            async with world.session.get(world.service.url + path) as answered:
                assert "Unknown" in await answered.text()
        items = (await world.drive.service.get("/v1/attention"))["items"]
        assert {i["code"] for i in items} == {"source_silent"}
        assert (await metric(world, "coverd_source_silent"))['coverd_source_silent{source="1099policy"}'] == 1

        during = rfc3339(clock() - HOURS / 4)
        kept = [
            f"{paths[1]}?at={during}&known_at={during}",
            f"{paths[1]}?at={begins[:10]}&tz=UTC&known_at={during}",
        ]
        asked = [await world.drive.service.get(path) for path in kept]
        assert [shown["covered"] for shown in asked] == [None, None]

        await world.drive.service.post("/v1/reconcile")

        assert [await world.drive.service.get(path) for path in kept] == asked, "at that time nobody knew"
        shown = await world.drive.service.get(f"{paths[1]}?at={during}")
        assert (shown["covered"], shown["known_at"] > during) == (True, True)
        assert (await world.drive.service.get(f"{paths[1]}?at={begins}&known_at={then}"))["covered"] is True
        assert [(await world.drive.service.get(path))["covered"] for path in paths] == [True, True]
        assert (await listed("true"), await listed("null"), await listed("false")) == ([live], [], [over])
        assert (await world.drive.service.get("/v1/attention"))["items"] == []
        assert (await metric(world, "coverd_source_silent"))['coverd_source_silent{source="1099policy"}'] == 0


async def test_webhooks_alone_do_not_end_a_silence_and_a_failing_source_says_why(worlds: Any) -> None:
    clock = Clock()
    async with worlds(clock=clock) as world:
        engagement_id = await flows.first_time(world.drive)
        clock.ahead = HOURS
        await world.drive.ten99policy.post(
            "/_control/faults", {"match": "GET /api/v1/events", "kind": "status:503", "times": 1}
        )
        report = await world.drive.service.post("/v1/reconcile")
        assert "503" in report["errors"]["1099policy"]
        await world.service.store.heard("1099policy", clock())
        at = rfc3339(clock() + HOURS)
        path = f"/v1/engagements/{engagement_id}/coverage?at={at}"
        assert (await world.drive.service.get(path))["covered"] is None
        items = (await world.drive.service.get("/v1/attention?code=source_silent"))["items"]
        assert "503" in items[0]["message"]
        assert (await world.drive.service.post("/v1/reconcile"))["errors"] == {}
        assert (await world.drive.service.get(path))["covered"] is not None


async def test_with_polling_off_nobody_is_ever_found_silent(worlds: Any) -> None:
    clock = Clock()
    async with worlds(clock=clock, COVERD_POLL_SECONDS="0") as world:
        engagement_id = await flows.first_time(world.drive)
        clock.ahead = timedelta(days=9)
        assert (await world.drive.status(engagement_id))["covered"] is True


async def command(world: Any, *more: str, database: bool) -> tuple[int, str, str]:
    """`coverd reconcile` as a process beside the world."""
    settings = world.settings
    environment = {
        "COVERD_UPWORK_URL": settings.upwork.url,
        "COVERD_TEN99POLICY_URL": settings.ten99policy.url,
        "COVERD_PORT": str(settings.port),
        **SECRETS,
    }
    if database:
        environment |= {
            "COVERD_DATABASE_URL": settings.database_url.reveal(),
            "COVERD_PORT": str(unused_port()),
        }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", "reconcile", *more),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, talk = await process.communicate()
    return process.returncode or 0, out.decode(), talk.decode()


SECRETS = {
    "COVERD_UPWORK_CLIENT_ID": "sandbox-client",
    "COVERD_UPWORK_CLIENT_SECRET": "sandbox-secret",
    "COVERD_UPWORK_WEBHOOK_SECRETS": "upwork-sandbox-token",
    "COVERD_TEN99POLICY_API_KEY": "t9k_test_sandbox",
    "COVERD_TEN99POLICY_WEBHOOK_SECRETS": "whsec_sandbox",
}


@pytest.mark.parametrize("database", [True, False])
async def test_the_command_sweeps_beside_a_serving_process_and_says_what_it_healed(
    worlds: Any, database: bool
) -> None:
    async with worlds(webhooks=False) as world:
        engagement_id = await world.drive.contract(freelancer=flows.someone())
        code, out, talk = await command(world, "--json", database=database)
        assert code == 0, talk
        report = orjson.loads(out)
        assert [(f["type"], f["outcome"]) for f in report["found"]] == [("offer.accepted", "applied")]
        await world.drive.until_state(engagement_id, "awaiting_opt_in")
        await world.drive.complete_session(engagement_id)
        code, out, talk = await command(world, database=database)
        assert code == 0, talk
        assert f"\t{engagement_id}\tapplied" in out
        assert "1 facts found, 1 healed" in talk
        await world.drive.until_state(engagement_id, "insured")
