"""`coverd config check` beside real sandboxes: the holes are found before traffic finds them."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from service.settings import SANDBOX

GOOD = """
[clients]
"*" = "en_abc123"
[categories]
"*" = "jc_MTqpkbkp6G"
[contractor]
proxy_email_domain = "relay.yourdomain.com"
[session]
success_url = "https://your.app/ok"
cancel_url = "https://your.app/no"
"""


def environment(world: Any, **more: str) -> dict[str, str]:
    outside = {name: value for name, value in os.environ.items() if not name.startswith("COVERD_")}
    return {
        **outside,
        **SANDBOX,
        "COVERD_UPWORK_URL": world.settings.upwork.url,
        "COVERD_TEN99POLICY_URL": world.settings.ten99policy.url,
        "COVERD_UPWORK_DIALECT": world.settings.upwork.dialect,
        "COVERD_TEN99POLICY_DIALECT": world.settings.ten99policy.dialect,
        **more,
    }


async def check(file: Path | None, env: dict[str, str], *words: str) -> tuple[int, Any]:
    """The exit code and the JSON that was printed."""
    path = [] if file is None else [str(file)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from service.cli.app import main; main()", "config", "check", *path),
        *("--json", *words),
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(out) if out else None


@pytest.fixture(params=["both", "reference"])
async def world(request: pytest.FixtureRequest, worlds: Any) -> AsyncIterator[Any]:
    """Upwork's lists of offers and contracts are the reference's."""
    async with worlds(dialect=request.param) as made:
        yield made


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def write(text: str) -> Path:
        path = tmp_path / "coverd.toml"
        path.write_text(text)
        return path

    return write


def codes(told: Any) -> dict[str, Any]:
    return {hole["code"]: hole for hole in told["holes"]}


async def test_a_configuration_that_maps_everything_has_no_holes(world: Any, written: Any) -> None:
    await world.drive.offer("9001")
    code, told = await check(written(GOOD), environment(world))
    assert told["holes"] == []
    assert code == 0
    assert told["asked"] == {
        "1099policy": "category codes and entities",
        "upwork": "1 contract that run or are about to",
    }


async def test_contracts_that_would_be_held_are_named_by_their_hold(world: Any, written: Any) -> None:
    made = [
        await world.drive.contract(freelancer={"displayName": "Jane S."}, offer=True),
        await world.drive.contract(freelancer={"displayName": "Madonna"}, offer=True),
    ]
    over = await world.drive.contract(freelancer={"displayName": "Cher"}, offer=True)
    await world.drive.end(over)
    code, told = await check(written(GOOD), environment(world))
    assert code == 1
    hole = codes(told)["name_unclear"]
    assert sorted(hole["contracts"]) == sorted(made)
    assert "first and last name" in hole["fix"]
    assert "Madonna" not in json.dumps(told)


async def test_no_more_contracts_are_read_than_asked_for(world: Any, written: Any) -> None:
    for name in ("Madonna", "Cher", "Prince"):
        await world.drive.contract(freelancer={"displayName": name}, offer=True)
    _, told = await check(written(GOOD), environment(world), "--contracts", "2")
    assert len(codes(told)["name_unclear"]["contracts"]) == 2


async def test_codes_and_entities_the_vendor_does_not_know_are_found(world: Any, written: Any) -> None:
    bad = GOOD.replace("en_abc123", "en_nobody").replace("jc_MTqpkbkp6G", "jc_nothing")
    code, told = await check(written(bad), environment(world))
    assert code == 1
    found = codes(told)
    assert "jc_5Tqpkbkp6G" in found["category_code_unknown"]["fix"]
    assert found["category_code_unknown"]["certain"] is (world.settings.ten99policy.dialect == "reference")
    assert "en_nobody" in found["entity_unknown"]["message"]


async def test_a_vendor_that_does_not_answer_is_a_hole_and_not_a_yes(worlds: Any, written: Any) -> None:
    async with worlds() as world:
        nowhere = {"COVERD_UPWORK_URL": "http://127.0.0.1:9", "COVERD_TEN99POLICY_API_KEY": "t9k_other"}
        code, told = await check(written(GOOD), environment(world, **nowhere))
    assert code == 1
    assert [hole["code"] for hole in told["holes"]] == ["vendor_refused", "vendor_unanswered"]
    assert "t9k_other" not in json.dumps(told)


async def test_offline_only_the_file_counts(written: Any) -> None:
    outside = {name: value for name, value in os.environ.items() if not name.startswith("COVERD_")}
    code, told = await check(written("[quote]\ndefault_term_days = 30"), outside, "--offline")
    assert code == 0
    assert set(codes(told)) == {"clients_open", "categories_open", "email_open", "way_back_open"}
    assert told["asked"] == {"1099policy": "not asked: offline", "upwork": "not asked: offline"}
    code, told = await check(written("[quote]\ndefault_term_days = 0"), outside, "--offline")
    assert (code, told) == (2, None)


async def test_without_vendor_settings_it_says_what_is_missing(written: Any) -> None:
    outside = {name: value for name, value in os.environ.items() if not name.startswith("COVERD_")}
    code, told = await check(written(GOOD), outside)
    assert code == 0
    assert "COVERD_TEN99POLICY_API_KEY" in told["asked"]["1099policy"]


async def test_a_running_service_warns_of_codes_the_vendor_does_not_list(worlds: Any, written: Any) -> None:
    bad = written(GOOD.replace("jc_MTqpkbkp6G", "jc_nothing"))
    async with worlds(config=bad, dialect="reference") as world:

        async def counted() -> bool:
            async with world.session.get(f"{world.service.url}/metrics") as shown:
                return "coverd_config_holes 1.0" in await shown.text()

        await world.drive.until_true(counted, "the metric")
