"""Alerts and dashboard name only what a running service measures; the handbook explains each alert."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp.test_utils import unused_port
from prometheus_client.parser import text_string_to_metric_families

from service.compose import serving
from service.config import EXAMPLE, ConfigFile
from service.demo import flows
from service.metrics import Metrics
from service.settings import SANDBOX, read

HERE = Path(__file__).parents[2]
RULES = yaml.safe_load((HERE / "ops/prometheus-rules.yml").read_text())
DASHBOARD = json.loads((HERE / "ops/grafana-dashboard.json").read_text())
HANDBOOK = (HERE / "docs/operations.md").read_text()

METRIC = re.compile(r"\b(coverd_\w+)(?:\{([^}]*)\})?")
EXACT = re.compile(r'(\w+)="([^"]*)"')
LABEL = re.compile(r"(\w+)\s*[=!]~?")
GROUPED = re.compile(r"\b(?:by|on)\s*\(([^)]*)\)")
OF_THE_SCRAPE = {"instance", "job", "le"}


def rules() -> Iterator[Any]:
    return (rule for group in RULES["groups"] for rule in group["rules"])


def expressions() -> list[str]:
    shown = [t["expr"] for p in DASHBOARD["panels"] for t in p.get("targets", ())]
    return [*(rule["expr"] for rule in rules()), *shown]


def own_labels() -> dict[str, set[str]]:
    """The labels of every metric coverd keeps, by its name without a suffix."""
    found = {}
    for one in vars(Metrics()).values():
        name = getattr(one, "_name", None)
        if name:
            found[name] = set(getattr(one, "_labelnames", getattr(one, "_labels", ())))
    return found


def base(name: str) -> str:
    return re.sub(r"_(total|bucket|count|sum)$", "", name)


class TestTheFiles:
    def test_every_rule_is_whole(self) -> None:
        names = [rule["alert"] for rule in rules()]
        assert len(names) == len(set(names)) > 20
        for rule in rules():
            assert rule["labels"]["severity"] in ("page", "ticket")
            assert rule["annotations"]["summary"]
            assert rule["expr"].count("(") == rule["expr"].count(")")

    def test_the_handbook_explains_every_alert_and_no_other(self) -> None:
        explained = re.findall(r"^### (\w+)$", HANDBOOK, re.M)
        assert explained == [rule["alert"] for rule in rules() if rule["alert"] in explained]
        assert set(explained) == {rule["alert"] for rule in rules()}

    def test_every_panel_asks_something_and_none_lies_on_another(self) -> None:
        places = [p["gridPos"] for p in DASHBOARD["panels"]]
        cells = [
            (x, y)
            for g in places
            for x in range(g["x"], g["x"] + g["w"])
            for y in range(g["y"], g["y"] + g["h"])
        ]
        assert len(cells) == len(set(cells))
        assert all(p["targets"] for p in DASHBOARD["panels"] if p["type"] != "row")
        assert len({p["id"] for p in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])

    def test_labels_are_those_of_the_metrics_they_are_asked_of(self) -> None:
        known = own_labels()
        for expr in expressions():
            named = METRIC.findall(expr)
            asked = {(base(name), label) for name, inner in named for label in LABEL.findall(inner)}
            assert {(n, a) for n, a in asked if a not in known.get(n, ())} == set(), expr
            allowed = OF_THE_SCRAPE.union(*(known.get(base(name), set()) for name, _ in named))
            if "label_replace" in expr:
                allowed |= set(re.findall(r'label_replace\([^"]*"(\w+)"', re.sub(r'"1"', "", expr)))
            grouped = {g.strip() for inner in GROUPED.findall(expr) for g in inner.split(",")}
            assert grouped <= allowed, expr


@pytest.fixture
async def measured(worlds: Any) -> dict[str, list[dict[str, str]]]:
    """Every series that a service shows which has seen good and bad days: its labels by its name."""
    async with worlds() as world:
        await a_bad_day(world)
        await world.service.runner.caught_up()
        await world.service.surveyor.count()
        async with world.session.get(f"{world.service.url}/metrics") as answered:
            text = await answered.text()
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name].append(dict(sample.labels))
    return found


async def a_bad_day(world: Any) -> None:
    drive = world.drive
    await flows.expired(drive)
    once = {"match": "POST /api/v1/jobs", "kind": "status:503", "times": 1}
    await drive.ten99policy.post("/_control/faults", once)
    await flows.first_time(drive)
    refused = {"match": "POST /api/v1/quotes", "kind": "status:422", "times": 1}
    await drive.ten99policy.post("/_control/faults", refused)
    parked = await drive.contract(freelancer=flows.someone())
    await drive.until(parked, lambda s: bool(s["attention"]))
    wrong = {"X-Upwork-Webhook-Token": "guessed"}
    assert await drive.service.raw_post("/webhooks/upwork", b'{"id": "x"}', wrong) == 401
    assert await drive.service.raw_post("/webhooks/1099policy", b'{"id": "x"}', {}) == 401
    await drive.upwork.post("/_control/faults", {"match": "*", "kind": "lose", "times": 9})
    lost = await drive.contract(freelancer=flows.someone())
    await drive.service.post("/v1/reconcile")
    await drive.until_state(lost, "awaiting_opt_in")


LATER = {"coverd_drift_total"}
"""Counted only where a webhook is minutes late."""


async def test_everything_that_is_named_is_measured(measured: Any) -> None:
    named = {name for expr in expressions() for name, _ in METRIC.findall(expr)}
    assert named - measured.keys() - LATER == set()
    assert named & set(LATER) == LATER


async def test_every_value_that_is_asked_for_occurs(measured: Any) -> None:
    for expr in expressions():
        for name, inner in METRIC.findall(expr):
            wanted = dict(EXACT.findall(re.sub(r"\w+(!=|[=!]~)\"[^\"]*\"", "", inner)))
            assert any(wanted.items() <= labels.items() for labels in measured[name] or [wanted]), expr


async def test_the_gauges_say_how_it_is(measured: Any, worlds: Any) -> None:
    async with worlds() as world:  # the same database, as the bad day left it
        shown = await gauges(world)
    assert shown['coverd_attention_items{code="effect_parked"}'] == 1
    assert shown['coverd_attention_items{code="coverage_lapsed"}'] == 1
    assert shown['coverd_engagements{state="lapsed"}'] == 1
    assert shown['coverd_engagements{state="insured"}'] == 1
    assert shown["coverd_store_up"] == 1
    assert shown["coverd_feed_lag_events"] == shown["coverd_feed_lag_seconds"] == 0


async def gauges(world: Any) -> dict[str, float]:
    async with world.session.get(f"{world.service.url}/metrics") as answered:
        lines = [line for line in (await answered.text()).splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


async def test_active_contracts_without_cover_are_counted(worlds: Any) -> None:
    async with worlds() as world:
        waiting = await world.drive.contract(freelancer=flows.someone())
        await world.drive.until_state(waiting, "awaiting_opt_in")
        await world.service.surveyor.count()
        assert (await gauges(world))['coverd_uncovered_engagements{answer="uncovered"}'] == 0
        await world.drive.activate(waiting)
        await world.drive.until(waiting, lambda s: s["contract"]["active"])
        await world.service.runner.caught_up()
        await world.service.surveyor.count()
        assert (await gauges(world))['coverd_uncovered_engagements{answer="uncovered"}'] == 1
        await world.drive.end(waiting)
        await world.drive.until_state(waiting, "ended")
        await world.service.runner.caught_up()
        await world.service.surveyor.count()
        assert (await gauges(world))['coverd_uncovered_engagements{answer="uncovered"}'] == 0


async def test_what_waits_no_more_leaves_no_series_behind(worlds: Any) -> None:
    async with worlds() as world:
        held = await flows.unmapped_category(world.drive)
        await world.service.runner.caught_up()
        await world.service.surveyor.count()
        series = 'coverd_attention_items{code="category_unmapped"}'
        assert (await gauges(world))[series] == 1
        await world.drive.end(held)
        await world.drive.until_state(held, "ended")
        await world.service.runner.caught_up()
        await world.service.surveyor.count()
        assert series not in await gauges(world)


async def test_one_process_counts_for_all(worlds: Any) -> None:
    async with worlds() as world:
        surveyor = world.service.surveyor
        await surveyor.count()
        assert [await surveyor.if_due() for _ in range(3)] == [False] * 3, "it is not due again yet"
        assert (await gauges(world))["coverd_survey_age_seconds"] < 30
        _, counts = await world.service.store.survey()
        assert counts == {
            "states": {},
            "uncovered": {"uncovered": 0, "unknown": 0},
            "attention": {},
        }


async def test_metrics_need_a_token_where_there_are_any(worlds: Any) -> None:
    async with worlds(COVERD_API_TOKENS="read:tok_read") as world:
        url = f"{world.service.url}/metrics"
        async with aiohttp.ClientSession() as session, session.get(url) as refused:
            assert refused.status == 401
        headers = {"Authorization": "Bearer tok_read"}
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answered:
            assert answered.status == 200


async def test_a_worker_says_how_it_is_on_a_port_of_its_own(database_url: str) -> None:
    port = unused_port()
    given = {**SANDBOX, "COVERD_DATABASE_URL": database_url, "COVERD_METRICS_PORT": str(port)}
    away = {"COVERD_UPWORK_URL": "http://127.0.0.1:9", "COVERD_TEN99POLICY_URL": "http://127.0.0.1:9"}
    settings = read({**given, **away})
    config = ConfigFile(None, EXAMPLE)
    async with serving(settings, config, role="worker") as service, aiohttp.ClientSession() as session:
        assert service.url == f"http://127.0.0.1:{port}"

        async def ask(path: str) -> tuple[int, str]:
            async with session.get(service.url + path) as answered:
                return answered.status, await answered.text()

        assert (await ask("/livez"))[0] == (await ask("/readyz"))[0] == 200
        status, text = await ask("/metrics")
        assert (status, "coverd_effects_total" in text, "coverd_store_up 1" in text) == (200, True, True)
        assert (await ask("/v1/engagements"))[0] == (await ask("/"))[0] == 404


async def test_a_worker_without_that_setting_answers_nobody(database_url: str) -> None:
    away = {"COVERD_UPWORK_URL": "http://127.0.0.1:9", "COVERD_TEN99POLICY_URL": "http://127.0.0.1:9"}
    settings = read({**SANDBOX, "COVERD_DATABASE_URL": database_url, **away})
    async with serving(settings, ConfigFile(None, EXAMPLE), role="worker") as service:
        assert service.url is None
