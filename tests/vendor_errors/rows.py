"""The rows of the error table: what a vendor may answer each call, and what becomes of the call then."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from vendor_double import Says

Fate = str

FATES: Mapping[Fate, str] = {
    "again": "tried again under the same key, on the ladder and never before the vendor's `Retry-After`",
    "a new key": "after two of them what the old key may have made is looked for, else made under a new one",
    "a new token": "a new one is fetched at once, and the same asked again",
    "done": "as good as the answer that was asked for, or there is another way",
    "for a person": "given up at once, in the vendor's words, until a person has it tried again",
    "for a person soon": "the same after eight tries in a minute or two",
    "the operation waits": "calls of this kind are left alone, none is given up, and one by one finds out",
    "the vendor waits": "the same for all calls of the vendor, from the first on",
    "asked again": "the source is noted as failing; the next sweep finds all that this one did not",
    "passed over": "all else is read, and what is not shown is told of",
    "gone": "it covers no more; of a certificate that says nothing",
    "no answer": "a hole: the vendor cannot be asked",
    "a refusal": "a hole: the key may not ask that",
    "an unknown entity": "a hole of the file",
    "a note": "nothing is compared, and that is said",
}
"""What becomes of a call, and what that means."""


HTML = {"Content-Type": "text/html; charset=utf-8"}
PAGE = b"<html><h1>Bad gateway</h1></html>"
SOON = "in two minutes"
"""Stands for that date, which is written when it is sent."""
DAY_AND_MORE = 25 * 3600.0
FOR_EVER = 10**6


@dataclass(frozen=True)
class Row:
    """``call``: method and path, ``{}`` for an id, or the name of a GraphQL document. ``says`` is answered
    ``times`` in a row; to every call of the vendor from then on where ``to_all``.

    ``made``: the vendor did what was asked all the same. ``stored``: it answers so to this idempotency key
    for ever. ``at_least``: seconds before which nobody tries again. ``later``: the next try is so late that
    the vendor has forgotten the key. ``place`` names where the engagement stands, see `PLACES`.
    """

    operation: str
    place: str
    call: str
    what: str
    says: Says
    fate: Fate
    times: int = 1
    made: bool = False
    stored: bool = False
    at_least: float = 0.0
    later: float = 0.0
    to_all: bool = False
    words: str = ""
    """What a person is told, if not the vendor's message."""

    @property
    def vendor(self) -> str:
        return "1099policy" if "/api/v1" in self.call else "upwork"

    def __str__(self) -> str:
        return f"{self.operation} ({self.place}), {self.call}: {self.what}"

    def is_of(self, method: str, path: str, query: str) -> bool:
        """Whether this is the call that the row is about; ``query`` is a GraphQL document."""
        if " " not in self.call:
            return path == "/graphql" and f"query {self.call}" in query
        verb, _, shape = self.call.partition(" ")
        return method == verb and re.fullmatch(re.escape(shape).replace(r"\{\}", "[^/]+"), path) is not None


@dataclass(frozen=True)
class Call:
    """What an operation asks where an engagement stands at ``place``."""

    operation: str
    place: str
    call: str

    def row(self, what: str, says: Says, fate: Fate, times: int = 1, **more: Any) -> Row:
        return Row(self.operation, self.place, self.call, what, says, fate, times, **more)


def dated(says: Says) -> Says:
    if says.headers.get("Retry-After") != SOON:
        return says
    soon = format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True)
    return replace(says, headers=says.headers | {"Retry-After": soon})


def refusal(status: int, code: str, **headers: str) -> Says:
    """As 1099Policy says it."""
    return Says(status, {"error_code": code, "message": "In the vendor's words."}, headers=headers)


def unheard(call: Call, **more: Any) -> Iterator[Row]:
    """No answer came, or none that can be read: it is not known whether the call was heard.

    What may be sent twice the HTTP client sends again itself, once, on a connection that was kept open.
    """
    body, twice = {"id": "xx_1"}, 2 if call.call.startswith(("GET ", "PUT ")) else 1
    yield call.row("slow", Says(ends="never"), "again", **more)
    yield call.row("dropped", Says(200, body, ends="dropped"), "again", twice, **more)
    yield call.row("cut off", Says(200, body, ends="cut"), "again", **more)


def in_the_way(call: Call, **more: Any) -> Iterator[Row]:
    """What a proxy, or a vendor that is overloaded, answers."""
    for status in (408, 425, 429, 500, 502, 503, 504):
        yield call.row(f"{status}", refusal(status, "rate_limit"), "again", **more)
    for status, seconds in ((429, 100.0), (503, 50.0)):
        says = refusal(status, "rate_limit", **{"Retry-After": f"{seconds:.0f}"})
        yield call.row(
            f"{status}, Retry-After in seconds",
            says,
            "again",
            at_least=seconds,
            **more,
        )
    says = refusal(429, "rate_limit", **{"Retry-After": SOON})
    yield call.row("429, Retry-After as a date", says, "again", at_least=60, **more)


def pages(call: Call, *statuses: int, **more: Any) -> Iterator[Row]:
    for status in statuses:
        says = Says(status, body=PAGE, headers=HTML)
        yield call.row(f"{status}, an HTML page", says, "again", **more)


def of_1099policy(call: Call) -> Iterator[Row]:
    """What 1099Policy, and whatever stands before it, may answer any call."""
    yield from in_the_way(call)
    yield from pages(call, 307, 403)
    yield call.row("409, the same key is in flight", refusal(409, "idempotency"), "again")
    for status, code in (
        (400, "invalid_input"),
        (404, "resource_missing"),
        (409, "bad"),
        (422, "invalid_input"),
    ):
        yield call.row(f"{status}", refusal(status, code), "for a person")
    moved = refusal(307, "moved", Location="/x")
    yield call.row("a redirect", moved, "for a person")
    held: Any = {"times": FOR_EVER, "to_all": True}
    yield call.row("401", refusal(401, "invalid_api_key"), "the vendor waits", **held)
    yield call.row("403", refusal(403, "insufficient_permissions"), "the vendor waits", **held)


def reads(call: Call, *, changes: bool = False) -> Iterator[Row]:
    """A call that asks; or one that ``changes`` something and may be made again, to the same effect."""
    yield from of_1099policy(call)
    yield from unheard(call, made=changes)
    yield from pages(call, 200, 502, made=changes)
    yield call.row("truncated JSON", Says(200, body=b'{"id": "xx_1", "em'), "again", made=changes)
    yield call.row("5xx without end", refusal(500, "general_error"), "the operation waits", FOR_EVER)


def makes(call: Call, *, sought: bool = False) -> Iterator[Row]:
    """A call that makes something: whatever is not known of it, the vendor may have made it.

    ``sought``: before every call it is looked for, so that the next try finds what was made.
    """
    failed = refusal(500, "general_error")
    yield from of_1099policy(call)
    yield call.row("dropped before it was heard", Says(ends="dropped"), "again")
    yield from unheard(call, made=True)
    yield from pages(call, 200, 502, made=True)
    yield call.row("truncated JSON", Says(201, body=b'{"id": "xx_1", "em'), "again", made=True)
    yield call.row("500 in their words", failed, "again", made=True)
    yield from stored(call, "again" if sought else "a new key")
    lost = Says(201, {"id": "xx_1"}, ends="dropped")
    yield call.row(
        "dropped, and then a day of nothing",
        lost,
        "again",
        made=True,
        later=DAY_AND_MORE,
    )
    for what, body in (("2xx without an id", {}), ("2xx with an id of no use", {"id": None})):
        parked: Fate = "again" if sought else "for a person soon"
        yield call.row(what, Says(201, body), parked, FOR_EVER, made=True)
    yield call.row("5xx without end", failed, "the operation waits", FOR_EVER)


def stored(call: Call, of_made: Fate = "a new key") -> Iterator[Row]:
    """A failure that the vendor repeats for its idempotency key, whether or not it did what was asked."""
    failed: Any = {"says": refusal(500, "general_error"), "times": FOR_EVER, "stored": True}
    yield call.row("a stored 500 replayed for the key", fate="a new key", **failed)
    yield call.row("a stored 500 of what it did", fate=of_made, made=True, **failed)
