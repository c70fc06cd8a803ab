"""The doctor: one line a check, the way to mend what is wrong, and an exit code a script can use."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from aiohttp.test_utils import unused_port
from contracts.given import NOON, OFFER, Clock, append, delivery, timer
from msgspec.structs import replace

from projections.runner import Runner
from service.cli.app import app
from service.demo import flows
from service.doctor.check import Check, graded, spoken, tried
from service.doctor.work import Work
from service.ports import Operation
from service.settings import SANDBOX
from service.store.postgres import PostgresStore

Doctor = Callable[..., Awaitable[tuple[int, dict[str, dict[str, Any]]]]]


@pytest.fixture
def doctor(monkeypatch: Any, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """Run it in an environment: its exit code, and the worst finding of each name."""

    async def run(*words: str, **environment: str) -> tuple[int, dict[str, dict[str, Any]]]:
        with monkeypatch.context() as patched:
            for name, value in environment.items():
                patched.setenv(name, value)
            capsys.readouterr()
            code = 0
            try:
                await asyncio.to_thread(app, ["doctor", "--json", *words], result_action="return_value")
            except SystemExit as ended:
                code = int(ended.code or 0)
            told = capsys.readouterr().out
        checks = json.loads(told[told.index("[\n") :])
        worst_last = sorted(checks, key=lambda check: ("ok", "warn", "fail").index(check["status"]))
        return code, {check["name"]: check for check in worst_last}

    return run


def environment(world: Any, database_url: str, **changed: str) -> dict[str, str]:
    return {
        **SANDBOX,
        "COVERD_DATABASE_URL": database_url,
        "COVERD_UPWORK_URL": world.settings.upwork.url,
        "COVERD_TEN99POLICY_URL": world.settings.ten99policy.url,
        **changed,
    }


async def test_all_is_well(worlds: Any, database_url: str, doctor: Doctor) -> None:
    async with worlds() as world:
        await flows.first_time(world.drive)
        await world.service.runner.caught_up()
        await world.service.surveyor.count()
        code, found = await doctor("--url", world.service.url, **environment(world, database_url))
    failed = {name for name, check in found.items() if check["status"] == "fail"}
    assert failed <= OF_THE_TESTS
    assert code == int(bool(failed))
    for name in (
        *("settings", "database", "schema", "role", "clock", "worker", "inbox", "outbox", "read models"),
        *("attention", "vendors", "Upwork", "1099Policy", "1099Policy clock", "service"),
        *("Upwork webhooks", "1099Policy webhooks"),
    ):
        assert (found[name]["status"], found[name]["fix"]) == ("ok", None), found[name]
    assert found["log"]["message"] == "It was never verified."


OF_THE_TESTS = {"durability", "disk"}
"""The tests' Postgres may lose what it said it kept, and lives wherever there is room."""


async def test_each_check_is_one_line(
    worlds: Any, database_url: str, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    async with worlds() as world:
        for name, value in environment(world, database_url).items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        with pytest.raises(SystemExit):
            await asyncio.to_thread(app, ["doctor", "--url", world.service.url])
        lines = [x for x in capsys.readouterr().out.splitlines() if "[info " not in x and "[warn" not in x]
    assert len(lines) > 20
    assert all(line[:5] in ("ok   ", "WARN ", "FAIL ") for line in lines), lines
    assert all((" → " in line) == (not line.startswith("ok")) for line in lines)


@pytest.mark.parametrize(
    ("changed", "name", "said"),
    [
        ({"COVERD_TEN99POLICY_API_KEY": "t9k_wrong"}, "1099Policy", "It refuses"),
        ({"COVERD_UPWORK_CLIENT_SECRET": "wrong"}, "Upwork", "It refuses"),
        ({"COVERD_TEN99POLICY_URL": "http://127.0.0.1:9"}, "1099Policy", "It does not answer"),
        ({"COVERD_UPWORK_URL": "http://127.0.0.1:9"}, "Upwork", "It does not answer"),
    ],
)
async def test_a_vendor_that_refuses_or_is_away_is_named_with_the_setting(
    worlds: Any, database_url: str, doctor: Doctor, changed: dict[str, str], name: str, said: str
) -> None:
    async with worlds() as world:
        code, found = await doctor("--url", world.service.url, **environment(world, database_url, **changed))
    assert code == 1
    assert found[name]["status"] == "fail"
    assert found[name]["message"].startswith(said)
    assert next(iter(changed)).rpartition("_")[0].split("_API")[0].split("_CLIENT")[0] in found[name]["fix"]
    assert not any("wrong" in check["message"] for check in found.values())


async def test_a_database_without_the_schema_is_told_how_to_get_it(
    empty_database_url: str, doctor: Doctor
) -> None:
    code, found = await doctor("--offline", COVERD_DATABASE_URL=empty_database_url)
    assert code == 1
    assert found["schema"]["fix"] == "Run coverd migrate apply."
    assert "worker" not in found, "what needs the schema is left out"


async def test_a_database_that_cannot_be_reached_leaves_the_rest_to_be_looked_at(doctor: Doctor) -> None:
    url = f"postgresql://coverd@127.0.0.1:{unused_port()}/coverd"
    code, found = await doctor("--offline", COVERD_DATABASE_URL=url)
    assert code == 1
    assert found["database"]["status"] == "fail"
    assert found["service"]["status"] == "warn"


async def test_settings_that_cannot_be_used_end_it_with_another_code(doctor: Doctor, tmp_path: Any) -> None:
    code, found = await doctor(COVERD_PORT="abc")
    assert (code, set(found)) == (2, {"settings"})
    config = tmp_path / "coverd.toml"
    config.write_text("[clients\n")
    code, found = await doctor("--offline", COVERD_CONFIG=str(config))
    assert (code, found["configuration"]["status"]) == (1, "fail")


async def test_a_person_may_run_it_with_nothing_set(doctor: Doctor, tmp_path: Any) -> None:
    code, found = await doctor("--offline", COVERD_DATA_DIR=str(tmp_path))
    assert code == 0
    assert {check["status"] for check in found.values()} == {"ok", "warn"}


def test_a_finding_is_graded_by_its_number() -> None:
    def grade(value: float) -> str:
        return graded("clock", value, 2, 60, "said", "fix").status

    assert [grade(v) for v in (0, 1.9, 2, 59, 60)] == ["ok", "ok", "warn", "warn", "fail"]
    assert [spoken(s) for s in (0.4, 59, 60, 7200, 200_000)] == ["0.4 s", "59 s", "1 min", "2 h", "2 d"]


# What runs and what waits.


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(database_url: str, clock: Clock) -> AsyncIterator[PostgresStore]:
    store = await PostgresStore.open(database_url, clock)
    yield store
    await store.close()


@pytest.fixture
def work(store: PostgresStore, clock: Clock) -> Work:
    return Work(store, store._pool, clock, 3600)


def statuses(checks: Any) -> list[tuple[str, str]]:
    return [(check.name, check.status) for check in checks]


async def test_a_worker_that_is_gone_is_missed(work: Work, store: PostgresStore, clock: Clock) -> None:
    assert statuses(await work.worker()) == [("worker", "warn")]
    counts = {"states": {}, "uncovered": {}, "attention": {"effect_parked": 2}}
    await store.keep_survey(counts, NOON, NOON)
    assert statuses(await work.worker()) == [("worker", "ok")]
    clock.move(301)
    assert statuses(await work.worker()) == [("worker", "fail")]
    (check,) = await work.attention()
    assert check.message == "It waits for a person: 2 effect_parked."


async def test_a_backlog_is_judged_by_how_long_it_has_been_due(
    work: Work, store: PostgresStore, clock: Clock
) -> None:
    assert statuses(await work.backlog()) == [("inbox", "ok"), ("outbox", "ok")]
    await store.receive(delivery())
    await store.append(append(OFFER, effects=(timer(NOON),)))
    found = []
    for seconds in (30, 100, 250, 600):
        clock.move(seconds)
        found.append([check.status for check in await work.backlog()])
    assert found == [["ok", "ok"], ["warn", "warn"], ["fail", "warn"], ["fail", "fail"]]


async def test_read_models_that_stopped_fail_and_those_behind_are_told(
    work: Work, store: PostgresStore, clock: Clock, database_url: str
) -> None:
    assert statuses(await work.read_models()) == [("read models", "ok")]
    await store.append(append(OFFER))
    clock.move(60)
    (behind,) = await work.read_models()
    assert behind.status == "warn"
    assert "events and 1 min behind" in behind.message
    await Runner(store._pool).caught_up()
    assert statuses(await work.read_models()) == [("read models", "ok")]
    owner = await asyncpg.connect(database_url)
    await owner.execute("UPDATE coverd.subscription SET error = 'no', stopped_at = now() WHERE bucket = 1")
    await owner.close()
    assert statuses(await work.read_models()) == [("read models", "fail")]


async def test_webhooks_are_told_from_what_was_found_by_asking(
    work: Work, store: PostgresStore, clock: Clock
) -> None:
    await store.receive(delivery("header:1"))
    polled = replace(delivery("header:2", source="1099policy"), verdict="polled")
    await store.receive_polled([polled])
    clock.move(60)
    assert statuses(await work.webhooks()) == [("Upwork webhooks", "ok"), ("1099Policy webhooks", "warn")]
    clock.move(8 * 86_400)
    assert [check.status for check in await work.webhooks()] == ["warn", "warn"]


async def test_a_source_that_leaves_unanswered_what_it_is_asked_fails_in_the_end(
    work: Work, store: PostgresStore, clock: Clock
) -> None:
    await store.watch_source("1099policy", NOON)
    await store.asked("1099policy", NOON, None, NOON)
    assert statuses(await work.sources()) == [("1099Policy polling", "ok")]
    await store.asked("1099policy", clock.move(600), "it times out", NOON)
    assert statuses(await work.sources()) == [("1099Policy polling", "warn")]
    clock.move(3600)
    (check,) = await work.sources()
    assert check.status == "fail"
    assert "it times out" in check.message


async def test_paused_and_failing_vendors_are_told_with_who_and_why(work: Work, store: PostgresStore) -> None:
    assert statuses(await work.vendors()) == [("vendors", "ok")]
    await store.add_act("upwork", "pause", "token:Ava", "their maintenance", "request:1")
    (check,) = await work.vendors()
    assert (check.status, check.message) == (
        "warn",
        "Upwork is paused by token:Ava: their maintenance.",
    )
    await store.add_act("upwork", "resume", "token:Ava", "it is over", "request:2")
    await store.add_act("upwork", "pause", "token:Ben", "odd answers", "request:3", "FetchAttachment")
    (check,) = await work.vendors()
    assert check.message == "FetchAttachment of Upwork is paused by token:Ben: odd answers."
    assert check.fix == "coverd resume upwork --operation FetchAttachment --reason …"


async def test_a_log_that_was_found_changed_fails_until_it_is_verified_again(
    work: Work, store: PostgresStore, clock: Clock
) -> None:
    async def verified(faults: int) -> None:
        operation = Operation(f"verify:{clock()}", "verify", "command:ava", None, {}, (), 0, clock())
        await store.begin_operation(operation)
        await store.end_operation(operation.id, {"events": 9, "buckets": 3, "faults": faults})

    assert statuses(await work.proof()) == [("log", "warn")]
    await verified(2)
    assert statuses(await work.proof()) == [("log", "fail")]
    clock.move(60)
    await verified(0)
    assert statuses(await work.proof()) == [("log", "ok")]
    clock.move(timedelta(days=9).total_seconds())
    assert statuses(await work.proof()) == [("log", "warn")]


async def test_what_cannot_be_looked_at_is_a_finding_too() -> None:
    async def breaks() -> list[Check]:
        raise PermissionError("not for you\nsecond line")

    (check,) = await tried("disk", breaks, "Look elsewhere.")
    assert (check.status, check.fix) == ("fail", "Look elsewhere.")
    assert check.message == "It cannot be checked: PermissionError: not for you"
