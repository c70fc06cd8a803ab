"""The error table: what a vendor may answer an operation, and what becomes of the call. One test a row."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Literal

import aiohttp
import pytest
from replicas import Scene, contract, nobody_yet, scene
from vendor_double import TOKEN, Asked, Says

from domain.attention import attention
from domain.effects import CHANNELS
from service.clients import http

Fate = Literal[
    "again",  # tried again on the ladder, under the same key, and then it works
    "a new key",  # after two of them only a new key can succeed
    "for a person",  # parked with the vendor's words, at once
    "for a person soon",  # parked after eight tries, a minute or two
    "the vendor waits",  # all calls of the vendor are held, none is given up
    "the operation waits",  # the same for this kind of call alone
    "done",  # as good as the answer that was asked for
]

PATHS = {
    "EnsureContractor": "/api/v1/contractors",
    "CreateJob": "/api/v1/jobs",
    "CreateQuote": "/api/v1/quotes",
    "OpenSession": "/api/v1/apply/sessions",
    "ReadContract": "/graphql",
}
MAKING = ("EnsureContractor", "CreateJob", "CreateQuote", "OpenSession")
HTML = {"Content-Type": "text/html; charset=utf-8"}
PAGE = b"<html><h1>Bad gateway</h1></html>"
SCOPES = "The client or token doesn't have enough oauth2 permissions/scopes to access: [Query.contract]"


def of_1099policy(status: int, code: str, **headers: str) -> Says:
    return Says(status, {"error_code": code, "message": "In the vendor's words."}, headers=headers)


def of_graphql(message: str, kind: str = "ExecutionAborted", data: object = None) -> Says:
    return Says(200, {"data": data, "errors": [{"message": message, "extensions": {"classification": kind}}]})


SOON = "in two minutes"
"""Stands for that date, which is written when it is sent."""


def dated(says: Says) -> Says:
    if says.headers.get("Retry-After") != SOON:
        return says
    soon = format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True)
    return replace(says, headers=says.headers | {"Retry-After": soon})


@dataclass(frozen=True)
class Row:
    """``says``: what is answered ``times`` in a row, to every call from then on where ``to_all``.

    ``at_least``: seconds before which nobody tries again. ``at``: the path, if not the operation's.
    """

    operation: str
    what: str
    says: Says
    fate: Fate
    times: int = 1
    at_least: float = 0.0
    at: str | None = None
    to_all: bool = False

    @property
    def vendor(self) -> str:
        return next(CHANNELS[kind] for kind in CHANNELS if kind.__name__ == self.operation)

    @property
    def path(self) -> str:
        return self.at or PATHS[self.operation]

    def __str__(self) -> str:
        return f"{self.vendor} {self.operation}: {self.what}"


def for_every(operation: str) -> Iterator[Row]:
    """What 1099Policy, and whatever stands before it, may answer any call that makes something."""
    failed = of_1099policy(500, "general_error")
    yield Row(operation, "slow", Says(ends="never"), "again")
    yield Row(operation, "commit, then drop", Says(201, {"id": "xx_1"}, ends="dropped"), "again")
    yield Row(operation, "cut off", Says(201, {"id": "xx_1"}, ends="cut"), "again")
    yield Row(operation, "truncated JSON", Says(201, body=b'{"id": "xx_1", "em'), "again")
    yield Row(operation, "429", of_1099policy(429, "rate_limit"), "again")
    asked = of_1099policy(429, "rate_limit", **{"Retry-After": "100"})
    yield Row(operation, "429, Retry-After in seconds", asked, "again", at_least=100)
    asked = of_1099policy(429, "rate_limit", **{"Retry-After": SOON})
    yield Row(operation, "429, Retry-After as a date", asked, "again", at_least=60)
    asked = of_1099policy(503, "maintenance", **{"Retry-After": "50"})
    yield Row(operation, "503, Retry-After", asked, "again", at_least=50)
    yield Row(operation, "502, an HTML page", Says(502, body=PAGE, headers=HTML), "again")
    yield Row(operation, "403, an HTML page", Says(403, body=PAGE, headers=HTML), "again")
    yield Row(operation, "200, an HTML page", Says(200, body=PAGE, headers=HTML), "again")
    yield Row(operation, "500 in their words", failed, "again")
    yield Row(operation, "a stored 500 replayed for the key", failed, "a new key", times=2)
    yield Row(operation, "409, the same key is in flight", of_1099policy(409, "idempotency"), "again")
    yield Row(operation, "2xx without an id", Says(201, {}), "for a person soon", times=99)
    yield Row(operation, "2xx with an id of no use", Says(201, {"id": None}), "for a person soon", times=99)
    yield Row(operation, "400", of_1099policy(400, "invalid_input"), "for a person")
    yield Row(operation, "404", of_1099policy(404, "resource_missing"), "for a person")
    yield Row(operation, "422", of_1099policy(422, "invalid_input"), "for a person")
    yield Row(operation, "a redirect", of_1099policy(307, "moved", Location="/x"), "for a person")
    yield Row(operation, "401", of_1099policy(401, "invalid_api_key"), "the vendor waits", 99, to_all=True)
    refused = of_1099policy(403, "insufficient_permissions")
    yield Row(operation, "403", refused, "the vendor waits", 99, to_all=True)
    yield Row(operation, "5xx without end", failed, "the operation waits", times=99)


def of_quotes() -> Iterator[Row]:
    for code in ("contractor_has_matching_policy", "contract_has_matching_policy"):
        yield Row("CreateQuote", code, of_1099policy(400, code), "done")
    yield Row("CreateQuote", "a start that is past", of_1099policy(400, "effective_date_invalid"), "done")


def of_upwork() -> Iterator[Row]:
    read = "ReadContract"
    asked = Says(429, {"message": "Too Many Requests"}, headers={"Retry-After": "30"})
    unauthenticated = Says(401, {"message": "Authentication failed"})
    revoked = Says(400, {"error": "invalid_grant"})
    yield Row(read, "slow", Says(ends="never"), "again")
    yield Row(read, "dropped", Says(ends="dropped"), "again")
    yield Row(read, "truncated JSON", Says(200, body=b'{"data": {"contr'), "again")
    yield Row(read, "429", Says(429, {"message": "Too Many Requests"}), "again")
    yield Row(read, "429, Retry-After in seconds", asked, "again", at_least=30)
    asked = Says(429, {}, headers={"Retry-After": SOON})
    yield Row(read, "429, Retry-After as a date", asked, "again", at_least=60)
    yield Row(read, "503", Says(503, {}), "again")
    yield Row(read, "411, an HTML page", Says(411, body=PAGE, headers=HTML), "again")
    yield Row(read, "failed while it gathered", of_graphql("boom", "DataFetchingException"), "again")
    partial = {"contract": contract(_asking()).json["data"]["contract"], "freelancer": None}
    yield Row(read, "partial data", of_graphql("a deleted user", data=partial), "done")
    nothing = of_graphql("not yours", data={"contract": None, "freelancer": None})
    yield Row(read, "partial data without the contract", nothing, "for a person", times=9)
    yield Row(read, "GraphQL errors in a 200", of_graphql("no such thing"), "for a person", times=9)
    yield Row(read, "404", Says(404, {"message": "no such host"}), "for a person")
    yield Row(read, "scopes refused", of_graphql(SCOPES), "the operation waits", times=99)
    yield Row(read, "an expired token", unauthenticated, "done")
    yield Row(read, "a revoked token", unauthenticated, "the vendor waits", times=99)
    yield Row(read, "a revoked grant", revoked, "the vendor waits", times=99, at=TOKEN)
    wrong = Says(401, {"error": "invalid_client"})
    yield Row(read, "a client secret that is wrong", wrong, "the vendor waits", times=99, at=TOKEN)
    yield Row(read, "no token for now", Says(503, body=PAGE, headers=HTML), "again", at=TOKEN)


class _Asking:
    path = "/graphql"
    json = {"variables": {"contractId": "9001", "freelancerId": "fl_9001"}}  # noqa: RUF012 - it is only read


def _asking() -> Asked:
    return _Asking()  # type: ignore[return-value]


TABLE = [
    *(row for operation in MAKING for row in for_every(operation)),
    *of_quotes(),
    *of_upwork(),
]


@pytest.mark.parametrize("row", TABLE, ids=str)
async def test_what_becomes_of_a_call(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    if row.says.ends == "never":
        monkeypatch.setattr(http, "TIMEOUT", aiohttp.ClientTimeout(total=0.05))
    async with scene() as stage:
        left = iter([dated(row.says)] * row.times)
        for double, otherwise in ((stage.upwork, contract), (stage.ten99policy, nobody_yet)):
            double._otherwise = lambda asked, usual=otherwise: (
                next(left, None) or usual(asked) if _meant(asked, row, stage) else usual(asked)
            )
        replica = stage.make()
        await stage.offer("9001")
        await replica.work()
        await FATES[row.fate](stage, replica, row)


def _meant(asked: Asked, row: Row, stage: Scene | None = None) -> bool:
    mine = asked.path == row.path and asked.method == "POST"
    begun = stage and row.to_all and any(_meant(one, row) for one in stage.ten99policy.asked)
    return mine or bool(begun and asked.path.startswith("/api/"))


async def _again(stage: Scene, replica, row: Row) -> None:  # type: ignore[no-untyped-def]
    effect = (await stage.effects("9001"))[row.operation]
    assert (effect.status, effect.attempt) == ("waiting", 1)
    assert effect.wake_at is not None
    waits = (effect.wake_at - stage.clock()).total_seconds()
    assert row.at_least <= waits <= max(1.0, row.at_least * 2)
    stage.clock.move(waits)
    await _done(stage, replica, row)
    assert len({key for key in _keys(stage, row) if key}) <= 1, "the same key on every try"


async def _a_new_key(stage: Scene, replica, row: Row) -> None:  # type: ignore[no-untyped-def]
    stage.clock.move(2)
    await replica.work()
    stage.clock.move(4)
    await _done(stage, replica, row)
    first, second, third = _keys(stage, row)
    assert first == second
    assert third == f"{first}-r2"


async def _for_a_person(stage: Scene, replica, row: Row) -> None:  # type: ignore[no-untyped-def]
    effect = (await stage.effects("9001"))[row.operation]
    assert (effect.status, effect.attempt) == ("parked", 1)
    (item,) = [a for a in attention(await stage.engagement("9001")) if a.code == "effect_parked"]
    assert str(row.says.json.get("message") or row.says.json["errors"][0]["message"]) in item.message
    assert (await replica.gate.look()).closed == frozenset()


async def _for_a_person_soon(stage: Scene, replica, row: Row) -> None:  # type: ignore[no-untyped-def]
    begun = stage.clock()
    while (await stage.effects("9001"))[row.operation].status == "waiting":
        assert stage.clock() - begun < timedelta(minutes=15)
        stage.clock.move(5)
        await replica.work()
    effect = (await stage.effects("9001"))[row.operation]
    assert (effect.status, effect.attempt) == ("parked", 8)
    assert "effect_parked" in [a.code for a in attention(await stage.engagement("9001"))]
    assert len(set(_keys(stage, row))) == 1


async def _the_vendor_waits(stage: Scene, replica, row: Row) -> None:  # type: ignore[no-untyped-def]
    await _waits(stage, replica, row, "*")


async def _the_operation_waits(stage: Scene, replica, row: Row) -> None:  # type: ignore[no-untyped-def]
    for _ in range(5):
        stage.clock.move(16)
        await replica.work()
    await _waits(stage, replica, row, row.operation)


async def _waits(stage: Scene, replica, row: Row, operation: str) -> None:  # type: ignore[no-untyped-def]
    assert (await stage.effects("9001"))[row.operation].status == "waiting"
    shut = [b.operation for b in (await replica.gate.look()).breakers.values() if b.is_open]
    assert shut == [operation]
    (item,) = await replica.report.attention()
    assert item.code == "vendor_failing"
    stage.upwork._otherwise, stage.ten99policy._otherwise = contract, nobody_yet
    stage.clock.move(60)
    await _done(stage, replica, row)
    assert await replica.report.attention() == []


async def _done(stage: Scene, replica, row: Row) -> None:  # type: ignore[no-untyped-def]
    await replica.work()
    assert (await stage.effects("9001"))[row.operation].status == "done"


def _keys(stage: Scene, row: Row) -> list[str | None]:
    double = stage.upwork if row.vendor == "upwork" else stage.ten99policy
    return [asked.headers.get("Idempotency-Key") for asked in double.asked if _meant(asked, row)]


FATES = {
    "again": _again,
    "a new key": _a_new_key,
    "for a person": _for_a_person,
    "for a person soon": _for_a_person_soon,
    "the vendor waits": _the_vendor_waits,
    "the operation waits": _the_operation_waits,
    "done": _done,
}
