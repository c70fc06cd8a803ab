"""What every kind of object answers alike: read one, list, delete."""

from collections.abc import Callable

from service.sandbox.ten99policy.pages import page
from service.sandbox.ten99policy.table import Row, Table
from service.sandbox.ten99policy.vendor import Ask, Endpoint, Ten99Policy

TableOf = Callable[[Ten99Policy], Table]


def retrieve(table_of: TableOf) -> Endpoint:
    def endpoint(ask: Ask) -> Row:
        return ask.row(table_of(ask.vendor))

    return endpoint


def listing(table_of: TableOf, *filters: str) -> Endpoint:
    """A list, narrowed by the filters that the query names; each must be an indexed field."""

    def endpoint(ask: Ask) -> list[Row]:
        return page(narrowed(table_of(ask.vendor), ask, filters), ask.query)

    return endpoint


def narrowed(table: Table, ask: Ask, filters: tuple[str, ...]) -> dict[str, Row]:
    wanted = [(name, ask.query[name]) for name in filters if name in ask.query]
    if not wanted:
        return table.rows
    (first, value), *others = wanted
    found = table.where(first, value)
    return {row["id"]: row for row in found if all(row.get(name) == value for name, value in others)}


def removed(ask: Ask, table: Table) -> Row:
    """Delete it and answer as fact sheet 6.11 says: 200 with a JSON body, or the SDK fails."""
    table.remove(ask.id)
    return {"id": ask.id, "object": table.singular, "deleted": True, "deleted_at": ask.vendor.now()}
