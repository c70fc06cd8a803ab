"""Webhook endpoints a tenant registers (fact sheet 7)."""

import secrets
from typing import Any
from urllib.parse import urlsplit

from service.sandbox.ten99policy.crud import listing, removed, retrieve
from service.sandbox.ten99policy.fields import Fields
from service.sandbox.ten99policy.table import Row, Table
from service.sandbox.ten99policy.vendor import Ask, Route, Ten99Policy


def table(vendor: Ten99Policy) -> Table:
    return vendor.state.webhook_endpoints


def create(ask: Ask) -> Row:
    """The sandbox's own callback, registered here, keeps the secret it already has."""
    given = _read(ask, partial=False)
    options = ask.vendor.options
    known = given["url"] == options.webhook_url()
    return table(ask.vendor).add(
        {
            "id": table(ask.vendor).new_id(),
            "url": given["url"],
            "description": given.get("description"),
            "events": given.get("events") or ["*"],
            "secret": options.webhook_secret if known else f"whsec_{secrets.token_hex(16)}",
            "created": ask.vendor.now(),
        }
    )


def update(ask: Ask) -> Row:
    ask.row(table(ask.vendor))
    return table(ask.vendor).change(ask.id, _read(ask, partial=True))


def delete(ask: Ask) -> Row:
    ask.row(table(ask.vendor))
    return removed(ask, table(ask.vendor))


def _read(ask: Ask, partial: bool) -> Row:
    fields = Fields(ask.body, partial)
    fields.text("url", required=True)
    fields.text("description")
    url = urlsplit(fields.found.get("url", "http://unset.invalid"))
    if url.scheme not in ("http", "https") or not url.netloc:
        fields.wrong["url"] = "must be an http or https URL"
    if ask.body.get("events") is not None:
        fields.found["events"] = _event_types(fields, ask.body["events"])
    return fields.finish()


def _event_types(fields: Fields, given: Any) -> list[str]:
    types = [given] if isinstance(given, str) else given
    if not isinstance(types, list) or not all(isinstance(type, str) and type for type in types):
        fields.wrong["events"] = "must be a list of event types"
        return []
    return types


ROUTES = (
    Route("GET", "/webhook_endpoints", listing(table)),
    Route("POST", "/webhook_endpoints", create, 201),
    Route("GET", "/webhook_endpoints/{id}", retrieve(table)),
    Route("PUT", "/webhook_endpoints/{id}", update),
    Route("DELETE", "/webhook_endpoints/{id}", delete),
)
