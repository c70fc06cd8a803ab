"""A rebuild: the log folded again beside the old read model, which serves until the new one takes over."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec
import pytest
from lives import life
from projection_spies import Spy, refusing, running
from story import NOW, contract_read, given, insured, offer

from domain import events as e
from domain.codec import engagement_from
from domain.ids import bucket_of
from projections import feed, revisions
from projections import fill as filling
from projections import rebuild as rebuilding
from projections.checkpoint import Checkpoint
from projections.engagement_list import list_engagements
from projections.engagements import Engagements
from projections.errors import RebuildRunning, RebuildStopped, SwapBusy, UnknownProjection
from projections.freelancers import freelancer
from projections.rebuild import rebuild
from projections.runner import Runner, utc_now
from projections.step import Job, drain

EVERYTHING = (
    "SELECT e::text, a::text FROM coverd.engagements e"
    " FULL JOIN coverd.attention a USING (bucket, engagement_id) ORDER BY 1, 2"
)


@pytest.fixture
async def owners(database_url: str) -> AsyncIterator[Any]:
    """A pool with the owner's rights, which a rebuild needs."""
    async with asyncpg.create_pool(database_url, min_size=0, max_size=4) as pool:
        yield pool


def quiet(_: str) -> None:
    return None


async def tables(owner: Any) -> list[str]:
    rows = await owner.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'coverd' AND tablename ~ '_r[0-9]+$' ORDER BY 1"
    )
    return [row["tablename"] for row in rows]


@pytest.mark.parametrize("seed", range(5))
async def test_the_log_folded_again_equals_what_was_folded_as_it_came(pool, owners, log, owner, seed):
    told = [life(seed, f"e{n}") for n in range(15)]
    live = Runner(pool, batch=seed + 1)
    for length in range(0, 60, 4):
        for story in told:
            await log.write(
                f"engagement:{story.engagement.engagement_id}", story.entries[length : length + 4]
            )
        await live.caught_up()
    before = await owner.fetch(EVERYTHING)

    report = await rebuild(owners, "engagements", quiet)

    assert report.same
    assert report.tables["engagements"].old == report.tables["engagements"].new == 15
    assert await owner.fetch(EVERYTHING) == before


@pytest.mark.parametrize("page", [1, 3, 50])
async def test_it_does_not_matter_how_much_is_read_at_once(pool, owners, log, owner, monkeypatch, page):
    for name, value in (("_PAGE", page), ("_EVENTS", 20), ("_LEAST", 60), ("_PARTS", 1000)):
        monkeypatch.setattr(filling, name, value)
    await log.interleave([life(3, f"e{n}") for n in range(20)])
    await Runner(pool).caught_up()
    before = await owner.fetch(EVERYTHING)

    assert (await rebuild(owners, "engagements", quiet)).same
    assert await owner.fetch(EVERYTHING) == before


async def test_a_hole_in_one_bucket_leaves_no_other_unfolded(pool, owners, log, owner, monkeypatch):
    """What could not be filled is folded bucket by bucket, and the hole is named."""
    await log.interleave([life(3, f"e{n}") for n in range(8)])
    await Runner(pool).caught_up()
    await owner.execute("DELETE FROM coverd.event WHERE stream_id = 'engagement:e5' AND version = 2")
    reached = []
    really = rebuilding.fill

    async def fill(*arguments):
        await really(*arguments)
        reached.append(
            await owner.fetchval(
                "SELECT count(*) FROM coverd.subscription s JOIN coverd.bucket_head h USING (bucket)"
                " WHERE s.revision = 2 AND s.position < h.position"
            )
        )

    monkeypatch.setattr(filling, "_EVENTS", 1)
    monkeypatch.setattr(rebuilding, "fill", fill)
    with pytest.raises(RebuildStopped, match="no event at position 2"):
        await rebuild(owners, "engagements", quiet)
    assert reached == [1]


async def test_the_new_tables_serve_and_the_old_ones_are_gone(pool, owners, log, owner, runner):
    await log.tell(insured())
    await log.freelancer("fl_12345", NOW, e.ContractorLinked("cn_1", "ava@relay.example"))
    await runner.caught_up()

    assert (await rebuild(owners, "engagements", quiet)).revision == 2
    assert (await rebuild(owners, "attention", quiet)).revision == 3
    assert (await rebuild(owners, "freelancers", quiet)).revision == 2
    assert await tables(owner) == ["attention_r3", "engagements_r3", "freelancers_r2"]

    await log.tell(given(offer(), id="later"))
    await runner.caught_up()
    rows, _ = await list_engagements(pool, now=datetime.now(UTC))
    assert {row.engagement_id for row in rows} == {"later", "9001"}
    found = await freelancer(pool, "fl_12345")
    assert found
    assert found.contractor_id == "cn_1"


async def test_news_that_arrives_meanwhile_is_in_both(pool, owners, log, owner, monkeypatch):
    told = [life(1, f"e{n}") for n in range(10)]
    await log.interleave(told[:5])
    live = Runner(pool, poll=0.01)
    compare, swap = rebuilding._Rebuild._compared, rebuilding._Rebuild._swap

    async def compared(self):
        await log.interleave(told[5:8])
        live.nudge()
        return await compare(self)

    async def swapped(self):
        await log.interleave(told[8:])
        live.nudge()
        await swap(self)

    monkeypatch.setattr(rebuilding._Rebuild, "_compared", compared)
    monkeypatch.setattr(rebuilding._Rebuild, "_swap", swapped)
    async with running(live):
        report = await rebuild(owners, "engagements", quiet)

    assert report.same
    assert report.tables["engagements"].new == 8
    await Runner(pool).caught_up()
    rows = await owner.fetch("SELECT status::text FROM coverd.engagements_r2")
    kept = [engagement_from(msgspec.json.decode(row["status"])) for row in rows]
    assert {s.engagement_id: s for s in kept} == {s.engagement.engagement_id: s.engagement for s in told}


async def test_a_rebuild_mends_what_was_tampered_with_and_says_so(pool, owners, log, owner, runner):
    await log.tell(insured())
    await log.tell(given(offer(), id="9002"))
    await runner.caught_up()
    await owner.execute("UPDATE coverd.engagements_r1 SET title = 'other' WHERE engagement_id = '9001'")
    await owner.execute("DELETE FROM coverd.engagements_r1 WHERE engagement_id = '9002'")
    said: list[str] = []

    report = await rebuild(owners, "engagements", said.append)

    found = report.tables["engagements"]
    assert (found.old, found.new, found.only_old, found.only_new) == (1, 2, 1, 2)
    assert not report.same
    assert "engagements: 1 rows before, 2 now, 2 of them new or changed" in said[-1]
    rows, _ = await list_engagements(pool, now=datetime.now(UTC))
    assert [row.title for row in rows] == [None, "Frontend Developer"]


async def test_a_read_model_that_nobody_kept_up_is_brought_up_to_be_compared(owners, log):
    await log.tell(insured())
    report = await rebuild(owners, "engagements", quiet)
    assert report.same
    assert report.tables["engagements"].old == 1


async def test_an_event_nobody_can_take_leaves_the_old_one_serving(pool, owners, log, owner, runner):
    await log.tell(given(offer()))
    await runner.caught_up()
    position = await log.raw("engagement:9001", 2, "NobodyKnows", "{}")

    with pytest.raises(RebuildStopped, match="NobodyKnows") as refused:
        await rebuild(owners, "engagements", quiet)

    assert refused.value.fields["position"] == position
    assert await tables(owner) == ["attention_r1", "engagements_r1", "freelancers_r1"]
    assert len((await list_engagements(pool, now=datetime.now(UTC)))[0]) == 1


async def test_what_was_skipped_stays_skipped(pool, owners, log, runner):
    await log.tell(given(offer()))
    position = await log.raw("engagement:9001", 2, "NobodyKnows", "{}")
    await runner.caught_up()
    await runner.skip("engagements", bucket_of("engagement:9001"), position, "a test wrote it", "ops")
    await runner.caught_up()
    assert (await rebuild(owners, "engagements", quiet)).same


async def test_a_bucket_stopped_in_the_old_one_is_told_as_not_compared(pool, owners, log, monkeypatch):
    await log.tell(given(offer()))
    await log.tell(given(offer(), id="9002"))
    await Runner(pool, [Spy(refusing("OfferAccepted"))]).caught_up()
    report = await rebuild(owners, "engagements", quiet)
    assert report.uncompared == 2
    rows, _ = await list_engagements(pool, now=datetime.now(UTC))
    assert len(rows) == 2


async def test_what_a_dead_rebuild_left_is_cleared_away(owners, log, owner):
    await owner.execute("SELECT coverd.create_engagements(2)")
    assert "engagements_r2" in await tables(owner)
    assert (await rebuild(owners, "engagements", quiet)).revision == 2
    assert await tables(owner) == ["attention_r2", "engagements_r2", "freelancers_r1"]


async def test_one_rebuild_at_a_time(owners, log, owner):
    await owner.execute("SELECT pg_advisory_lock($1)", rebuilding._LOCK)
    with pytest.raises(RebuildRunning):
        await rebuild(owners, "engagements", quiet)


async def test_an_unknown_name_is_answered_with_the_known_ones(owners):
    with pytest.raises(UnknownProjection, match="engagements, attention, freelancers"):
        await rebuild(owners, "timeline", quiet)


async def test_a_revision_that_is_behind_does_not_serve(pool, owner, log, runner):
    await log.tell(given(offer()))
    await runner.caught_up()
    await revisions.create(owner, Engagements(), 2)
    assert not await revisions.serve(owner, Engagements(), 1, 2)
    assert await revisions.live(owner, Engagements()) == 1

    await Runner(pool, [Engagements()], revision=2).caught_up()
    assert await revisions.serve(owner, Engagements(), 1, 2)
    assert await revisions.live(owner, Engagements()) == 2


async def test_the_swap_waits_for_what_is_being_written_and_then_sees_it(pool, owner, log, runner):
    story = given(offer())
    await log.tell(story)
    await runner.caught_up()
    await revisions.create(owner, Engagements(), 2)
    await Runner(pool, [Engagements()], revision=2).caught_up()
    await log.tell(story.given(contract_read()))

    async with pool.acquire() as writer, asyncio.timeout(10):
        writing = writer.transaction()
        await writing.start()
        (behind,) = await feed.moved(writer, "engagements")
        at = Checkpoint("engagements", 1, behind.bucket)
        await drain(writer, Job(Engagements(), at, behind.head, False, utc_now), 500)
        swap = asyncio.create_task(revisions.serve(owner, Engagements(), 1, 2))
        while not await pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            pass
        await writing.commit()
        assert not await swap


async def test_a_reader_that_will_not_let_go_keeps_the_old_one_serving(
    pool, owners, owner, log, runner, monkeypatch
):
    await log.tell(given(offer()))
    await runner.caught_up()
    monkeypatch.setattr(rebuilding, "_TRIES", 1)
    async with owner.transaction():
        await owner.fetch("SELECT FROM coverd.engagements")
        with pytest.raises(SwapBusy):
            await asyncio.wait_for(rebuild(owners, "engagements", quiet), 30)
    assert await tables(owner) == ["attention_r1", "engagements_r1", "freelancers_r1"]


async def test_a_runner_that_saw_the_old_revision_finds_nothing_to_do_on_it(pool, owners, log, monkeypatch):
    """It learnt which buckets are behind before the swap, and comes to them after."""
    await log.tell(given(offer()))
    really = feed.moved

    async def moved(*arguments):
        found = await really(*arguments)
        monkeypatch.setattr(feed, "moved", really)
        await rebuild(owners, "engagements", quiet)
        return found

    monkeypatch.setattr(feed, "moved", moved)
    spy = Spy()
    runner = Runner(pool, [spy])
    await runner.caught_up()
    assert spy.applied == []
    assert await runner.stopped() == []
    assert [lag.events for lag in await runner.lag()] == [0]
