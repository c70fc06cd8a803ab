"""Entities: the clients the work is for (fact sheet 6.2)."""

from typing import Any

from service.sandbox.ten99policy import cancellations
from service.sandbox.ten99policy.address import read_address
from service.sandbox.ten99policy.crud import listing, removed, retrieve
from service.sandbox.ten99policy.fields import Fields, whole
from service.sandbox.ten99policy.table import Row, Table
from service.sandbox.ten99policy.vendor import Ask, Route, Ten99Policy

EMPTY: Row = {"address": None, "coverage_limit": None, "required_coverage": None}
LIMITS = ("aggregate_limit", "occurrence_limit")
LEAST_LIMIT = 1000


def table(vendor: Ten99Policy) -> Table:
    return vendor.state.entities


def create(ask: Ask) -> Row:
    given = _read(ask, partial=False)
    id = table(ask.vendor).new_id()
    return table(ask.vendor).add({"id": id, **EMPTY, **given, "created": ask.vendor.now()})


def update(ask: Ask) -> Row:
    ask.row(table(ask.vendor))
    return table(ask.vendor).change(ask.id, _read(ask, partial=True))


def delete(ask: Ask) -> Row:
    """Also cancels policies tied to the entity's jobs."""
    ask.row(table(ask.vendor))
    for job in ask.state.jobs.where("entity", ask.id):
        cancellations.cancel_all_of_job(ask.vendor, job["id"])
    return removed(ask, table(ask.vendor))


def _read(ask: Ask, partial: bool) -> Row:
    fields = Fields(ask.body, partial)
    fields.text("name", required=True)
    fields.coverage("required_coverage")
    read_address(fields, ask.vendor.options.dialect)
    if ask.body.get("coverage_limit") is not None:
        fields.found["coverage_limit"] = _limits(fields, ask.body["coverage_limit"])
    return fields.finish()


def _limits(fields: Fields, given: Any) -> dict[str, int | None]:
    """Both limits are needed; the SDK's samples send them as texts of digits."""
    limits = {name: whole(given.get(name)) if isinstance(given, dict) else None for name in LIMITS}
    for name, value in limits.items():
        if value is None or value < LEAST_LIMIT:
            fields.wrong[f"coverage_limit.{name}"] = f"must be a whole number of cents, {LEAST_LIMIT} or more"
    return limits


ROUTES = (
    Route("GET", "/entities", listing(table)),
    Route("POST", "/entities", create, 201),
    Route("GET", "/entities/{id}", retrieve(table)),
    Route("PUT", "/entities/{id}", update),
    Route("DELETE", "/entities/{id}", delete),
)
