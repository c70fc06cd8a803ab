"""The commands of operations people, against a running service: what they print, and how they end."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.cli.app import app
from service.demo import flows

Command = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
async def world(worlds: Any) -> AsyncIterator[Any]:
    async with worlds() as made:
        yield made


@pytest.fixture
def coverd(world: Any, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command against the world's service: its exit code, and what it put on stdout."""

    async def run(*words: str) -> tuple[int, str]:
        await world.service.runner.caught_up()
        capsys.readouterr()
        code = 0
        try:
            await asyncio.to_thread(app, [*words, "--url", world.service.url], result_action="return_value")
        except SystemExit as ended:
            code = int(ended.code or 0)
        told = capsys.readouterr().out
        return code, "\n".join(line for line in told.splitlines() if "[info " not in line)

    return run


async def refused(world: Any, how_many: int) -> list[str]:
    fault = {"match": "POST /api/v1/quotes", "kind": "status:422", "times": how_many}
    await world.drive.ten99policy.post("/_control/faults", fault)
    made = [await world.drive.contract(freelancer=flows.someone()) for _ in range(how_many)]
    for engagement in made:
        await world.drive.until(engagement, lambda s: bool(s["attention"]))
    return made


async def test_attention_by_cause_and_a_bulk_retry_with_a_count_first(world: Any, coverd: Command) -> None:
    made = await refused(world, 3)
    code, told = await coverd("attention", "--grouped")
    assert code == 0
    assert told.split("\t")[:3] == ["3", "effect_parked", "quote"]
    _, told = await coverd("attention", "--code", "effect_parked", "--json")
    assert {item["engagement_id"] for item in json.loads(told)} == set(made)

    assert await coverd("retry", "--step", "quote", "--dry-run") == (0, "3 engagements.")
    assert (await coverd("retry", "--step", "quote"))[0] == 2, "it must say why"
    asked = ("retry", "--step", "quote", "--reason", "mended")
    assert await coverd(*asked, "--limit", "1") == (0, "1 taken up again.")
    assert await coverd(*asked) == (0, "2 taken up again.")
    for engagement in made:
        await world.drive.until_state(engagement, "awaiting_opt_in")

    _, told = await coverd("operations", "--json")
    assert [(o["act"], o["picked"], o["reason"]) for o in json.loads(told)] == [
        *(("retry", 2, "mended"), ("retry", 1, "mended"))
    ]


async def test_a_retry_and_a_skip_of_one_engagement(world: Any, coverd: Command) -> None:
    (engagement,) = await refused(world, 1)
    assert (await coverd("skip", engagement, "--step", "quote", "--reason", "by hand"))[0] == 0
    assert await coverd("attention", "--json") == (0, "[]")
    assert (await coverd("skip", engagement, "--step", "job", "--reason", "never failed"))[0] == 1
    assert (await coverd("skip", "--reason", "what?"))[0] == 2
    assert (await coverd("retry", engagement))[0] == 2
    assert (await coverd("retry", engagement, "--code", "effect_parked", "--reason", "x"))[0] == 2
    code, told = await coverd("retry", engagement, "--step", "quote", "--reason", "after all")
    assert (code, told.endswith("quote is tried again.")) == (0, True)
    await world.drive.until_state(engagement, "awaiting_opt_in")


async def test_deliveries_are_listed_skipped_and_replayed(world: Any, coverd: Command) -> None:
    began = datetime.now(UTC)
    sent = {"X-Upwork-Webhook-Token": "upwork-sandbox-token"}
    for number in range(25):
        body = f'{{"id": "junk-{number}", "type": "dog.barked", "data": {{}}}}'.encode()
        assert await world.drive.service.raw_post("/webhooks/upwork", body, sent) == 202

    async def processed() -> bool:
        path = "/v1/deliveries?outcome=unknown_type&limit=200"
        return len((await world.drive.service.get(path))["items"]) == 25

    await world.drive.until_true(processed, "all of them")
    _, told = await coverd("deliveries", "--outcome", "unknown_type", "--limit", "25", "--json")
    listed = json.loads(told)
    assert len(listed) == 25
    _, told = await coverd("deliveries", "--limit", "3")
    assert [line.split("\t")[3:5] for line in told.splitlines()] == [["dog.barked", "unknown_type"]] * 3

    first = listed[-1]["id"]
    assert (await coverd("skip", "--delivery", first, "--reason", "a toy"))[0] == 0
    assert await coverd("attention", "--json") == (0, "[]")

    window = ("--since", began.isoformat(), "--until", (began + timedelta(hours=1)).isoformat())
    assert await coverd("replay-deliveries", *window, "--dry-run") == (0, "25 deliveries.")
    assert (await coverd("replay-deliveries", *window))[0] == 2
    asked = ("replay-deliveries", *window, "--reason", "mapped")
    assert await coverd(*asked, "--limit", "21", "--pause", "0") == (0, "21 taken up again.")
    cursor = sorted(d["id"].partition("-")[2] for d in listed)[20]
    (behind,) = (d["id"] for d in listed if d["id"].endswith(cursor))
    assert await coverd(*asked, "--cursor", behind, "--limit", "100") == (0, "4 taken up again.")


def test_every_option_of_every_command_says_what_it_is_for() -> None:
    unsaid = [
        f"{name} {argument.name}"
        for name, command in commands_of(app)
        for argument in command.assemble_argument_collection(parse_docstring=True)
        if not argument.parameter.help and argument.name not in OBVIOUS
    ]
    assert unsaid == []


OBVIOUS = {
    *("ENGAGEMENT", "PROJECTION", "EVENT", "--engagement", "--projection", "--event", "--role"),
    *("--upwork-port", "--ten99policy-port", "--until-stdin-closes"),
}


def commands_of(of: Any, prefix: str = "") -> list[tuple[str, Any]]:
    found = []
    for name in of:
        if name.startswith("-"):
            continue
        one = of[name]
        if one.default_command is not None:
            found.append((f"{prefix}{name}", one))
        found += commands_of(one, f"{prefix}{name} ")
    return found
