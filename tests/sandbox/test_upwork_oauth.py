"""OAuth as the fact sheet's section 2 has it."""

import base64
import hashlib
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from upwork_driver import CREDENTIALS, TOKEN_PATH, Upwork, running

REDIRECT = "https://your.app/oauth"
AUTHORIZE = "/ab/account-security/oauth2/authorize"


async def code_of(upwork: Upwork, **more: str) -> dict[str, list[str]]:
    query = {"response_type": "code", "client_id": "sandbox-client", "redirect_uri": REDIRECT, **more}
    async with upwork.http.get(upwork.base + AUTHORIZE, params=query, allow_redirects=False) as answer:
        assert answer.status == 302
        assert answer.headers["Location"].startswith(REDIRECT)
        return parse_qs(urlsplit(answer.headers["Location"]).query)


async def exchange(upwork: Upwork, code: str, **more: str):
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, **CREDENTIALS}
    return await upwork.token(**form | more)


async def refresh(upwork: Upwork, token: str):
    return await upwork.token(grant_type="refresh_token", refresh_token=token, **CREDENTIALS)


async def works(upwork: Upwork, token: str) -> bool:
    status, _ = await upwork.post_graphql({"query": "{ user { id } }"}, Authorization=f"bearer {token}")
    return status == 200


async def test_client_credentials_give_a_day_and_no_refresh_token():
    async with running() as upwork:
        status, body = await upwork.token(grant_type="client_credentials", **CREDENTIALS)
        assert status == 200
        assert re.fullmatch(r"oauth2v2_[0-9a-f]{32}", body.pop("access_token"))
        assert body == {"token_type": "Bearer", "expires_in": 86400}


async def test_a_code_is_exchanged_once_and_the_state_comes_back_as_it_was():
    async with running() as upwork:
        back = await code_of(upwork, state="a b&c")
        assert back["state"] == ["a b&c"]
        status, body = await exchange(upwork, back["code"][0])
        assert status == 200
        assert await works(upwork, body["access_token"])
        assert re.fullmatch(r"oauth2v2_[0-9a-f]{32}", body["refresh_token"])
        status, body = await exchange(upwork, back["code"][0])
        assert (status, body["error"]) == (400, "invalid_grant")


async def test_a_code_dies_after_ten_minutes_and_at_another_redirect_uri():
    async with running() as upwork:
        late = (await code_of(upwork))["code"][0]
        other = (await code_of(upwork))["code"][0]
        assert (await exchange(upwork, other, redirect_uri="https://evil"))[0] == 400
        await upwork.control("clock", {"advance": 601})
        assert (await exchange(upwork, late))[0] == 400


async def test_pkce_wants_its_verifier():
    verifier = "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    async with running() as upwork:
        asked = {"code_challenge": challenge, "code_challenge_method": "S256"}
        assert (await exchange(upwork, (await code_of(upwork, **asked))["code"][0]))[0] == 400
        code = (await code_of(upwork, **asked))["code"][0]
        assert (await exchange(upwork, code, code_verifier=verifier))[0] == 200


async def test_a_refresh_gives_a_new_refresh_token_and_the_old_one_a_day():
    async with running() as upwork:
        _, first = await exchange(upwork, (await code_of(upwork))["code"][0])
        status, second = await refresh(upwork, first["refresh_token"])
        assert status == 200
        assert second["refresh_token"] != first["refresh_token"]
        assert (await refresh(upwork, first["refresh_token"]))[0] == 200
        await upwork.control("clock", {"advance": 86_401})
        status, body = await refresh(upwork, first["refresh_token"])
        assert (status, body) == (
            400,
            {
                "error": "invalid_grant",
                "error_description": "Refresh token is expired or revoked or not registered",
            },
        )
        assert (await refresh(upwork, second["refresh_token"]))[0] == 200
        await upwork.control("clock", {"advance": 15 * 86_400})
        assert (await refresh(upwork, second["refresh_token"]))[0] == 400


async def test_basic_and_body_credentials_are_both_taken_and_must_agree():
    basic = "Basic " + base64.b64encode(b"sandbox-client:sandbox-secret").decode()
    async with running() as upwork:

        async def ask(authorization: str, **form: str) -> int:
            form = {"grant_type": "client_credentials", **form}
            headers = {"Authorization": authorization}
            return (await upwork.request("POST", TOKEN_PATH, data=form, headers=headers))[0]

        assert await ask(basic) == 200
        assert await ask(basic, **CREDENTIALS) == 200
        assert await ask(basic, client_id="somebody-else") == 401
        assert await ask("Basic !!!") == 401
        assert await ask("Basic " + base64.b64encode(b"sandbox-client:wrong").decode()) == 401


async def test_unknown_form_fields_are_tolerated():
    async with running() as upwork:
        status, _ = await upwork.token(
            grant_type="client_credentials", json="{'query': '{ user { id } }'}", **CREDENTIALS
        )
        assert status == 200


@pytest.mark.parametrize(
    ("form", "status", "error", "description"),
    [
        (
            {"grant_type": "client_credentials", "client_secret": "s"},
            400,
            "invalid_request",
            "Missing parameters: client_id",
        ),
        (CREDENTIALS, 400, "invalid_request", "Missing parameters: grant_type"),
        (
            {"grant_type": "refresh_token", **CREDENTIALS},
            400,
            "invalid_request",
            "Missing parameters: refresh_token",
        ),
        ({"grant_type": "password", **CREDENTIALS}, 400, "unsupported_grant_type", None),
        (
            {"grant_type": "client_credentials", **CREDENTIALS, "client_secret": "wrong"},
            401,
            "invalid_client",
            None,
        ),
    ],
)
async def test_the_token_endpoint_says_what_is_wrong(form, status, error, description):
    async with running() as upwork:
        answered, body = await upwork.token(**form)
        assert (answered, body["error"]) == (status, error)
        assert description in (None, body["error_description"])


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_id": "nobody"}, "invalid_client"),
        ({"redirect_uri": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "pub-offer:read:all"}, "invalid_scope"),
    ],
)
async def test_authorize_says_what_is_wrong(change, error):
    query = {"response_type": "code", "client_id": "sandbox-client", "redirect_uri": REDIRECT, **change}
    async with running() as upwork:
        status, body = await upwork.request("GET", AUTHORIZE, params=query)
        assert status in (400, 401)
        assert body["error"] == error


async def test_without_a_live_token_graphql_answers_401():
    async with running() as upwork:
        for headers in ({"Authorization": ""}, {"Authorization": "Bearer oauth2v2_nope"}):
            assert await upwork.post_graphql({"query": "{ user { id } }"}, **headers) == (
                401,
                {"message": "Authentication failed"},
            )


async def test_access_tokens_die_after_a_day_and_by_control():
    async with running() as upwork:
        assert await upwork.data("{ user { id } }")
        await upwork.control("clock", {"advance": 86_401})
        assert (await upwork.post_graphql({"query": "{ user { id } }"}))[0] == 401
        await upwork.sign_in()
        _, tokens = await exchange(upwork, (await code_of(upwork))["code"][0])
        await upwork.control("tokens/expire")
        assert (await upwork.post_graphql({"query": "{ user { id } }"}))[0] == 401
        assert (await refresh(upwork, tokens["refresh_token"]))[0] == 200
        await upwork.control("tokens/revoke")
        assert (await refresh(upwork, tokens["refresh_token"]))[0] == 400
