"""Pausing, resuming and watching the vendors, over HTTP and at the terminal."""

import asyncio
import os
import subprocess
import sys
from typing import Any

import asyncpg
import pytest

from service.clients.http import VendorPaused
from service.clock import utc_now
from service.demo import flows
from service.settings import SANDBOX
from service.store.postgres import PostgresStore
from service.vendors.rate import UPWORK_A_DAY, Rate


async def codes(world: Any) -> list[str]:
    return [item["code"] for item in (await world.drive.service.get("/v1/attention"))["items"]]


async def vendor(world: Any, name: str) -> dict[str, Any]:
    items = (await world.drive.service.get("/v1/vendors"))["items"]
    return next(item for item in items if item["vendor"] == name)


async def test_while_a_vendor_is_paused_webhooks_are_taken_and_its_calls_wait(worlds: Any) -> None:
    async with worlds() as world:
        paused = await world.drive.service.post("/v1/vendors/1099policy/pause", {"reason": "maintenance"})
        assert (paused["status"], paused["pause"]["reason"]) == ("paused", "maintenance")
        engagement_id = await world.drive.contract(freelancer=flows.someone())
        await world.drive.until(engagement_id, lambda shown: shown["contract"]["title"] is not None)
        report = await world.drive.service.post("/v1/reconcile")
        assert "maintenance" in report["errors"]["1099policy"]

        calls = await world.drive.ten99policy.get("/_control/calls")
        assert calls["total"] == 0
        assert await codes(world) == ["vendor_paused"]
        assert (await vendor(world, "1099policy"))["waiting"] == 2
        async with world.session.get(f"{world.service.url}/metrics") as answered:
            assert 'coverd_vendor_paused{vendor="1099policy"} 1.0' in await answered.text()
        async with world.session.get(world.service.url) as answered:
            assert "maintenance" in await answered.text()

        resumed = await world.drive.service.post("/v1/vendors/1099policy/resume", {"reason": "it is over"})
        assert [act["act"] for act in resumed["acts"]] == ["resume", "pause"]
        await world.drive.until_state(engagement_id, "awaiting_opt_in")
        assert await codes(world) == []
        assert (await vendor(world, "upwork"))["requests"]["taken"] > 0
        async with world.session.get(f"{world.service.url}/metrics") as answered:
            assert 'coverd_upwork_reads_per_request_bucket{le="1.0"} 1.0' in await answered.text()


async def test_when_upworks_day_is_spent_its_calls_wait_for_the_next(worlds: Any, database_url: str) -> None:
    at_once = Rate(spacing=0, interval=0, slack=0)
    store = await PostgresStore.open(database_url, utc_now)
    await store.take_turns("upwork", UPWORK_A_DAY, at_once, None)
    async with worlds() as world:
        engagement_id = await world.drive.contract(freelancer=flows.someone())

        async def waits_for_midnight() -> bool:
            rows = await store.effects_of(f"engagement:{engagement_id}")
            return any(
                row.wake_at and row.wake_at > utc_now() and "midnight" in (row.last_error or "")
                for row in rows
            )

        await world.drive.until_true(waits_for_midnight, "the contract to be read another day")
        (read,) = await store.effects_of(f"engagement:{engagement_id}")
        assert (read.kind, read.status, read.attempt) == ("ReadContract", "waiting", 0)
        assert (await world.drive.upwork.get("/_control/calls"))["total"] == 0
        assert await codes(world) == ["vendor_spent"]
        shown = (await vendor(world, "upwork"))["requests"]
        assert (shown["taken"], shown["most"]) == (UPWORK_A_DAY, UPWORK_A_DAY)
        for path, words in (("/", "are spent"), ("/attention", "40,000 of the 40,000")):
            async with world.session.get(world.service.url + path) as answered:
                assert words in await answered.text()
        report = await world.drive.service.post("/v1/reconcile")
        assert "midnight" in report["errors"]["upwork"]

        conn = await asyncpg.connect(database_url)
        await conn.execute("UPDATE coverd.pace SET day = day - 1")
        await conn.close()
        await world.drive.service.post("/v1/vendors/upwork/resume", {"reason": "as midnight does"})
        await world.drive.until_state(engagement_id, "awaiting_opt_in")
        assert await codes(world) == []
    await store.close()


async def test_nobody_asks_a_vendor_that_is_paused(worlds: Any, database_url: str) -> None:
    """Neither for category codes, nor for its clock, nor by hand; and a restart forgets no pause."""
    store = await PostgresStore.open(database_url, utc_now)
    await store.add_act("1099policy", "pause", "token:Ava", "their maintenance", "request:1")
    await store.close()
    async with worlds(dialect="reference") as world:
        runs_for_years = await world.drive.contract(freelancer=flows.someone(), startDate="2020-01-01")
        await world.drive.until(runs_for_years, lambda shown: shown["contract"]["title"] is not None)
        desk = world.service.desk
        await desk.ten99policy.tell_time(anew=True)
        with pytest.raises(VendorPaused, match=r"paused by token:Ava: their maintenance"):
            await desk.ten99policy.read("/category_codes")
        assert (await world.drive.ten99policy.get("/_control/calls"))["total"] == 0

        await world.drive.service.post("/v1/vendors/upwork/pause", {"reason": "theirs too"})
        before = (await world.drive.upwork.get("/_control/calls"))["total"]
        with pytest.raises(VendorPaused):
            await desk.upwork.offers()
        with pytest.raises(VendorPaused):
            await desk.upwork.download(f"{world.settings.upwork.url}/a.pdf", ())
        assert (await world.drive.upwork.get("/_control/calls"))["total"] == before


async def test_commands_leave_a_paused_vendor_alone(worlds: Any, database_url: str) -> None:
    async with worlds() as world:
        for vendor in ("upwork", "1099policy"):
            await world.drive.service.post(f"/v1/vendors/{vendor}/pause", {"reason": "theirs"})
        vendors = world.drive.upwork, world.drive.ten99policy
        before = [(await vendor.get("/_control/calls"))["total"] for vendor in vendors]
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("COVERD_")},
            **SANDBOX,
            "COVERD_DATABASE_URL": database_url,
            "COVERD_UPWORK_URL": world.drive.upwork.url,
            "COVERD_TEN99POLICY_URL": world.drive.ten99policy.url,
        }

        async def coverd(*arguments: str) -> str:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "service", *arguments),
                env=environment,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            told, _ = await process.communicate()
            return told.decode()

        examined = await coverd("doctor", "--url", world.service.url)
        assert "WARN  Upwork: It is not asked: local paused it." in examined
        assert "WARN  1099Policy: It is not asked: local paused it." in examined
        assert "1099Policy: not asked: paused by local" in await coverd("config", "check")
        assert "paused by local: theirs" in await coverd("checklist", "--url", world.service.url)
        assert "upwork could not be asked to the end: Upwork is not asked" in await coverd("reconcile")
        assert [(await vendor.get("/_control/calls"))["total"] for vendor in vendors] == before


async def test_a_key_that_is_refused_for_a_while_costs_nothing_but_the_wait(worlds: Any) -> None:
    async with worlds() as world:
        fault = {"match": "*", "kind": "status:401", "times": 6}
        await world.drive.ten99policy.post("/_control/faults", fault)
        engagement_id = await world.drive.contract(freelancer=flows.someone())
        await world.drive.until_state(engagement_id, "awaiting_opt_in")
        events = await world.drive.events(engagement_id)
        assert "EffectParked" not in [event["type"] for event in events]


async def test_what_cannot_be_read_of_a_pause_changes_nothing(worlds: Any) -> None:
    unknown = [{"reason": "x", "operation": operation} for operation in ("CreateJob", "*", "", 7)]
    async with worlds() as world:
        async with world.session.post(
            f"{world.service.url}/v1/vendors/acme/pause", json={"reason": "x"}
        ) as a:
            assert a.status == 404
        for body in ({}, {"reason": ""}, {"reason": 7}, {"reason": "x", "more": 1}, *unknown):
            url = f"{world.service.url}/v1/vendors/upwork/pause"
            async with world.session.post(url, json=body) as answered:
                assert answered.status == 422
        assert (await vendor(world, "upwork"))["acts"] == []


async def test_the_same_key_is_one_act(worlds: Any) -> None:
    async with worlds() as world:
        url = f"{world.service.url}/v1/vendors/upwork/pause"
        for _ in range(2):
            sent = world.session.post(url, json={"reason": "x"}, headers={"Idempotency-Key": "k1"})
            async with sent as answered:
                assert answered.status == 200
        assert len((await vendor(world, "upwork"))["acts"]) == 1


async def test_the_terminal_pauses_shows_and_resumes(worlds: Any) -> None:
    async with worlds() as world:

        async def coverd(*arguments: str) -> str:
            run = await asyncio.to_thread(
                subprocess.run,
                [sys.executable, "-m", "service", *arguments, "--url", world.service.url],
                capture_output=True,
                text=True,
                check=True,
            )
            return run.stdout

        assert "upwork is paused" in await coverd("pause", "upwork", "--reason", "a look at their limits")
        shown = await coverd("vendors")
        assert "a look at their limits" in shown
        assert "0 of 40,000" in shown
        assert "upwork is ok" in await coverd("resume", "upwork", "--reason", "seen")
        reading = ("upwork", "--operation", "ReadContract", "--reason", "the document changes")
        assert "upwork is partly paused" in await coverd("pause", *reading)
        assert "ReadContract paused by" in await coverd("vendors")
        assert (await vendor(world, "upwork"))["acts"][0]["operation"] == "ReadContract"
        assert "upwork is ok" in await coverd("resume", *reading)
