"""The OpenAPI document is valid, names every route and parameter there is, and fits what the API answers."""

import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, get_args

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from jsonschema import Draft202012Validator
from lives import life
from msgspec.structs import replace
from openapi_spec_validator import validate
from story import DAY, NOW

from domain.codec import EFFECT_TYPES, EVENT_TYPES, event_data
from domain.coverage import answer
from domain.days import over_day
from domain.events import EngagementEvent, FreelancerEvent
from domain.lifecycle import ENDED, LIVE
from domain.recorded import Recorded
from domain.state import Engagement
from projections.attention_list import AttentionRow
from projections.engagement_list import EngagementRow
from service.api.app import Routes, make_app
from service.api.attention import AttentionRoutes
from service.api.auth import OPEN, Door
from service.api.deliveries import DeliveryRoutes
from service.api.engagements import CENTS, SECONDS, EngagementRoutes
from service.api.feed import FeedRoutes, _view
from service.api.health import HealthRoutes, openapi_document
from service.api.operations import (
    OperationRoutes,
    counted_view,
    engagement_row_view,
    operation_view,
)
from service.api.problems import Problem, bad_field, response
from service.api.rates import Rates
from service.api.reading import MAX_LIMIT
from service.api.reconcile import ReconcileRoutes
from service.api.tokens import Tokens
from service.api.vendors import VendorRoutes
from service.api.views import coverage_view, day_view, delivery_view, engagement_view, event_view
from service.api.waiting import Cause, cause_view, delivery_item, engagement_item, vendor_item
from service.clock import utc_now
from service.ingest.webhooks import Webhooks
from service.metrics import Metrics
from service.operate import Counted
from service.poll.report import Found, Report
from service.ports import Act, Delivery, DeliveryOutcome, Operation, StoredDelivery
from service.settings import SCOPES
from service.trouble import Trouble
from service.web.attention import AttentionPage
from service.web.pages import Pages
from service.web.signin import SignIn

DOCUMENT: Any = openapi_document()
METHODS = {"get", "put", "post", "delete", "patch"}
NONE: Any = None
"""Parts that no request in these tests comes to."""


def operations() -> Iterator[tuple[str, str, Any]]:
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS & item.keys():
            yield path, method.upper(), item[method]


def resolved(node: Any) -> Any:
    while "$ref" in node:
        kind, name = node["$ref"].split("/")[-2:]
        node = DOCUMENT["components"][kind][name]
    return node


def parameters(operation: Any, place: str) -> list[Any]:
    found = [resolved(parameter) for parameter in operation["parameters"]]
    return [parameter for parameter in found if parameter["in"] == place]


def the_app() -> web.Application:
    metrics = Metrics()
    door = Door(Tokens((), None, utc_now), Rates(0), loopback=True)
    routes = Routes(
        webhooks=Webhooks(NONE, NONE, {}, utc_now, metrics),
        feed=FeedRoutes(NONE, NONE),
        reconcile=ReconcileRoutes(NONE),
        vendors=VendorRoutes(NONE, NONE, NONE),
        engagements=EngagementRoutes(NONE, NONE, utc_now, NONE),
        statuses=NONE,
        attention=AttentionRoutes(NONE, NONE, NONE),
        deliveries=DeliveryRoutes(NONE, NONE, NONE),
        operations=OperationRoutes(NONE, NONE, NONE, utc_now, NONE),
        health=HealthRoutes(NONE, metrics, NONE),
        pages=Pages(NONE, NONE, NONE, utc_now),
        attention_page=AttentionPage(NONE, NONE, NONE, utc_now),
        signin=SignIn(door),
    )
    return make_app(routes, door, metrics)


def routes() -> dict[tuple[str, str], Any]:
    """Every route's handler, by path and method; HEAD is GET without the body."""
    return {
        (route.resource.canonical, route.method): route.handler
        for route in the_app().router.routes()
        if route.resource and route.method != "HEAD"
    }


def test_the_document_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    validate(DOCUMENT)


def test_every_route_is_in_it_and_it_holds_no_other() -> None:
    documented = {(path, method) for path, method, _ in operations()}
    assert documented == set(routes())


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))


def test_every_part_of_it_is_used() -> None:
    text = str(DOCUMENT)
    for kind, parts in DOCUMENT["components"].items():
        if kind != "securitySchemes":
            for name in parts:
                assert f"#/components/{kind}/{name}'" in text, (kind, name)


@pytest.mark.parametrize(("path", "method", "operation"), list(operations()))
def test_its_path_parameters_are_those_of_the_path(path: str, method: str, operation: Any) -> None:
    named = {parameter["name"] for parameter in parameters(operation, "path")}
    assert named == set(re.findall(r"{(\w+)}", path))


LAX = ("/webhooks/", "/livez", "/readyz", "/metrics", "/openapi.json", "/static/", "/engagements/")
"""Paths that take whatever query comes: probes and senders add parameters of their own."""


@pytest.mark.parametrize(("path", "method", "operation"), list(operations()))
async def test_its_query_parameters_are_those_the_handler_takes(
    path: str, method: str, operation: Any
) -> None:
    named = [parameter["name"] for parameter in parameters(operation, "query")]
    if path.startswith(LAX):
        assert named == []
        return
    request = make_mocked_request(method, f"{path}?no-such-parameter=1", match_info={"id": "9001"})
    with pytest.raises(Problem) as caught:
        await routes()[path, method](request)
    takes = caught.value.detail.partition("takes: ")[2].rstrip(".")
    assert sorted(named) == sorted([] if takes == "none" else takes.split(", "))


@pytest.mark.parametrize(("path", "method", "operation"), list(operations()))
def test_it_asks_for_the_scope_that_the_door_asks_for(path: str, method: str, operation: Any) -> None:
    scopes = [need["token"] for need in operation["security"] if "token" in need]
    if path in OPEN or path.startswith(("/webhooks/", "/static/")):
        assert scopes == []
    else:
        assert scopes == [["read"] if method == "GET" else ["operate"]]
        assert {"401", "403"} <= operation["responses"].keys()


def test_it_explains_every_scope() -> None:
    explained = DOCUMENT["components"]["securitySchemes"]["token"]["description"]
    assert all(f"`{scope}`" in explained for scope in SCOPES)


@pytest.mark.parametrize(("path", "method", "operation"), list(operations()))
def test_every_refusal_is_a_problem(path: str, method: str, operation: Any) -> None:
    refusals = {s: resolved(r) for s, r in operation["responses"].items() if s == "default" or s >= "400"}
    assert "default" in refusals
    for status, refusal in refusals.items():
        assert list(refusal["content"]) == ["application/problem+json"], (path, status)


def test_writes_of_people_take_an_idempotency_key() -> None:
    for path, method, operation in operations():
        if method == "POST" and path.startswith("/v1/") and "requestBody" in operation:
            assert "Idempotency-Key" in [p["name"] for p in parameters(operation, "header")], path


def test_its_lists_of_words_are_the_codes_own() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas["State"]["enum"] == [*LIVE, ENDED]
    assert schemas["Event"]["properties"]["type"]["enum"] == [t.__name__ for t in get_args(EngagementEvent)]
    every = schemas["FeedEvent"]["properties"]["type"]["enum"]
    assert every == [t.__name__ for t in (*get_args(EngagementEvent), *get_args(FreelancerEvent))]
    outcomes = [*get_args(DeliveryOutcome), None]
    assert schemas["Delivery"]["properties"]["outcome"]["enum"] == outcomes
    assert schemas["Operation"]["properties"]["act"]["enum"] == list(get_args(Act))
    assert schemas["BulkRetry"]["properties"]["kind"]["enum"] == [*EFFECT_TYPES, None]
    assert schemas["BulkReplay"]["properties"]["outcome"]["enum"] == outcomes
    assert DOCUMENT["components"]["parameters"]["Limit"]["schema"]["maximum"] == MAX_LIMIT
    invoice = schemas["Invoice"]["properties"]
    assert (invoice["gross_pay"]["minimum"], invoice["gross_pay"]["maximum"]) == CENTS
    for name in ("paycycle_startdate", "paycycle_enddate"):
        assert (invoice[name]["minimum"], invoice[name]["maximum"]) == SECONDS


# What the API answers.


def fits(name: str, value: Any) -> None:
    """``value`` is of the schema ``name``, with times that can be read."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)


def lives() -> Iterator[Engagement]:
    yield from (life(seed, "9001").engagement for seed in range(60))


def test_any_engagement_at_any_time_fits() -> None:
    chance = random.Random(1)
    for engagement in lives():
        for at in (NOW, engagement.latest_at, NOW + chance.randrange(400 * 86_400)):
            fits("Engagement", engagement_view(engagement, at, datetime.fromtimestamp(at, UTC)))
            fits("CoverageAnswer", coverage_view(engagement, answer(engagement, at), at, utc_now()))
            day = datetime.fromtimestamp(at, UTC).date()
            start = at - at % DAY
            told = over_day(engagement, start, start + DAY)
            fits("CoverageDay", day_view(engagement, told, day, "UTC", utc_now()))


def test_what_is_not_known_yet_fits() -> None:
    nothing = Engagement("9001")
    fits("CoverageAnswer", coverage_view(nothing, answer(nothing, NOW), NOW, utc_now()))


def test_any_event_fits() -> None:
    seen = set()
    for seed in range(60):
        for entry in life(seed, "9001").entries:
            event = entry.event
            recorded = Recorded(
                stream_id="engagement:9001",
                version=entry.version,
                bucket=7,
                position=1,
                type=type(event).__name__,
                event=event,
                recorded_at=utc_now(),
                effective_at=entry.at,
                cause="d_1",
                correlation="d_1",
                actor="webhook:upwork",
                hash=bytes(32),
            )
            fits("Event", event_view(recorded))
            fits("FeedEvent", _view(recorded))
            seen.add(type(event).__name__)
            assert EVENT_TYPES[type(event).__name__] is type(event)
            assert event_data(event) is not None
    assert len(seen) > 20, "lives of every kind"


STORED = StoredDelivery(
    id="d_1",
    delivery=Delivery("upwork", "body:wh_1", b"{}", {}, "token: the signature matches", utc_now()),
    type="offer.accepted",
    outcome="applied",
    detail=None,
    streams=("engagement:9001",),
    processed_at=utc_now(),
    attempt=1,
)


def test_any_delivery_fits() -> None:
    fits("Delivery", delivery_view(STORED))
    fits("Delivery", delivery_view(replace(STORED, type=None, outcome=None, streams=(), processed_at=None)))
    for outcome in get_args(DeliveryOutcome):
        stored = replace(STORED, outcome=outcome, detail="why")
        fits("Delivery", delivery_view(stored))
        fits("AttentionRow", delivery_item(stored))


def test_rows_of_lists_fit() -> None:
    now = utc_now()
    row = EngagementRow("9001", "offered", None, None, None, None, None, 1, ("title_missing",), 1, now, now)
    fits("EngagementRow", engagement_row_view(row))
    waiting = AttentionRow("9001", "effect_parked", "quote", "m", "c", now, now, now, 2)
    fits("AttentionRow", engagement_item(waiting))


def test_causes_and_silence_fit() -> None:
    now = utc_now()
    fits("AttentionRow", vendor_item(Trouble("source_silent", "upwork", "m", "c", now, now, now)))
    fits("AttentionCause", cause_view(Cause("effect_parked", "m", "c", "quote", 2, 1, now, now, "9001")))
    fits("AttentionCause", cause_view(Cause("source_silent", "m", "c", None, 1, 0, now, now)))


def test_operations_fit() -> None:
    now = utc_now()
    begun = Operation("retry:1", "retry", "local", "why", {"limit": 20}, (["9001", ["read"]],), 7, now)
    ended = replace(begun, reason=None, ended_at=now, result={"retried": 1})
    for operation in (begun, ended):
        fits("Operation", operation_view(operation))
        fits("OperationDetail", {**operation_view(operation), "targets": list(operation.targets)})
    fits("Counted", counted_view(Counted(7, 5)))


def test_any_report_of_a_sweep_fits() -> None:
    report = Report()
    fits("Reconciled", report.view())
    report.asked["upwork", "offers"] += 1
    report.checked["1099policy"] += 2
    report.errors["upwork"] = "Upwork could not answer"
    report.found.append(Found("upwork", "offer.accepted", "9001", "d_1", "applied", ("9001",), True))
    report.found.append(Found("1099policy", "policy.active", "pl_1", "d_2", None, (), False))
    fits("Reconciled", report.view())


def test_problems_fit() -> None:
    for problem in (Problem(404, "Nothing."), bad_field("/reason", "Say why.")):
        body = response(problem, "req_1").body
        assert isinstance(body, bytes)
        fits("Problem", orjson.loads(body))


def test_examples_fit() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        for example in schema.get("examples", []):
            Draft202012Validator(schema).validate(example)
