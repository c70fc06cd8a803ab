"""Requests are read strictly, and each refusal says how to mend it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import TestServer, make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from service.api.problems import Problem, answer
from service.api.reading import (
    MAX_JSON,
    json_object,
    limit,
    moment,
    only,
    only_fields,
    text_field,
    whole_number,
)

NOW = datetime(2026, 3, 2, 10, 40, tzinfo=UTC)


def asked(query: str) -> web.Request:
    return make_mocked_request("GET", f"/v1/engagements?{query}")


def refusal(read: Callable[[], Any], status: int) -> Problem:
    with pytest.raises(Problem) as caught:
        read()
    assert caught.value.status == status
    return caught.value


# Parameters.


def test_a_parameter_the_route_does_not_take_is_refused_by_name() -> None:
    only(asked("at=1"), "at", "known_at")
    assert "parameter ta;" in refusal(lambda: only(asked("ta=1"), "at", "known_at"), 400).detail
    assert "takes: none" in refusal(lambda: only(asked("at=1")), 400).detail


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("200", 200), ("050", 50)])
def test_a_limit_is_a_whole_number_up_to_200(text: str, number: int) -> None:
    assert limit(asked(f"limit={text}")) == number
    assert limit(asked("")) == 50


@pytest.mark.parametrize(
    "text", ["", "0", "201", "-1", "1.5", "ten", "٣", "²", "+5", "0x10", "00000000019999", "9" * 5000, "1 "]
)
def test_any_other_limit_is_refused(text: str) -> None:
    assert "1 to 200" in refusal(lambda: limit(asked(f"limit={quote(text)}")), 400).detail


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-02T10:40:00Z", NOW),
        ("2026-03-02t10:40:00z", NOW),
        ("2026-03-02 10:40:00Z", NOW),
        ("2026-03-02T10:40Z", NOW),
        ("2026-03-02T11:40:00+01:00", NOW),
        ("2026-03-02T02:40:00-08:00", NOW),
        ("2026-03-02T10:40:00.25Z", NOW.replace(microsecond=250_000)),
        ("2026-03-02T10:40:00.123456789Z", NOW.replace(microsecond=123_456)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_moment_is_rfc_3339_with_an_offset(text: str, instant: datetime) -> None:
    assert moment(asked(f"at={quote(text)}"), "at", NOW) == instant


def test_without_a_moment_the_given_one_counts() -> None:
    assert moment(asked(""), "at", NOW) is NOW


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2026-03-02", "2026-03-02T10:40:00", "2026-03-02T10:40:00 01:00", "1772448000"),
        *(
            "2026-02-30T10:40:00Z",
            "2026-03-02T10:40:60Z",
            "2026-03-02T25:40:00Z",
            "2026-03-02T10:40:00+99:00",
        ),
        *(
            "0001-01-01T00:00:00+12:00",
            "9999-12-31T23:59:59-12:00",
            "２０２６-03-02T10:40:00Z",
            "20260302T104000Z",
        ),
        *("2026-W10-1T10:40:00Z", "2026-03-02T10:40:00Z\n", "2026-03-02T10:40:00ZZ", "\x00"),
    ],
)
def test_a_moment_without_an_offset_or_out_of_any_calendar_is_refused(text: str) -> None:
    detail = refusal(lambda: moment(asked(f"at={quote(text)}"), "at", NOW), 400).detail
    assert "at must be a time with an offset" in detail
    assert "%2B" in detail, "a plus sign arrives as a space"


@given(st.text(max_size=40))
def test_no_moment_does_more_than_be_refused(text: str) -> None:
    try:
        found = moment(asked(f"at={quote(text, errors='replace')}"), "at", NOW)
    except Problem:
        return
    assert found.tzinfo is UTC


# Fields.


def test_a_field_is_a_text_that_says_something() -> None:
    assert text_field({"reason": " vendor fixed it "}, "reason") == "vendor fixed it"
    for value in (None, "", " ", 7, True, [], {}, "a\x00b", "x" * 501):
        problem = refusal(lambda value=value: text_field({"reason": value}, "reason"), 422)
        assert problem.more["errors"][0]["pointer"] == "/reason"
    refusal(lambda: text_field({}, "reason"), 422)


def test_a_whole_number_is_an_integer_in_range() -> None:
    assert whole_number({"gross_pay": 100}, "gross_pay", 100, 200, "US cents") == 100
    assert whole_number({"gross_pay": 200}, "gross_pay", 100, 200, "US cents") == 200
    refusal(lambda: whole_number({"gross_pay": True}, "gross_pay", 0, 200, "US cents"), 422)
    for value in (99, 201, 100.0, "100", True, None, [], 10**18):
        problem = refusal(
            lambda value=value: whole_number({"gross_pay": value}, "gross_pay", 100, 200, "US cents"), 422
        )
        assert problem.more["errors"][0]["pointer"] == "/gross_pay"
        assert "US cents" in problem.detail


def test_a_field_the_route_does_not_take_is_refused_by_pointer() -> None:
    only_fields({"reason": 1}, "reason", "more")
    problem = refusal(lambda: only_fields({"raeson": 1, "reason": 1}, "reason"), 422)
    assert problem.more["errors"][0]["pointer"] == "/raeson"


def test_a_name_that_may_be_a_persons_or_a_secret_is_not_repeated() -> None:
    named = refusal(lambda: only_fields({"ava@example.com": 1}, "reason"), 422)
    assert "ava" not in named.detail + named.more["errors"][0]["pointer"]
    assert "t9k_" not in refusal(lambda: only(asked("t9k_Live4=1")), 400).detail


# Bodies, over the wire.


@asynccontextmanager
async def reading() -> AsyncIterator[Callable[..., Awaitable[ClientResponse]]]:
    async def read(request: web.Request) -> web.StreamResponse:
        async def handler(request: web.Request) -> web.StreamResponse:
            return web.json_response(await json_object(request))

        return await answer(request, handler, "req_1")

    app = web.Application(client_max_size=64 * MAX_JSON)
    app.router.add_post("/x", read)
    server = TestServer(app)
    await server.start_server(auto_decompress=False)  # as the service runs it
    try:
        async with ClientSession() as http:
            yield lambda **how: http.post(server.make_url("/x"), **how)
    finally:
        await server.close()


JSON = {"Content-Type": "application/json"}


async def test_a_json_object_is_read() -> None:
    async with reading() as post:
        for kind in ("application/json", "application/json; charset=utf-8", "APPLICATION/JSON"):
            response = await post(data=b'{"reason": "ok"}', headers={"Content-Type": kind})
            assert (response.status, await response.json()) == (200, {"reason": "ok"})


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b'{"a": NaN}', b"[" * 5000, b'{"a": "\\ud800"}', b"[]", b"7"]
)
async def test_a_body_that_is_no_json_object_is_refused_as_a_problem(body: bytes) -> None:
    async with reading() as post:
        response = await post(data=body, headers=JSON)
        assert response.status == 400
        assert response.content_type == "application/problem+json"
        told = orjson.loads(await response.read())
        assert (told["status"], told["request_id"]) == (400, "req_1")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/problem+json"]
)
async def test_another_kind_of_body_is_not_taken(kind: str) -> None:
    async with reading() as post:
        assert (await post(data=b"{}", headers={"Content-Type": kind})).status == 415


async def test_an_encoded_body_is_not_taken() -> None:
    async with reading() as post:
        response = await post(data=b"{}", headers=JSON | {"Content-Encoding": "gzip"}, compress=None)
        assert response.status == 415


async def test_a_body_is_at_most_64_kilobytes_announced_or_not() -> None:
    fits, too_long = (b'{"a": "%s"}' % (b"x" * (MAX_JSON - 9 + more)) for more in (0, 1))
    assert len(fits) == MAX_JSON

    async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(body), 10_000):
            yield body[start : start + 10_000]

    async with reading() as post:
        assert (await post(data=fits, headers=JSON)).status == 200
        assert (await post(data=in_pieces(fits), headers=JSON)).status == 200
        assert (await post(data=too_long, headers=JSON)).status == 413
        assert (await post(data=in_pieces(too_long), headers=JSON)).status == 413
