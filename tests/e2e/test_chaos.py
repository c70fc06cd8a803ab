"""The short form of `make chaos`: one engagement of each kind, a handful of faults, the books in order."""

import re
from pathlib import Path

import aiohttp
import asyncpg
import pytest
from chaos.run import Aftermath, Plan, run

pytestmark = pytest.mark.slow


async def test_nothing_is_lost_and_nothing_is_doubled(tmp_path: Path) -> None:
    report = await run(Plan(seed=7, engagements=13, faults=9, every=1.0), tmp_path)
    assert report.complaints == []
    assert (report.right, report.doubled) == (13, 0)
    assert report.stored == report.accepted > 13
    assert len(report.recoveries) >= 3, "something was really broken"


FALSIFIED = {
    "an event": "UPDATE coverd.event SET actor = 'nobody' WHERE version = 1",
    "a row of a list": "UPDATE coverd.engagements_r1 SET state = 'lapsed'",
    "the feed": "DELETE FROM coverd.feed WHERE seq = 3",
    "a call that hangs": """
        UPDATE coverd.effect SET done_at = NULL, result = NULL, wake_at = now() + interval '1 hour',
          leased_until = now() - interval '1 minute' WHERE kind = 'CreateJob'""",
    "a call that was given up": """
        UPDATE coverd.effect SET done_at = NULL, result = NULL, parked_at = now(), last_error = 'no'
        WHERE kind = 'CreateQuote'""",
    "a delivery nobody processed": """
        UPDATE coverd.inbox SET outcome = NULL, processed_at = NULL, wake_at = now() + interval '1 hour'
        WHERE source = 'upwork'""",
}

FOUND = (
    "ev_never of upwork was accepted and is stored 0 times",
    "the log does not verify",
    "(.*) is insured and is listed as lapsed",
    "the feed is 1 events behind the log",
    "the feed has a hole before 4",
    "a lease has long ended and nobody took it up: CreateJob of engagement:.*",
    "CreateJob of engagement:.* is not done yet",
    "CreateQuote of engagement:.* was given up: no",
    "a delivery of upwork came to nothing: None",
    ".* is insured and must be ended",
    "1 jobs exist twice",
    "worker ended by itself",
)


async def falsify(aftermath: Aftermath) -> None:
    aftermath.front.accepted.add(("upwork", "ev_never"))
    for id, (kind, _) in aftermath.lives.items():
        aftermath.lives[id] = (kind, "ended")
    assert aftermath.world.worker.process
    aftermath.world.worker.process.kill()
    await aftermath.world.worker.process.wait()
    owner = await asyncpg.connect(aftermath.world.database_url)
    for statement in FALSIFIED.values():
        assert await owner.execute(statement) not in ("UPDATE 0", "DELETE 0"), statement
    await owner.close()
    await double_a_job(aftermath.world.ten99policy)


async def double_a_job(vendor: str) -> None:
    headers = {"Authorization": "Bearer t9k_test_sandbox", "Ten99Policy-Idempotent-Key": "another"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.get(f"{vendor}/_control/objects") as answer:
            job = (await answer.json())["jobs"][0]
        names = ("name", "description", "entity", "category_code", "wage", "wage_type", "custom_metadata")
        body = {name: job[name] for name in names}
        async with session.post(f"{vendor}/api/v1/jobs", json=body) as answer:
            assert answer.status == 201, await answer.text()


async def test_the_books_find_whatever_is_falsified(tmp_path: Path) -> None:
    report = await run(Plan(seed=1, engagements=1, faults=0), tmp_path, spoil=falsify)
    for told in FOUND:
        assert any(re.match(told, complaint) for complaint in report.complaints), (told, report.complaints)
    assert not report.good
    assert "NOT GOOD." in report.text()
