"""Whatever a vendor answers is sorted into: try again, do not, or here it is."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from vendor_double import Says, ten99policy

from domain.values import ContractorDraft
from service.clients import http
from service.clients.discreet import discreet
from service.clients.http import VendorRefused, VendorUnavailable, retry_after

OURS = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
FAILED = {"error_code": "general_error", "message": "Something went wrong."}


async def asking(*answers: Says) -> object:
    """Create something with these answers; whatever is raised comes back."""
    async with ten99policy() as (client, vendor):
        vendor.will(*answers)
        try:
            return await client.register_webhook("https://coverd.example", "k_1")
        except (VendorUnavailable, VendorRefused) as error:
            return error


async def unavailable(*answers: Says) -> VendorUnavailable:
    error = await asking(*answers)
    assert isinstance(error, VendorUnavailable)
    return error


async def refused(*answers: Says) -> VendorRefused:
    error = await asking(*answers)
    assert isinstance(error, VendorRefused)
    return error


@pytest.mark.parametrize("ends", ["dropped", "cut"])
async def test_a_dropped_connection_is_worth_another_try(ends: str) -> None:
    error = await unavailable(Says(201, {"id": "xx_1"}, ends=ends))
    assert error.status is None
    assert not error.definite


async def test_no_answer_in_time_is_worth_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "TIMEOUT", aiohttp.ClientTimeout(total=0.05))
    error = await unavailable(Says(ends="never"))
    assert "no answer within" in str(error)
    assert not error.definite


async def test_nobody_listening_is_worth_another_try() -> None:
    async with ten99policy() as (client, vendor):
        client._base = "http://127.0.0.1:1/api/v1"
        with pytest.raises(VendorUnavailable, match="ClientConnectorError"):
            await client.policy("pl_1")
    assert vendor.asked == []


async def test_an_answer_in_pieces_is_read_whole() -> None:
    assert await asking(Says(201, {"id": "xx_1", "more": "x" * 200_000}, ends="in pieces")) == {
        "id": "xx_1",
        "more": "x" * 200_000,
    }


async def test_an_answer_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http.Http.send, "__kwdefaults__", {**http.Http.send.__kwdefaults__, "longest": 1000})
    error = await unavailable(Says(201, {"id": "x" * 1001}))
    assert "longer than 1000 bytes" in str(error)


@pytest.mark.parametrize("body", [b'{"id": "xx_1"', b"", b"<html>", b"\xff\xfe"])
async def test_an_answer_that_is_no_json_is_worth_another_try(body: bytes) -> None:
    error = await unavailable(Says(201, body=body or b" "))
    assert not error.definite


@pytest.mark.parametrize(
    "json", [[], "text", 7, None, {}, {"id": None}, {"id": ""}, {"id": {}}, {"id": True}]
)
async def test_an_object_without_an_id_was_not_made(json: object) -> None:
    error = await unavailable(Says(201, json))
    assert not error.definite


@pytest.mark.parametrize("status", [408, 425, 429, 500, 501, 502, 503, 504, 507, 599])
async def test_a_passing_status_is_worth_another_try_and_says_how_it_was(status: int) -> None:
    error = await unavailable(Says(status, FAILED))
    assert error.status == status
    assert f"{status} general_error Something went wrong." in str(error)


async def test_only_the_vendors_own_word_with_a_5xx_is_a_definite_failure() -> None:
    """After that the vendor repeats it for this key for a day; nothing else is stored (fact sheet 5)."""
    assert (await unavailable(Says(500, FAILED))).definite
    assert not (await unavailable(Says(429, FAILED))).definite
    assert not (await unavailable(Says(503, body=b"<h1>502</h1>", headers=HTML))).definite
    assert not (await unavailable(Says(500, {"error": "no code of theirs"}))).definite
    assert not (await unavailable(Says(500, FAILED, ends="cut"))).definite


async def test_a_clash_with_the_same_key_in_flight_is_worth_another_try() -> None:
    error = await unavailable(Says(409, {"error_code": "idempotency", "message": "in progress"}))
    assert not error.definite


@pytest.mark.parametrize("status", [200, 403, 404, 500])
async def test_a_page_is_from_somebody_in_between_and_worth_another_try(status: int) -> None:
    error = await unavailable(Says(status, body=b"<h1>Bad gateway</h1>", headers=HTML))
    assert "Bad gateway" not in str(error), "what is not the vendor's is not told as their words"


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 409, 410, 422])
async def test_any_other_refusal_is_final_and_carries_code_and_words(status: int) -> None:
    said = {"error_code": "duplicate_email", "message": "This e-mail is taken."}
    error = await refused(Says(status, said))
    assert (error.status, error.code) == (status, "duplicate_email")
    assert error.why == f"{status} duplicate_email This e-mail is taken."
    assert "POST /webhook_endpoints" in str(error)


async def test_a_refusal_by_field_names_every_field() -> None:
    said = {"error_code": "invalid_input", "message": {"wage": "too low", "name": "missing"}}
    assert "invalid_input wage: too low, name: missing" in str(await refused(Says(400, said)))


@pytest.mark.parametrize("said", [{}, [], "no", {"error_code": 7, "message": ["a", {"b": 1}]}, None])
async def test_a_refusal_in_any_shape_is_a_refusal(said: object) -> None:
    error = await refused(Says(400, said))
    assert error.code is None


async def test_a_vendors_words_are_kept_as_one_short_line() -> None:
    error = await refused(Says(400, {"error_code": "bad_request", "message": "a\x00b\nc" + "x" * 2000}))
    assert "a b c" in error.why
    assert "\x00" not in error.why
    assert len(error.why) < 600


async def test_redirects_are_not_followed() -> None:
    async with ten99policy() as (client, vendor):
        vendor.will(Says(307, {}, headers={"Location": vendor.base + "/elsewhere"}))
        with pytest.raises(VendorRefused):
            await client.register_webhook("https://coverd.example", "k_1")
    assert len(vendor.asked) == 1


async def test_retry_after_in_seconds_and_as_a_date() -> None:
    assert (await unavailable(Says(503, FAILED, headers={"Retry-After": "17"}))).retry_after == 17
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    found = (await unavailable(Says(429, FAILED, headers={"Retry-After": later}))).retry_after
    assert found is not None
    assert 90 < found <= 100
    assert (await unavailable(Says(503, FAILED))).retry_after is None


def test_a_date_gone_by_asks_for_no_wait() -> None:
    assert retry_after({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0


@given(st.text(max_size=60))
@example("Wed, 21 Oct 99999999999 07:28:00 GMT")
@example("Wed, 21 Oct 2015 07:28:00 +99999999")
@example("Fri, 31 Dec 9999 23:59:59 -1200")
@example("9" * 400)
@example("²")
def test_no_retry_after_is_too_strange(text: str) -> None:
    found = retry_after({"Retry-After": text})
    assert found is None or found >= 0


async def test_no_error_tells_the_key() -> None:
    for answer in (Says(401, FAILED), Says(500, FAILED), Says(ends="dropped")):
        assert "t9k_test_sandbox" not in repr(await asking(answer))


@pytest.mark.parametrize("status", [400, 422, 500])
async def test_no_error_repeats_people_or_keys_that_a_vendor_quotes(status: int) -> None:
    said = "Zoë Mai <zoe.mai@relay.example> may not, says t9k_test_sandbox; Mai, zoe.mai@relay.example: Maine"
    draft = ContractorDraft("Zoë", "Mai", "zoe.mai@relay.example", "US", "ME", "Portland")
    async with ten99policy() as (client, vendor):
        vendor.will(Says(status, {"error_code": "invalid_input", "message": {"first_name": said}}))
        with pytest.raises((VendorUnavailable, VendorRefused)) as caught:
            await client.create_contractor("fl_1", draft, "k_1")
    told = f"{status} invalid_input first_name: … <…> may not, says …; …, …: Maine"
    assert str(caught.value).endswith(told)


async def test_no_error_repeats_the_name_of_a_file_that_a_vendor_quotes() -> None:
    async with ten99policy() as (client, vendor):
        vendor.will(Says(422, {"error_code": "bad_file", "message": "Zoë Mai's COI.pdf cannot be read."}))
        with pytest.raises(VendorRefused, match=r"422 bad_file … cannot be read\."):
            await client.upload_certificate("9001", "cn_1", "Zoë Mai's COI.pdf", b"%PDF", "k_1")


@given(st.text(max_size=5000), st.lists(st.text(max_size=20), max_size=3))
@example("a@b." * 2000, ["a"])
@example("@" * 5000, [])
def test_discretion_comes_to_an_end_whatever_is_said(text: str, unsaid: list[str]) -> None:
    assert len(discreet(text, unsaid)) <= len(text)


def test_discretion_leaves_the_rest_as_it_is() -> None:
    assert discreet("Amy may try May.", ["May", ""]) == "Amy may try …."
    assert discreet("name@host is no address, n@h.io is.") == "name@host is no address, … is."
