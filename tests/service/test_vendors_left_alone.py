"""A vendor that fails, refuses our credentials or is paused is left alone by all replicas, and calls wait."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from contracts.given import Clock
from graphql_double import roots
from replicas import Scene, contract, nobody_yet, scene
from vendor_double import Asked, Says

from service.store.memory import MemoryStore
from service.store.postgres import PostgresStore

ROTATED = Says(401, {"error_code": "invalid_api_key", "message": "The key is not valid."})
FORBIDDEN = Says(403, {"error_code": "insufficient_permissions", "message": "Not with this key."})
BROKEN = Says(503, {"error_code": "general_error", "message": "Something went wrong."})


@pytest.fixture(params=["memory", "postgres"])
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    clock = Clock()
    if request.param == "memory":
        async with scene(None, clock) as made:
            yield made
        return
    store = await PostgresStore.open(request.getfixturevalue("database_url"), clock)
    async with scene(store, clock) as made:
        yield made
    await store.close()


def refuse_everything(stage: Scene, says: Says) -> None:
    stage.ten99policy._otherwise = lambda _: says


def recover(stage: Scene) -> None:
    stage.ten99policy._otherwise = nobody_yet


@pytest.mark.parametrize("says", [ROTATED, FORBIDDEN], ids=["401", "403"])
async def test_a_rotated_key_parks_nothing_and_the_other_vendor_goes_on(stage: Scene, says: Says) -> None:
    here, there = stage.make(), stage.make()
    refuse_everything(stage, says)
    for number in ("1", "2"):
        await stage.offer(number)
    await here.work()
    asked = len(stage.ten99policy.asked)
    assert 1 <= asked <= 4, "those under way at once, and then nobody"

    await stage.offer("3")
    await there.work()

    assert len(stage.ten99policy.asked) == asked
    for number in ("1", "2", "3"):
        rows = await stage.effects(number)
        assert rows["ReadContract"].status == "done"
        assert {rows[kind].status for kind in ("EnsureContractor", "CreateJob")} == {"waiting"}
    assert {row.attempt for row in (await stage.effects("3")).values() if row.status == "waiting"} == {0}
    (item,) = await there.report.attention()
    assert item.code == "vendor_failing"
    assert "refuses our credentials" in item.message
    assert "6 calls wait" in item.message


async def test_one_replica_tries_one_call_and_when_it_works_all_goes_on(stage: Scene) -> None:
    here, there = stage.make(), stage.make()
    refuse_everything(stage, ROTATED)
    for number in ("1", "2"):
        await stage.offer(number)
    await here.work()

    for wait in (5, 10, 20, 40, 60, 60):
        asked = len(stage.ten99policy.asked)
        stage.clock.move(wait - 1)
        await asyncio.gather(here.work(), there.work())
        assert len(stage.ten99policy.asked) == asked
        stage.clock.move(1)
        await asyncio.gather(here.work(), there.work())
        assert len(stage.ten99policy.asked) == asked + 1

    recover(stage)
    stage.clock.move(60)
    await asyncio.gather(here.work(), there.work())
    await here.work()
    for number in ("1", "2"):
        assert (await stage.effects(number))["CreateJob"].status == "done"
    assert await there.report.attention() == []
    assert [view["status"] for view in await there.report.views()] == ["ok", "ok"]


async def test_reads_that_fail_in_one_request_are_one_failure(stage: Scene) -> None:
    here = stage.make()
    stage.upwork._otherwise = lambda asked: BROKEN if asked.path == "/graphql" else contract(asked)
    for number in range(8):
        await stage.offer(str(number))
    await here.sweep()

    assert len(stage.upwork.to("/graphql")) == 1
    (breaker,) = await stage.store.breakers()
    assert (breaker.operation, breaker.failures, breaker.is_open) == ("ReadContract", 1, False)
    for number in range(8):
        read = (await stage.effects(str(number)))["ReadContract"]
        assert (read.status, read.attempt) == ("waiting", 1)


async def test_a_contract_that_breaks_the_server_keeps_no_other_from_being_read(stage: Scene) -> None:
    """Whoever was asked together with it failed too, and is asked again in ever smaller company, though all
    are due at once each time."""
    here = stage.make()

    def breaks(asked: Asked) -> Says:
        if asked.path == "/graphql" and any(id == "3" for _, _, id in roots(asked.json)):
            return BROKEN
        return contract(asked)

    stage.upwork._otherwise = breaks
    others = [str(number) for number in range(20) if number != 3]
    for number in (*others, "3"):
        await stage.offer(number)
    for _ in range(6):
        await here.work()
        stage.clock.move(6 * 3600)
    assert {(await stage.effects(number))["ReadContract"].status for number in others} == {"done"}
    assert (await stage.effects("3"))["ReadContract"].status == "waiting"


async def test_what_fails_five_times_in_a_row_is_left_alone_and_nothing_else(stage: Scene) -> None:
    here, there = stage.make(), stage.make()
    stage.ten99policy._otherwise = lambda asked: (
        BROKEN if asked.path.endswith("/jobs") else Says(200, {"id": "cn_1", "data": []})
    )
    for number in range(8):
        await stage.offer(str(number))
    await asyncio.gather(here.work(), there.work())

    await stage.offer("9")
    await there.work()
    jobs = [asked for asked in stage.ten99policy.asked if asked.path.endswith("/jobs")]
    assert 5 <= len(jobs) <= 8
    rows = await stage.effects("9")
    assert (rows["CreateJob"].status, rows["CreateJob"].attempt) == ("waiting", 0)
    assert rows["EnsureContractor"].status == "done"
    await there.report.measure(there.metrics)
    text = there.metrics.render().decode()
    assert 'coverd_breaker_open{operation="CreateJob",vendor="1099policy"} 1.0' in text
    assert 'coverd_breaker_open{operation="*",vendor="1099policy"} 0.0' in text
    (item,) = await here.report.attention()
    assert "CreateJob failed" in item.message


async def test_nobody_finds_out_before_the_vendor_wishes_it(stage: Scene) -> None:
    replica = stage.make()
    busy = Says(429, {"error_code": "rate_limit", "message": "Later."}, headers={"Retry-After": "900"})
    stage.ten99policy._otherwise = lambda asked: (
        busy if asked.path.endswith("/jobs") else Says(200, {"id": "cn_1", "data": []})
    )
    for number in range(5):
        await stage.offer(str(number))
    await replica.work()
    asked = len(stage.ten99policy.to("/api/v1/jobs"))
    for _ in range(14):
        stage.clock.move(60)
        await replica.work()
    assert len(stage.ten99policy.to("/api/v1/jobs")) == asked == 5
    recover(stage)
    stage.clock.move(60)
    await replica.work()
    assert {(await stage.effects(str(n)))["CreateJob"].status for n in range(5)} == {"done"}


async def test_a_key_that_may_not_do_one_thing_holds_up_that_alone(stage: Scene) -> None:
    replica = stage.make()
    stage.ten99policy._otherwise = lambda asked: (
        FORBIDDEN if asked.path.endswith("/jobs") else Says(200, {"id": "cn_1", "data": []})
    )
    for number in range(4):
        await stage.offer(str(number))
        await replica.work()
        stage.clock.move(5)
        await replica.work()
    for _ in range(3):
        stage.clock.move(60)
        await replica.work()
    for number in range(4):
        rows = await stage.effects(str(number))
        assert (rows["EnsureContractor"].status, rows["CreateJob"].status) == ("done", "waiting")
    seen = await replica.gate.look()
    assert seen.closed == {"CreateJob"}


async def test_a_call_that_fails_while_others_work_is_told_long_before_it_is_given_up(stage: Scene) -> None:
    """One body that the vendor cannot take never opens the breaker, for other calls of its kind work."""
    replica = stage.make()
    stage.ten99policy._otherwise = lambda asked: (
        BROKEN if b'engagement_id":"1"' in asked.body else nobody_yet(asked)
    )
    await stage.offer("1")
    hours = 0.0
    while not (told := await replica.report.attention()):
        await stage.offer(f"other-{hours}")
        await replica.work()
        assert hours < 72
        hours += 0.1
        stage.clock.move(360)
        await replica.work()

    (item,) = told
    assert (item.code, item.name, item.count) == ("calls_in_vain", "1099policy", 1)
    assert "CreateJob of engagement 1: 1099Policy could not answer POST /jobs: 503 general" in item.message
    assert (await stage.effects("1"))["CreateJob"].status == "waiting"
    await replica.report.measure(replica.metrics)
    text = replica.metrics.render().decode()
    assert 'coverd_calls_in_vain{operation="CreateJob",vendor="1099policy"} 1.0' in text

    recover(stage)
    stage.clock.move(6 * 3600)
    await replica.work()
    assert await replica.report.attention() == []
    assert (await stage.effects("1"))["CreateJob"].status == "done"


async def test_keys_stay_short_however_long_a_vendor_fails(stage: Scene) -> None:
    """Its limit is not told; 255 characters are taken for it (fact sheet, section 5)."""
    replica = stage.make()
    stage.ten99policy._otherwise = lambda asked: BROKEN if asked.method == "POST" else nobody_yet(asked)
    await stage.offer("1")
    for _ in range(200):
        await replica.work()
        stage.clock.move(60)
    made = [asked for asked in stage.ten99policy.to("/api/v1/jobs") if asked.method == "POST"]
    keys = [asked.headers["Idempotency-Key"] for asked in made]
    assert len(set(keys)) > 50, "after each second failure another"
    assert max(map(len, keys)) < 64
    assert keys == sorted(keys, key=lambda key: int(key.partition("-r")[2] or 0))


async def test_what_nothing_waits_for_any_more_is_not_called_failing_for_ever(stage: Scene) -> None:
    """The only call was given up for a person: nobody would find out, and no alarm would ever end."""
    replica = stage.make()
    stage.ten99policy._otherwise = lambda asked: (
        Says(201, {}) if asked.path.endswith("/jobs") and asked.method == "POST" else nobody_yet(asked)
    )
    await stage.offer("1")
    await replica.work()
    while (await stage.effects("1"))["CreateJob"].status == "waiting":
        stage.clock.move(1)
        await replica.work()
    assert [item.code for item in await replica.report.attention()] == ["vendor_failing"]

    stage.clock.move(60)
    await replica.sweep()
    assert await replica.report.attention() == []
    recover(stage)
    await stage.offer("2")
    await replica.work()
    assert (await stage.effects("2"))["CreateJob"].status == "done"


async def test_an_oauth_grant_that_was_revoked_leaves_upwork_alone(stage: Scene) -> None:
    replica = stage.make()
    asked_before = stage.upwork._otherwise
    stage.upwork._otherwise = lambda _: Says(400, {"error": "invalid_grant"})
    await stage.offer("1")
    await replica.work()
    asked = len(stage.upwork.asked)
    await stage.offer("2")
    await replica.work()
    assert len(stage.upwork.asked) == asked
    assert {(await stage.effects(n))["ReadContract"].status for n in ("1", "2")} == {"waiting"}

    stage.upwork._otherwise = asked_before
    stage.clock.move(5)
    await replica.work()
    assert {(await stage.effects(n))["ReadContract"].status for n in ("1", "2")} == {"done"}


async def test_a_person_pauses_a_vendor_and_resumes_it_and_both_are_kept(stage: Scene) -> None:
    here, there = stage.make(), stage.make()
    await stage.store.add_act("1099policy", "pause", "token:1", "their maintenance", "request:1")
    await stage.offer("1")
    await asyncio.gather(here.work(), there.work())
    stage.clock.move(86_400)
    await there.work()

    assert stage.ten99policy.asked == []
    rows = await stage.effects("1")
    assert rows["ReadContract"].status == "done"
    assert (rows["CreateJob"].status, rows["CreateJob"].attempt) == ("waiting", 0)
    (item,) = await there.report.attention()
    assert (item.code, item.clears) == ("vendor_paused", "coverd resume 1099policy --reason …")
    assert "paused by token:1: their maintenance. 2 calls wait." in item.message

    await stage.store.add_act("1099policy", "resume", "token:2", "it is over", "request:2")
    await there.gate.resume("1099policy")
    await here.work()
    assert (await stage.effects("1"))["CreateJob"].status == "done"
    shown = (await there.report.views())[1]
    assert [(a["act"], a["actor"]) for a in shown["acts"]] == [("resume", "token:2"), ("pause", "token:1")]
    assert (shown["status"], shown["pause"]) == ("ok", None)


async def test_an_operation_that_a_person_pauses_waits_alone_until_it_is_resumed_by_name(
    stage: Scene,
) -> None:
    here, there = stage.make(), stage.make()
    await stage.store.add_act("1099policy", "pause", "token:1", "codes change", "request:1", "CreateJob")
    await stage.offer("1")
    await here.work()
    rows = await stage.effects("1")
    assert (rows["CreateJob"].status, rows["CreateJob"].attempt) == ("waiting", 0)
    assert rows["EnsureContractor"].status == "done"
    (item,) = await there.report.attention()
    assert (item.code, item.clears) == (
        "vendor_paused",
        "coverd resume 1099policy --operation CreateJob --reason …",
    )
    assert "CreateJob of 1099Policy is paused by token:1: codes change. 1 call waits." in item.message
    shown = (await there.report.views())[1]
    assert (shown["status"], shown["pause"]) == ("partly_paused", None)
    assert [act["operation"] for act in shown["paused_operations"]] == ["CreateJob"]
    await there.report.measure(there.metrics)
    text = there.metrics.render().decode()
    assert 'coverd_operation_paused{operation="CreateJob",vendor="1099policy"} 1.0' in text
    assert 'coverd_vendor_paused{vendor="1099policy"} 0.0' in text

    await stage.store.add_act("1099policy", "resume", "token:2", "all is well", "request:2")
    await there.gate.resume("1099policy")
    await here.work()
    assert (await stage.effects("1"))["CreateJob"].status == "waiting", "another person's word stands"

    await stage.store.add_act("1099policy", "resume", "token:1", "done", "request:3", "CreateJob")
    await there.gate.resume("1099policy", "CreateJob")
    await here.work()
    assert (await stage.effects("1"))["CreateJob"].status == "done"
    assert await there.report.attention() == []


async def test_a_paused_operation_is_not_the_one_that_finds_out_whether_the_vendor_works(
    stage: Scene,
) -> None:
    replica = stage.make()
    refuse_everything(stage, ROTATED)
    await stage.offer("1")
    await replica.work()
    for number, kind in enumerate(("CreateJob", "EnsureContractor")):
        await stage.store.add_act("1099policy", "pause", "token:1", "why", f"request:{number}", kind)
    recover(stage)
    asked = len(stage.ten99policy.asked)
    for _ in range(5):
        stage.clock.move(60)
        await replica.work()
    assert len(stage.ten99policy.asked) == asked
    await stage.store.add_act("1099policy", "resume", "token:1", "why", "request:9", "EnsureContractor")
    stage.clock.move(60)
    await replica.work()
    rows = await stage.effects("1")
    assert (rows["EnsureContractor"].status, rows["CreateJob"].status) == ("done", "waiting")


async def test_a_person_may_close_and_open_the_breaker_of_one_operation(stage: Scene) -> None:
    replica = stage.make()
    stage.ten99policy._otherwise = lambda asked: (
        BROKEN if asked.path.endswith(("/jobs", "/contractors")) else Says(200, {"data": []})
    )
    for number in range(6):
        await stage.offer(str(number))
    await replica.work()
    shut = {b.operation for b in (await replica.gate.look()).breakers.values() if b.is_open}
    assert shut == {"CreateJob", "EnsureContractor"}
    recover(stage)
    await replica.gate.resume("1099policy", "CreateJob")
    await replica.work()
    assert {(await stage.effects(str(n)))["CreateJob"].status for n in range(6)} == {"done"}
    shut = {b.operation for b in (await replica.gate.look()).breakers.values() if b.is_open}
    assert shut == {"EnsureContractor"}


async def test_a_person_may_end_a_wait_before_its_time(stage: Scene) -> None:
    replica = stage.make()
    refuse_everything(stage, ROTATED)
    await stage.offer("1")
    await replica.work()
    recover(stage)
    await replica.gate.resume("1099policy")
    await replica.work()
    assert (await stage.effects("1"))["CreateJob"].status == "done"


async def test_a_look_that_was_under_way_does_not_undo_what_a_later_one_saw() -> None:
    clock = Clock()
    store = Slow(clock)
    async with scene(store, clock) as stage:
        replica = stage.make()
        early = asyncio.create_task(replica.gate.look())
        await store.asked.wait()
        await store.add_act("upwork", "pause", "local", "why", "request:1")
        assert (await replica.gate.look()).pauses.keys() == {("upwork", "*")}
        store.go_on.set()
        assert (await early).pauses.keys() == {("upwork", "*")}


class Slow(MemoryStore):
    """Keeps the first who asks for its breakers waiting."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def breakers(self):  # type: ignore[no-untyped-def]
        if not self.asked.is_set():
            self.asked.set()
            await self.go_on.wait()
        return await super().breakers()
