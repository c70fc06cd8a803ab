"""Browsers sign in with a token; what their cookie may do, and what other sites cannot make them do."""

from collections.abc import AsyncIterator
from http.cookies import SimpleCookie

import pytest
from places import TOKEN, Answer, Place, PlaceMaker

SCOPES = "read:reader-token,operate:operator-token"
PAGE = {"Accept": "text/html,*/*"}


@pytest.fixture
async def closed(places: PlaceMaker) -> AsyncIterator[Place]:
    async with places(COVERD_API_TOKENS=SCOPES) as made:
        yield made


async def sign_in(place: Place, token: str, to: str = "/signin", **headers: str) -> Answer:
    return await place.ask("POST", to, data={"token": token}, headers={**PAGE, **headers})


def cookie(told: Answer) -> dict[str, str]:
    [kept] = SimpleCookie(told.headers["set-cookie"]).values()
    return {"Cookie": f"{kept.key}={kept.value}", **PAGE}


async def test_a_page_asks_for_a_token_and_leads_on_to_what_was_asked_for(closed: Place) -> None:
    asked = await closed.ask("GET", "/engagements/9001?x=1", headers=PAGE)
    assert asked.status == 401
    assert b'action="/signin?next=/engagements/9001%3Fx%3D1"' in asked.body
    assert "default-src 'none'" in asked.headers["content-security-policy"]
    told = await sign_in(closed, "reader-token", "/signin?next=/engagements/9001%3Fx%3D1")
    assert (told.status, told.headers["location"]) == (303, "/engagements/9001?x=1")


async def test_the_cookie_is_for_this_site_and_for_no_script(closed: Place) -> None:
    told = await sign_in(closed, "reader-token")
    kept = told.headers["set-cookie"]
    assert "; HttpOnly" in kept
    assert "; SameSite=Strict" in kept
    assert "; Path=/" in kept
    assert "Domain" not in kept
    assert "Secure" not in kept
    behind_tls = await sign_in(closed, "reader-token", **{"X-Forwarded-Proto": "https"})
    assert behind_tls.headers["set-cookie"].startswith("__Host-coverd=")
    assert "; Secure" in behind_tls.headers["set-cookie"]


async def test_signed_in_a_browser_sees_pages_and_lists_and_can_sign_out(closed: Place) -> None:
    shown = cookie(await sign_in(closed, "reader-token"))
    page = await closed.ask("GET", "/", headers=shown)
    assert page.status == 200
    assert b'action="/signout"' in page.body
    assert (await closed.ask("GET", "/v1/engagements", headers=shown)).status == 200
    left = await closed.ask("POST", "/signout", headers=shown)
    assert (left.status, left.headers["location"]) == (303, "/signin")
    assert "Max-Age=0" in left.headers["set-cookie"]


async def test_a_cookie_never_acts_whatever_its_token_may(closed: Place) -> None:
    shown = cookie(await sign_in(closed, "operator-token"))
    for path in ("/v1/reconcile", "/v1/engagements/9001/retry", "/v1/deliveries/x/replay"):
        assert (await closed.ask("POST", path, headers=shown)).problem["status"] == 401


@pytest.mark.parametrize("token", ["", "wrong", "READER-TOKEN", "x" * 4000, "\u00e9"])
async def test_a_wrong_token_signs_nobody_in(closed: Place, token: str) -> None:
    told = await sign_in(closed, token)
    assert told.status == 401
    assert "set-cookie" not in told.headers
    assert b"not known here" in told.body
    assert b"wrong" not in told.body
    plain = await closed.ask("POST", "/signin", data={"token": token})
    assert plain.problem["status"] == 401


@pytest.mark.parametrize(
    ("sent", "status"), [(b"x" * 5000, 413), (b"a=1&b=2&c=3&d=4&e=5&token=t", 400), (b"token=%ff", 401)]
)
async def test_a_form_that_is_none_is_refused(closed: Place, sent: bytes, status: int) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await closed.ask("POST", "/signin", data=sent, headers=form)).problem["status"] == status
    assert (await closed.ask("POST", "/signin", json={"token": "reader-token"})).problem["status"] == 415


ELSEWHERE = [
    *(
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/signin",
        "/signout",
    ),
    *("/a\r\nSet-Cookie: a=b", "\u00e9", "", "evil", "/" + "a" * 3000),
]


@pytest.mark.parametrize("back", ELSEWHERE)
async def test_signing_in_leads_to_no_other_site(closed: Place, back: str) -> None:
    told = await closed.ask("POST", "/signin", params={"next": back}, data={"token": "reader-token"})
    assert (told.status, told.headers["location"]) == (303, "/")


async def test_where_no_token_is_needed_there_is_nothing_to_sign_in_to(place: Place) -> None:
    told = await place.ask("GET", "/signin?next=/engagements/9001")
    assert (told.status, told.headers["location"]) == (303, "/engagements/9001")


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://["},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1"},
]


@pytest.mark.parametrize("sent", FOREIGN, ids=str)
async def test_another_sites_page_can_make_a_browser_do_nothing(place: Place, sent: dict[str, str]) -> None:
    """Not even where no token is set, and the browser runs on the machine that is served."""
    for path in ("/v1/reconcile", "/v1/engagements/9/retry", "/v1/engagements/9/certificates", "/signout"):
        assert (await place.ask("POST", path, headers=sent)).problem["status"] == 403
    assert (await place.ask("POST", "/signin", data={"token": "x"}, headers=sent)).problem["status"] == 403


async def test_this_sites_own_page_may(place: Place) -> None:
    for sent in ({"Origin": place.url}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {}):
        told = await place.ask("POST", "/v1/deliveries/x/replay", headers=sent)
        assert told.problem["status"] == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "["])
async def test_a_name_that_leads_here_is_not_served_without_a_token(place: Place, host: str) -> None:
    """Or a site could have its name lead to this machine, and read in a browser what is served to it."""
    told = await place.raw(f"GET /v1/engagements HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert told
    assert told.problem["status"] == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "127.8.8.8"])
async def test_this_machines_own_names_are(place: Place, host: str) -> None:
    told = await place.raw(f"GET /v1/engagements HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert told
    assert told.status == 200


@pytest.mark.parametrize("sent", [{"X-Forwarded-For": "203.0.113.7"}, {"Forwarded": "for=203.0.113.7"}])
async def test_a_proxy_on_this_machine_serves_no_one_else_without_a_token(
    places: PlaceMaker, place: Place, sent: dict[str, str]
) -> None:
    for path in ("/v1/engagements", "/v1/engagements/9001", "/", "/metrics"):
        assert (await place.ask("GET", path, headers=sent)).problem["status"] == 421
    assert (await place.ask("GET", "/readyz", headers=sent)).status == 200
    told = await place.ask("POST", "/webhooks/upwork", data=b"{}", headers={**TOKEN, **sent})
    assert told.status == 202
    async with places(COVERD_API_TOKENS=SCOPES) as closed:
        shown = {"Authorization": "Bearer reader-token", **sent}
        assert (await closed.ask("GET", "/v1/engagements", headers=shown)).status == 200
