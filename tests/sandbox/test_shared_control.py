"""The control routes both sandboxes share: clock, faults, calls, reset."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from ten99policy_driver import CONTRACTOR, JOB, Sandbox, running

from service.sandbox.clock import Clock
from service.sandbox.control import Faults


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running() as sandbox:
        yield sandbox


async def order(sandbox: Sandbox, kind: str, match: str = "POST /api/v1/jobs", times: int = 1) -> None:
    await sandbox.made("/_control/faults", {"match": match, "kind": kind, "times": times})


async def jobs(sandbox: Sandbox) -> int:
    _, objects = await sandbox.get("/_control/objects")
    return len(objects["jobs"])


def test_a_clock_ticks_on_from_the_value_set():
    clock = Clock()
    assert not clock.is_set
    assert clock.control({"now": "2025-11-30T12:00:00Z", "advance": 60})["now"] == 1764504060
    assert clock.now() > 1764504060
    assert clock.control({"now": None})["set"] is False
    assert clock.now() > 1764504061


@pytest.mark.parametrize("wrong", [{"now": "2025-11-30T12:00:00"}, {"now": True}, {"advance": "soon"}])
def test_a_clock_refuses_what_is_no_instant(wrong: dict[str, object]):
    with pytest.raises(ValueError):
        Clock().control(wrong)


@pytest.mark.parametrize("kind", ["nonsense", "status", "status:x", "lose:3", "delay:-1"])
def test_an_unknown_fault_is_refused(kind: str):
    with pytest.raises(ValueError):
        Faults().add("*", kind)


async def test_faults_are_listed_used_up_and_cleared(sandbox: Sandbox):
    await order(sandbox, "status:503", times=2)
    await sandbox.post("/jobs", JOB)
    _, left = await sandbox.get("/_control/faults")
    assert left == [{"match": "POST /api/v1/jobs", "kind": "status:503", "times": 1}]
    assert await sandbox.ask("DELETE", "/_control/faults") == (200, [])
    await sandbox.made("/jobs", JOB)


async def test_a_fault_may_match_by_wildcard_or_route(sandbox: Sandbox):
    job = await sandbox.made("/jobs", JOB)
    for match in ("*", "GET /api/v1/*", "GET /api/v1/jobs/{id}", f"/api/v1/jobs/{job['id']}"):
        await order(sandbox, "status:502", match=match)
        status, body = await sandbox.get(f"/jobs/{job['id']}")
        assert (status, body["error_code"]) == (502, "general_error"), match
    await order(sandbox, "status:502", match="POST /api/v1/*")
    assert (await sandbox.get(f"/jobs/{job['id']}"))[0] == 200


async def test_retry_after_is_a_429(sandbox: Sandbox):
    await order(sandbox, "retry-after:7")
    async with sandbox.session.post(
        f"{sandbox.url}/api/v1/jobs", json=JOB, headers=sandbox.headers
    ) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
        assert (await answer.json())["error_code"] == "rate_limit"


async def test_an_html_page_comes_in_place_of_json(sandbox: Sandbox):
    await order(sandbox, "html")
    async with sandbox.session.post(
        f"{sandbox.url}/api/v1/jobs", json=JOB, headers=sandbox.headers
    ) as answer:
        assert (answer.status, answer.content_type) == (502, "text/html")
    assert await jobs(sandbox) == 0


@pytest.mark.parametrize(("kind", "made"), [("drop-before", 0), ("drop-after-commit", 1), ("truncate", 1)])
async def test_a_broken_answer(sandbox: Sandbox, kind: str, made: int):
    await order(sandbox, kind)
    with pytest.raises(aiohttp.ClientError):
        await sandbox.post("/jobs", JOB)
    assert await jobs(sandbox) == made


async def test_calls_are_counted_by_route_and_kept_whole(sandbox: Sandbox):
    job = await sandbox.made("/jobs", JOB, Ten99Policy_Idempotent_Key="k")
    await sandbox.get(f"/jobs/{job['id']}")
    contractor = await sandbox.made("/contractors", CONTRACTOR)
    await sandbox.upload(contractor["id"])

    _, calls = await sandbox.get("/_control/calls")
    _, whole = await sandbox.get("/_control/calls?detail=1")

    assert calls["by_route"] == {
        "POST /api/v1/jobs": 1,
        "GET /api/v1/jobs/{id}": 1,
        "POST /api/v1/contractors": 1,
        "POST /api/v1/files/certificates": 1,
    }
    assert calls["total"] == 4
    assert calls["by_idempotency_key"] == {"k": {"count": 1, "method_path": "POST /api/v1/jobs"}}
    first, *_, upload = whole["requests"]
    assert (first["body"], first["status"]) == (JOB, 201)
    assert first["headers"]["ten99policy-idempotent-key"] == "k"
    assert upload["body"]["contractor"] == contractor["id"]
    assert upload["body"]["certificate"]["filename"] == "coi.pdf"


async def test_a_reset_leaves_the_seeds(sandbox: Sandbox):
    await sandbox.insured()
    await order(sandbox, "status:500")
    await sandbox.post("/_control/reset")
    _, objects = await sandbox.get("/_control/objects")
    assert [entity["id"] for entity in objects.pop("entities")] == ["en_abc123"]
    assert not any(objects.values())
    assert await sandbox.get("/_control/faults") == (200, [])
    assert (await sandbox.get("/_control/calls"))[1]["total"] == 0
    assert (await sandbox.get("/_control/clock"))[1]["set"] is False


async def test_a_control_body_must_be_an_object(sandbox: Sandbox):
    for path in ("/_control/clock", "/_control/faults", "/_control/emit"):
        status, body = await sandbox.post(path, [1])
        assert (status, body["error_code"]) == (400, "bad_control"), path
