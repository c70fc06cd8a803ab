"""`coverd config check` beside real sandboxes: the holes are found before traffic finds them."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp.test_utils import unused_port

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
    return {
        **outside(),
        **SANDBOX,
        "COVERD_UPWORK_URL": world.settings.upwork.url,
        "COVERD_TEN99POLICY_URL": world.settings.ten99policy.url,
        "COVERD_UPWORK_DIALECT": world.settings.upwork.dialect,
        "COVERD_TEN99POLICY_DIALECT": world.settings.ten99policy.dialect,
        **more,
    }


def outside(**more: str) -> dict[str, str]:
    """An environment without settings of ours."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith("COVERD_")}, **more}


async def called(file: Path | None, env: dict[str, str], *words: str) -> tuple[int, str, str]:
    """The exit code, what was printed, and what was said."""
    path = [] if file is None else [str(file)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from service.cli.app import main; main()", "config", "check", *path),
        *words,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), said.decode()


async def check(file: Path | None, env: dict[str, str], *words: str) -> tuple[int, Any]:
    """The exit code and the JSON that was printed."""
    code, out, _ = await called(file, env, "--json", *words)
    return code, json.loads(out) if out else None


def nowhere() -> tuple[str, ...]:
    """Ports of this machine at which no sandbox answers."""
    return "--ten99policy-port", str(unused_port()), "--upwork-port", str(unused_port())


@pytest.fixture(params=["both", "reference"])
async def world(request: pytest.FixtureRequest, worlds: Any) -> AsyncIterator[Any]:
    """Upwork's lists of offers and contracts are the reference's."""
    async with worlds(dialect=request.param) as made:
        yield made


@pytest.fixture
async def one_world(worlds: Any) -> AsyncIterator[Any]:
    async with worlds() as made:
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
        "upwork": "1 contract that runs or is about to",
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


async def test_no_more_contracts_are_read_than_asked_for(one_world: Any, written: Any) -> None:
    for name in ("Madonna", "Cher", "Prince"):
        await one_world.drive.contract(freelancer={"displayName": name}, offer=True)
    _, told = await check(written(GOOD), environment(one_world), "--contracts", "2")
    assert len(codes(told)["name_unclear"]["contracts"]) == 2
    assert "there are more" in told["asked"]["upwork"]


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


async def test_every_client_and_category_that_nothing_maps_is_named_with_its_own_fix(
    one_world: Any, written: Any
) -> None:
    for category in ("Legal", "Legal", "Translation"):
        await one_world.drive.contract(contract={"category": {"name": category}}, offer=True)
    narrow = GOOD.replace('"*" = "jc_MTqpkbkp6G"', '"Writing" = "jc_MTqpkbkp6G"\n"Wryting" = "jc_MTqpkbkp6G"')
    code, told = await check(written(narrow), environment(one_world))
    assert code == 1
    holes = [hole for hole in told["holes"] if hole["code"] == "category_unmapped"]
    assert [(len(hole["contracts"]), "Legal" in hole["fix"]) for hole in holes] == [(2, True), (1, False)]
    assert "Translation" in holes[1]["fix"]
    notes = codes(told)
    assert "Legal" in notes["categories_unmapped"]["message"]
    assert "Writing" not in notes["categories_unmapped"]["message"]
    assert notes["categories_unlisted"]["message"].endswith(": Wryting.")
    assert not notes["categories_unmapped"]["certain"]


async def test_a_name_that_a_person_decided_is_no_hole(one_world: Any, written: Any) -> None:
    someone = {"id": "fl_madonna", "displayName": "Madonna"}
    engagement = await one_world.drive.contract(freelancer=someone, offer=True)
    await one_world.drive.until(engagement, lambda shown: shown["attention"] != [])
    name = {"first_name": "Madonna Louise", "last_name": "Ciccone"}
    await one_world.drive.service.post("/v1/freelancers/fl_madonna/name", name)
    without, _ = await check(written(GOOD), environment(one_world))
    database = one_world.settings.database_url.reveal()
    with_it, told = await check(written(GOOD), environment(one_world, COVERD_DATABASE_URL=database))
    assert (without, with_it, told["holes"]) == (1, 0, [])


async def test_a_database_that_cannot_be_asked_is_said_and_stops_nothing(
    one_world: Any, written: Any
) -> None:
    gone = f"postgresql://nobody@127.0.0.1:{unused_port()}/nothing"
    code, out, said = await called(written(GOOD), environment(one_world, COVERD_DATABASE_URL=gone))
    assert (code, out) == (0, "")
    assert "nobody counts as known" in said


async def test_a_database_before_its_first_migration_knows_nobody_yet(
    one_world: Any, written: Any, empty_database_url: str
) -> None:
    code, out, said = await called(
        written(GOOD), environment(one_world, COVERD_DATABASE_URL=empty_database_url)
    )
    assert (code, out) == (0, "")
    assert "nobody counts as known" in said


async def test_sandboxes_on_this_machine_stand_in_for_vendors_that_no_setting_names(
    worlds: Any, written: Any
) -> None:
    async with worlds() as world:
        await world.drive.contract(freelancer={"displayName": "Madonna"}, offer=True)
        ports = [
            *("--ten99policy-port", str(urlsplit(world.settings.ten99policy.url).port)),
            *("--upwork-port", str(urlsplit(world.settings.upwork.url).port)),
        ]
        code, told = await check(None, outside(), *ports)
        assert code == 1
        assert codes(told)["name_unclear"]["contracts"]
        code, out, said = await called(None, outside(), *ports)
    assert "HOLE  name_unclear" in out
    assert "the sandbox here" in said
    assert "the guide's example" in said


async def test_offline_only_the_file_counts(written: Any) -> None:
    narrow = '[clients]\norg_7 = "en_1"\n[categories]\nLegal = "jc_1"'
    code, told = await check(written(narrow), outside(), "--offline")
    assert code == 0
    assert set(codes(told)) == {"clients_open", "categories_open", "email_open", "way_back_open"}
    assert told["asked"] == {"1099policy": "not asked: offline", "upwork": "not asked: offline"}
    code, told = await check(written("[quote]\ndefault_term_days = 30"), outside(), "--offline")
    assert code == 1
    assert {"clients_none", "categories_none"} <= set(codes(told))


async def test_a_file_or_settings_that_cannot_be_used_are_told_at_once(written: Any) -> None:
    code, out, said = await called(written("[quote]\ndefault_term_days = 0\n[clientele]"), outside())
    assert (code, out) == (2, "")
    assert "default_term_days" in said
    assert "[clientele]" in said
    code, out, said = await called(written(GOOD), outside(COVERD_UPWORK_DIALECT="klingon"), "--offline")
    assert (code, out) == (2, "")
    assert "COVERD_UPWORK_DIALECT" in said


async def test_without_vendor_settings_it_says_what_is_missing_and_claims_nothing(written: Any) -> None:
    code, out, said = await called(written(GOOD), outside(), *nowhere())
    assert (code, out) == (0, "")
    assert "COVERD_TEN99POLICY_API_KEY" in said
    assert "Upwork and 1099Policy cannot tell more" in said


async def test_without_a_file_nothing_is_mapped_as_for_the_service() -> None:
    code, told = await check(None, outside(), *nowhere())
    assert code == 1
    assert told["file"] is None
    assert {"clients_none", "categories_none"} <= set(codes(told))


async def test_settings_that_are_there_by_half_are_a_hole(worlds: Any, written: Any) -> None:
    async with worlds() as world:
        env = outside(
            COVERD_TEN99POLICY_URL=world.settings.ten99policy.url,
            COVERD_TEN99POLICY_API_KEY="t9k_test_sandbox",
        )
        code, told = await check(written(GOOD), env, *nowhere())
    assert code == 1
    assert [hole["code"] for hole in told["holes"]] == ["settings_missing"]
    assert "COVERD_TEN99POLICY_WEBHOOK_SECRETS" in told["holes"][0]["message"]
    assert told["asked"]["1099policy"] == "category codes and entities"
    assert told["asked"]["upwork"].startswith("not asked: COVERD_UPWORK_CLIENT_ID")


async def test_a_running_service_warns_of_codes_the_vendor_does_not_list(worlds: Any, written: Any) -> None:
    bad = written(GOOD.replace("jc_MTqpkbkp6G", "jc_nothing"))
    async with worlds(config=bad, dialect="reference") as world:

        async def counted() -> bool:
            async with world.session.get(f"{world.service.url}/metrics") as shown:
                return "coverd_config_holes 1.0" in await shown.text()

        await world.drive.until_true(counted, "the metric")
