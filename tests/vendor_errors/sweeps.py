"""The rows of the sweeps: what a vendor may answer when it is asked for news that no webhook brought."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from vendor_double import Says
from vendor_errors.client import Client
from vendor_errors.of_1099policy import API, refused
from vendor_errors.of_upwork import SCOPES, graphql, plain
from vendor_errors.rows import FOR_EVER, Call, Row, in_the_way, pages, unheard

LISTED, LEFT_OUT = "a sweep", "a sweep where the list leaves the policy out"
OF_ONE = (
    (LISTED, f"GET {API}/contractors/{{}}/policies"),
    (LEFT_OUT, f"GET {API}/policies/{{}}"),
    (LISTED, f"GET {API}/files/certificates/{{}}"),
    (LISTED, f"GET {API}/assignments/{{}}"),
)
"""The calls about something of one engagement."""


def whatever(call: Call, **more: Any) -> Iterator[Row]:
    """Failures that say nothing of what was asked for."""
    for row in (*unheard(call), *in_the_way(call), *pages(call, 200, 403, 502)):
        yield replace(row, fate="asked again", times=FOR_EVER)
    yield call.row("truncated JSON", Says(200, body=b'[{"id": "xx_1", "em'), "asked again", FOR_EVER)


def of_1099policy() -> Iterator[Row]:
    for path in ("events", "assignments"):
        call = Call("sweep", LISTED, f"GET {API}/{path}")
        yield from whatever(call)
        yield from _no(call, "asked again")
        yield call.row("404", refused(404), "asked again", FOR_EVER)
    for place, path in OF_ONE:
        call = Call("sweep", place, path)
        for row in whatever(call):
            yield replace(row, fate="passed over") if row.what == "500" else row
        yield from _no(call, "passed over")
        none = "done" if "contractors" in path else "gone"
        yield call.row("404", refused(404), none, FOR_EVER)


def _no(call: Call, fate: Any) -> Iterator[Row]:
    for status in (400, 403, 409, 422, 307):
        yield call.row(f"{status}", refused(status), fate, FOR_EVER)
    yield call.row("401", refused(401), "the vendor waits", FOR_EVER)


def of_upwork() -> Iterator[Row]:
    for name in ("ClientOffers", "ContractsById"):
        call = Call("sweep", LISTED, name)
        yield from whatever(call)
        for kind in ("DataFetchingException", "INTERNAL_ERROR"):
            boom = graphql("boom", kind)
            yield call.row(f"failed while it gathered ({kind})", boom, "asked again", FOR_EVER)
        yield call.row("an expired token", plain(401), "a new token")
        yield call.row("401 to a new token", plain(401), "the vendor waits", FOR_EVER)
        for status in (400, 403, 404, 422):
            yield call.row(f"{status}", plain(status), "asked again", FOR_EVER)
        for what, words in (
            ("scopes refused", SCOPES),
            ("no right to ask that", "Authorization failed"),
            ("GraphQL errors in a 200", "no such thing"),
        ):
            yield call.row(what, graphql(words), "asked again", FOR_EVER)
    shown = {name: Client().contracts([name])["contractList"]["contracts"] for name in ("9001", "9002")}
    rows = {"contractList": {"contracts": [None, *shown["9001"], *shown["9002"]]}}
    partial = graphql("a deleted user", data=rows)
    yield Call("sweep", LISTED, "ContractsById").row("partial data", partial, "done", FOR_EVER)


ROWS = [*of_1099policy(), *of_upwork()]
