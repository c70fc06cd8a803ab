"""Reading from Upwork: errors sorted, tokens renewed, attachments fetched only where they may be."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest
from golden_guide import CONTRACT, FREELANCER
from graphql_double import answered, roots
from vendor_double import TOKEN, Asked, Says, token, upwork

from domain.values import Pay
from service.clients import http
from service.clients.attachments import MAX_ATTACHMENT
from service.clients.documents import terms_of_guide
from service.clients.http import VendorRefused, VendorUnavailable

WHOLE = {"contract": CONTRACT, "freelancer": FREELANCER}
UNAUTHENTICATED = Says(401, {"message": "Authentication failed"})


@pytest.fixture(autouse=True)
def _no_waiting_for_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pace is proven on its own."""
    monkeypatch.setattr("service.clients.upwork.PER_SECOND", 1e9)


def whole(asked: Asked) -> Any:
    """The answer to `COMBINED` about the contracts it asks for."""
    return answered(
        asked.json, lambda root, id: WHOLE[root] | ({"id": id} if root == "contract" else {})
    ).json


def answering(said: Any = None, **more: Any) -> Callable[[Asked], Says]:
    """Gives a token to who asks for one and ``said``, or the contract asked for, to every question."""
    tokens = iter(range(1, 1000))

    def answer(asked: Asked) -> Says:
        if asked.path == TOKEN:
            return token(next(tokens), **more)
        return Says(200, said or whole(asked))

    return answer


async def reading(*answers: Says, then: Callable[[Asked], Says] | None = None) -> Any:
    async with upwork(then or answering()) as (client, vendor):
        vendor.will(*answers)
        try:
            return await client.read("9001", "fl_12345")
        except (VendorUnavailable, VendorRefused) as error:
            return error


def graphql(message: str, classification: Any = "ExecutionAborted", data: Any = None) -> Says:
    errors = [{"message": message, "extensions": {"classification": classification}}]
    return Says(200, {"data": data, "errors": errors})


# Answers.


async def test_an_answer_about_another_contract_is_refused() -> None:
    other = {**CONTRACT, "id": "9002"}
    error = await reading(Says(200, {"data": {"contract": other, "freelancer": FREELANCER}}))
    assert isinstance(error, VendorRefused)
    assert error.why == "asked for contract 9001, it shows contract 9002"


@pytest.mark.parametrize(
    ("rate", "budget", "pay"),
    [
        (75.0, None, Pay("hourly", "75.0")),
        (None, "900.00", Pay("flatfee", "900.00")),
        (0, 900, Pay("flatfee", "900")),
        ("0.00", None, Pay("hourly", "0.00")),
        (75, 900, Pay("hourly", "75")),
        ("a lot", 900, Pay("hourly", "a lot")),
        (None, None, None),
    ],
)
def test_pay_is_hourly_or_fixed_by_which_is_set(rate: Any, budget: Any, pay: Pay | None) -> None:
    def shown(amount: Any) -> Any:
        return None if amount is None else {"amount": amount}

    assert terms_of_guide({"hourlyRate": shown(rate), "fixedBudget": shown(budget)}, {}).pay == pay


async def test_errors_in_a_200_are_a_refusal_in_upworks_words() -> None:
    words = "The client or token doesn't have enough oauth2 permissions/scopes to access: [Contract.title]"
    error = await reading(graphql(words))
    assert isinstance(error, VendorRefused)
    assert error.why == words


@pytest.mark.parametrize("classification", ["DataFetchingException", "INTERNAL_ERROR"])
async def test_a_server_that_failed_while_reading_is_asked_again_even_with_partial_data(
    classification: str,
) -> None:
    error = await reading(graphql("boom", classification, {"contract": CONTRACT, "freelancer": None}))
    assert isinstance(error, VendorUnavailable)


async def test_partial_data_with_the_contract_is_enough() -> None:
    found = await reading(graphql("deleted user", data={"contract": CONTRACT, "freelancer": None}))
    assert found == terms_of_guide(CONTRACT, {})


async def test_partial_data_without_the_contract_is_refused_in_upworks_words() -> None:
    error = await reading(graphql("contract is gone", data={"contract": None, "freelancer": FREELANCER}))
    assert isinstance(error, VendorRefused)
    assert "contract is gone" in str(error)


async def test_a_contract_upwork_does_not_know_is_a_refusal() -> None:
    error = await reading(Says(200, {"data": {"contract": None, "freelancer": None}}))
    assert isinstance(error, VendorRefused)
    assert "no contract 9001" in str(error)


@pytest.mark.parametrize(
    "said",
    [
        {"data": []},
        {"data": {"contract": [], "freelancer": "x"}},
        {"errors": {"message": "no"}},
        {"errors": 7},
        {"errors": ["no", None, {"message": None, "extensions": "x"}]},
        {},
    ],
)
async def test_an_answer_in_no_known_shape_is_a_refusal_and_never_a_crash(said: Any) -> None:
    assert isinstance(await reading(Says(200, said)), VendorRefused)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
async def test_a_passing_status_is_worth_another_try(status: int) -> None:
    error = await reading(Says(status, {"message": "busy"}, headers={"Retry-After": "9"}))
    assert isinstance(error, VendorUnavailable)
    assert (error.status, error.retry_after) == (status, 9)


@pytest.mark.parametrize("answer", [Says(200, body=b"<html>"), Says(200, body=b'{"data":'), Says(200, [])])
async def test_what_is_no_json_object_is_worth_another_try(answer: Says) -> None:
    assert isinstance(await reading(answer), VendorUnavailable)


@pytest.mark.parametrize("ends", ["cut", "dropped"])
async def test_a_broken_connection_is_worth_another_try(ends: str) -> None:
    assert isinstance(await reading(Says(200, {"data": WHOLE}, ends=ends)), VendorUnavailable)


async def test_no_answer_in_time_is_worth_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "TIMEOUT", aiohttp.ClientTimeout(total=0.05))
    assert isinstance(await reading(Says(ends="never")), VendorUnavailable)


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_any_other_refusal_is_final(status: int) -> None:
    error = await reading(Says(status, {"message": "not for you"}))
    assert isinstance(error, VendorRefused)
    assert (error.status, error.why) == (status, f"{status} not for you")


# Tokens.


async def test_a_refused_token_is_renewed_once_and_the_reading_goes_on() -> None:
    async with upwork(answering()) as (client, vendor):
        vendor.will(UNAUTHENTICATED)
        assert await client.read("9001", "fl_12345") == terms_of_guide(CONTRACT, FREELANCER)
    assert len(vendor.to(TOKEN)) == 2
    used = [asked.headers["Authorization"] for asked in vendor.to("/graphql")]
    assert used == ["Bearer oauth2v2_1", "Bearer oauth2v2_2"]


async def test_a_token_refused_again_is_a_refusal() -> None:
    async with upwork(answering()) as (client, vendor):
        vendor.will(UNAUTHENTICATED, UNAUTHENTICATED)
        with pytest.raises(VendorRefused, match="Authentication failed"):
            await client.read("9001", "fl_12345")
    assert len(vendor.to("/graphql")) == 2


async def test_a_good_token_is_used_again() -> None:
    async with upwork(answering()) as (client, vendor):
        await client.read("9001", "fl_12345")
        await client.read("9002", "fl_12345")
    assert len(vendor.to(TOKEN)) == 1


@pytest.mark.parametrize("lasts", [30, 60, -5, 0])
async def test_a_token_about_to_run_out_is_renewed_before_it_is_used_again(lasts: int) -> None:
    async with upwork(answering(expires_in=lasts)) as (client, vendor):
        await client.read("9001", "fl_12345")
        held = client._tokens._token
        assert held is not None
        earlier = held.until - timedelta(seconds=1.5)  # as if a second and a half had gone by
        client._tokens._token = replace(held, until=earlier)
        await client.read("9001", "fl_12345")
    assert len(vendor.to(TOKEN)) == 2


@pytest.mark.parametrize("lasts", [None, "soon", {}])
async def test_a_token_that_does_not_say_how_long_it_lasts_is_good(lasts: Any) -> None:
    assert await reading(then=answering(expires_in=lasts)) == terms_of_guide(CONTRACT, FREELANCER)


async def test_many_readers_fetch_one_token() -> None:
    async with upwork(answering()) as (client, vendor):
        await asyncio.gather(*(client.read(str(n), "fl_12345") for n in range(8)))
    assert len(vendor.to(TOKEN)) == 1
    assert sum(len(roots(asked.json)) for asked in vendor.to("/graphql")) == 2 * 8


async def test_many_readers_with_one_spoiled_token_fetch_one_new_token() -> None:
    def answer(asked: Asked) -> Says:
        if asked.path == TOKEN:
            return token(len(vendor.to(TOKEN)))
        fresh = asked.headers["Authorization"] != "Bearer oauth2v2_1"
        return Says(200, whole(asked)) if fresh else UNAUTHENTICATED

    async with upwork(answer) as (client, vendor):
        await asyncio.gather(*(client.read(str(n), "fl_12345") for n in range(8)))
    assert len(vendor.to(TOKEN)) == 2


def grants(vendor: Any) -> list[str]:
    return [parse_qs(asked.body.decode())["grant_type"][0] for asked in vendor.to(TOKEN)]


async def test_an_offered_refresh_token_is_used_for_the_next() -> None:
    async with upwork(answering(refresh_token="r_1")) as (client, vendor):
        vendor.will(UNAUTHENTICATED)
        await client.read("9001", "fl_12345")
    assert grants(vendor) == ["client_credentials", "refresh_token"]
    assert b"refresh_token=r_1" in vendor.to(TOKEN)[1].body


async def test_a_dead_refresh_token_leads_back_to_the_clients_own_credentials() -> None:
    def answer(asked: Asked) -> Says:
        if b"grant_type=refresh_token" in asked.body:
            return Says(400, {"error": "invalid_grant"})
        return token(1, refresh_token="r_1") if asked.path == TOKEN else Says(200, {"data": WHOLE})

    async with upwork(answer) as (client, vendor):
        vendor.will(UNAUTHENTICATED)
        await client.read("9001", "fl_12345")
    assert grants(vendor) == ["client_credentials", "refresh_token", "client_credentials"]


async def test_wrong_credentials_are_a_refusal_that_names_no_secret() -> None:
    error = await reading(then=lambda _: Says(401, {"error": "invalid_client"}))
    assert isinstance(error, VendorRefused)
    assert error.code == "invalid_client"
    assert "sandbox-secret" not in str(error)


@pytest.mark.parametrize(
    "answer",
    [
        Says(503, {"error": "busy"}),
        Says(429, {}),
        Says(200, {}),
        Says(200, {"access_token": 7}),
        Says(200, {"access_token": ""}),
        Says(200, body=b"<html>"),
        Says(ends="dropped"),
    ],
)
async def test_no_token_for_now_is_worth_another_try(answer: Says) -> None:
    assert isinstance(await reading(then=lambda _: answer), VendorUnavailable)


# Attachments.

PDF = b"%PDF-1.7 acord"


async def downloading(
    path: str, *answers: Says, url: str = "", allowed: tuple[str, ...] = ()
) -> tuple[Any, Any]:
    """What came of a download, and the vendor that was asked."""
    async with upwork(answering(), url=url) as (client, vendor):
        vendor.will(*answers)
        try:
            return await client.download(path.replace("HOME", vendor.base), allowed), vendor
        except (VendorUnavailable, VendorRefused) as error:
            return error, vendor


async def test_an_attachment_at_home_is_fetched_with_the_token() -> None:
    found, vendor = await downloading("HOME/files/at_1?sig=1", Says(body=PDF))
    assert found == PDF
    assert vendor.asked[-1].headers["Authorization"] == "Bearer oauth2v2_1"
    assert vendor.asked[-1].query == {"sig": "1"}


async def test_a_refused_token_is_renewed_once_for_an_attachment_too() -> None:
    found, vendor = await downloading("HOME/files/at_1", UNAUTHENTICATED, Says(body=PDF))
    assert found == PDF
    assert vendor.asked[-1].headers["Authorization"] == "Bearer oauth2v2_2"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/at_1",
        "http://files.upwork.com/at_1",
        "https://upwork.com.evil.example/at_1",
        "https://evilupwork.com/at_1",
        "https://api.upwork.com@evil.example/at_1",
        "https://api.upwork.com\\@evil.example/at_1",
        "https://evil.example\\.upwork.com/at_1",
        "https://evil.example#.upwork.com",
        "https://user:pw@files.upwork.com/at_1",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "//api.upwork.com/at_1",
        "/at_1",
        "https://[",
        "https://api.upwork.com:99999/at_1",
        "",
    ],
)
async def test_nothing_is_fetched_from_where_nobody_allowed(url: str) -> None:
    error, vendor = await downloading(url, url="https://api.upwork.com")
    assert isinstance(error, VendorRefused)
    assert vendor.asked == []


@pytest.mark.parametrize("url", ["https://files.upwork.com/at_1", "http://127.0.0.1:1/at_1", "http://HOME/x"])
async def test_a_sandbox_at_home_opens_no_other_door(url: str) -> None:
    error, _ = await downloading(url)
    assert isinstance(error, VendorRefused)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://files.upwork.com/at_1", ()),
        ("https://UPWORK.com/at_1", ()),
        ("https://bucket.example/at_1?sig=1", ("Bucket.example",)),
    ],
)
async def test_the_token_goes_to_upworks_own_origin_alone(
    url: str, allowed: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = answer_with(monkeypatch, PDF)
    found, _ = await downloading(url, url="https://api.upwork.com", allowed=allowed)
    assert found == PDF
    assert sent == [(url.lower(), {})]


async def test_upworks_own_origin_is_the_same_however_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = answer_with(monkeypatch, PDF)
    found, _ = await downloading("https://API.upwork.com:443/at_1", url="https://api.upwork.com")
    assert found == PDF
    assert sent == [("https://api.upwork.com/at_1", {"Authorization": "Bearer oauth2v2_1"})]


def answer_with(monkeypatch: pytest.MonkeyPatch, content: bytes) -> list[tuple[str, dict[str, str]]]:
    """Downloads get ``content``, wherever from; gives the addresses asked and the headers sent."""
    sent: list[tuple[str, dict[str, str]]] = []
    really = http.Http.send

    async def send(self: http.Http, method: str, url: str, **how: Any) -> http.Answer:
        if method != "GET":
            return await really(self, method, url, **how)
        sent.append((url, dict(how["headers"])))
        return http.Answer(200, {}, content, None)

    monkeypatch.setattr(http.Http, "send", send)
    return sent


async def test_a_redirect_is_not_followed() -> None:
    away = Says(302, {}, headers={"Location": "https://evil.example/at_1"})
    error, vendor = await downloading("HOME/files/at_1", away)
    assert isinstance(error, VendorRefused)
    assert len(vendor.asked) == 2, "the token and the attachment"


async def test_fifteen_megabytes_are_enough_and_one_byte_more_is_refused() -> None:
    most = PDF + bytes(MAX_ATTACHMENT - len(PDF))
    assert (await downloading("HOME/at_1", Says(body=most)))[0] == most
    error, _ = await downloading("HOME/at_1", Says(body=most + b"\n"))
    assert isinstance(error, VendorRefused)
    assert "15 MB" in str(error)


@pytest.mark.parametrize("body", [b"<html>", b"PK\x03\x04", b" %PDF-1.7", b"%PD"])
async def test_what_does_not_begin_like_a_pdf_is_refused_whatever_its_name(body: bytes) -> None:
    error, _ = await downloading(
        "HOME/acord.pdf", Says(body=body, headers={"Content-Type": "application/pdf"})
    )
    assert isinstance(error, VendorRefused)
    assert "not a PDF" in str(error)


@pytest.mark.parametrize("status", [408, 429, 500, 503, 507])
async def test_a_passing_status_is_worth_another_download(status: int) -> None:
    error, _ = await downloading("HOME/at_1", Says(status, {}, headers={"Retry-After": "5"}))
    assert isinstance(error, VendorUnavailable)
    assert error.retry_after == 5


@pytest.mark.parametrize("status", [400, 403, 404, 410])
async def test_an_attachment_that_is_gone_is_a_refusal(status: int) -> None:
    error, _ = await downloading("HOME/at_1", Says(status, {}))
    assert isinstance(error, VendorRefused)
    assert error.status == status


async def test_a_download_that_breaks_off_is_worth_another_try() -> None:
    assert isinstance((await downloading("HOME/at_1", Says(body=PDF, ends="cut")))[0], VendorUnavailable)


async def test_no_error_about_an_attachment_tells_its_address() -> None:
    """It may be a signed link: whoever reads it can open the file."""
    error, _ = await downloading("HOME/at_1?sig=s3cr3t", Says(500, {}))
    assert "s3cr3t" not in str(error)
    assert "at_1" not in str(error)


async def test_every_request_takes_its_turn() -> None:
    turns: list[int] = []

    async def turn() -> None:
        turns.append(1)

    async with upwork(answering(), turn=turn) as (client, vendor):
        vendor.will(Says(200, {"data": WHOLE}), UNAUTHENTICATED, Says(body=PDF))
        await client.read("9001", "fl_12345")
        await client.download(vendor.base + "/at_1", ())
    assert len(turns) == len(vendor.asked) == 5
