"""The rows of `coverd config check`: what a vendor may answer when it is asked what it knows."""

from collections.abc import Iterator
from dataclasses import replace

from vendor_double import Says
from vendor_errors.of_1099policy import API, refused
from vendor_errors.of_upwork import asks, says_no
from vendor_errors.rows import FOR_EVER, Call, Fate, Row, in_the_way, pages, unheard

LOOK = "a look around"


def of_1099policy() -> Iterator[Row]:
    for path in ("category_codes", "entities/{}"):
        call = Call("config check", LOOK, f"GET {API}/{path}")
        for row in (*unheard(call), *in_the_way(call), *pages(call, 200, 403, 502)):
            yield replace(row, fate="no answer", times=FOR_EVER)
        yield call.row("truncated JSON", Says(200, body=b'[{"id": "xx_1", "em'), "no answer", FOR_EVER)
        for status in (400, 401, 403, 404, 409, 422, 307):
            unknown = "entities" in path and status in (400, 404)
            fate: Fate = "an unknown entity" if unknown else "a refusal"
            yield call.row(f"{status}", refused(status), fate, FOR_EVER)


def of_upwork() -> Iterator[Row]:
    call = Call("config check", LOOK, "Categories")
    for row in (*asks(call), *says_no(call)):
        if row.fate != "a new token":
            yield replace(row, fate="a note", times=FOR_EVER)
    for name in ("ClientOffers", "ContractsById"):
        listing = Call("config check", LOOK, name)
        for row in (*asks(listing), *says_no(listing)):
            if row.fate != "a new token":
                refusal = row.says.status in (400, 401, 403, 404, 422) and row.says.json is not None
                said = row.says.json is not None and "errors" in row.says.json and row.fate != "again"
                yield replace(row, fate="a refusal" if refusal or said else "no answer", times=FOR_EVER)


ROWS = [*of_1099policy(), *of_upwork()]
