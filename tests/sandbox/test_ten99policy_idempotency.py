"""One answer a key, for a day, failures included (fact sheet 5)."""

import asyncio
from typing import Any

from ten99policy_driver import CONTRACTOR, JOB, Sandbox, running

KEYED = {"Ten99Policy_Idempotent_Key": "job-9001"}


async def jobs(sandbox: Sandbox) -> int:
    _, objects = await sandbox.get("/_control/objects")
    return len(objects["jobs"])


async def ordered(sandbox: Sandbox, kind: str, match: str = "POST /api/v1/jobs", times: int = 1) -> Any:
    return await sandbox.made("/_control/faults", {"match": match, "kind": kind, "times": times})


async def test_the_first_answer_is_given_again_for_a_day():
    async with running() as sandbox:
        first = await sandbox.made("/jobs", JOB, **KEYED)
        again = await sandbox.made("/jobs", JOB | {"name": "Another"}, **KEYED)
        assert again == first

        await sandbox.post("/_control/clock", {"advance": 24 * 3600})
        assert (await sandbox.made("/jobs", JOB, **KEYED))["id"] != first["id"]


async def test_the_guides_header_counts_when_the_documented_one_is_absent():
    async with running() as sandbox:
        first = await sandbox.made("/jobs", JOB, Idempotency_Key="a")
        assert await sandbox.made("/jobs", JOB, Idempotency_Key="a") == first
        other = await sandbox.made("/jobs", JOB, Idempotency_Key="a", **KEYED)
        assert other["id"] != first["id"]


async def test_a_key_belongs_to_its_environment_and_path():
    async with running() as sandbox:
        await sandbox.made("/jobs", JOB, **KEYED)
        await sandbox.made("/contractors", CONTRACTOR, **KEYED)
        await sandbox.made("/jobs", JOB, Ten99Policy_Environment="production", **KEYED)
        assert await jobs(sandbox) == 2


async def test_a_failed_validation_is_not_kept():
    async with running() as sandbox:
        status, _ = await sandbox.post("/jobs", JOB | {"wage": 1}, **KEYED)
        assert status == 400
        await sandbox.made("/jobs", JOB, **KEYED)


async def test_a_business_refusal_is_kept():
    async with running() as sandbox:
        await sandbox.made("/contractors", CONTRACTOR)
        refused = await sandbox.post("/contractors", CONTRACTOR, **KEYED)
        assert refused[1]["error_code"] == "duplicate_email"
        fresh = CONTRACTOR | {"contact": {**CONTRACTOR["contact"], "email": "other@example.com"}}
        assert await sandbox.post("/contractors", fresh, **KEYED) == refused


async def test_a_500_is_kept():
    async with running() as sandbox:
        await ordered(sandbox, "status:500")
        failed = await sandbox.post("/jobs", JOB, **KEYED)
        assert (failed[0], failed[1]["error_code"]) == (500, "general_error")
        assert await sandbox.post("/jobs", JOB, **KEYED) == failed
        await sandbox.made("/jobs", JOB, Ten99Policy_Idempotent_Key="job-9001.2")
        assert await jobs(sandbox) == 1


async def test_a_503_in_front_of_the_api_is_not_kept():
    async with running() as sandbox:
        await ordered(sandbox, "status:503", times=2)
        answers = [(await sandbox.post("/jobs", JOB, **KEYED))[0] for _ in range(3)]
        assert answers == [503, 503, 201]


async def test_two_equal_requests_at_once_clash():
    async with running() as sandbox:
        await ordered(sandbox, "delay:200")
        answers = await asyncio.gather(*(sandbox.post("/jobs", JOB, **KEYED) for _ in range(2)))
        assert sorted(status for status, _ in answers) == [201, 409]
        assert {body.get("error_code") for _, body in answers} == {None, "idempotency"}
        await sandbox.made("/jobs", JOB, **KEYED)
        assert await jobs(sandbox) == 1
