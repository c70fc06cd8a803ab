"""Upwork's own Python library drives the sandbox (fact sheet 12)."""

import asyncio
import time
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import upwork
import upwork.upwork as hosts
from upwork.routers import graphql
from upwork_driver import running

CONFIG = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
TITLE = {"query": "query T($id: ID!) { contract(id: $id) { title } }", "variables": {"id": "9001"}}
FRONTEND = {"data": {"contract": {"title": "Frontend Developer"}}}


@pytest.fixture
def point(monkeypatch):
    """Point the library at a local server; the refresh URL is fixed when a Client is built."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")

    def to(base: str) -> None:
        monkeypatch.setattr(hosts, "BASE_HOST", base)
        monkeypatch.setattr(hosts, "GQL_EPOINT", f"{base}/graphql")

    return to


def ask(client: upwork.Client):
    return graphql.Api(client).execute(TITLE)


async def test_client_credentials(point):
    def drive():
        client = upwork.Client(upwork.Config({**CONFIG, "grant_type": "client_credentials"}))
        token = client.get_access_token()
        client.set_org_uid_header("1181921839933591552")
        return token, ask(client)

    async with running() as sandbox:
        point(sandbox.base)
        token, answer = await asyncio.to_thread(drive)
        assert token["access_token"].startswith("oauth2v2_")
        assert answer == FRONTEND


async def test_authorization_code(point):
    def drive():
        client = upwork.Client(upwork.Config({**CONFIG, "redirect_uri": "https://your.app/oauth"}))
        url, state = client.get_authorization_url()
        back = requests.get(url, allow_redirects=False, timeout=5).headers["Location"]
        assert parse_qs(urlsplit(back).query)["state"] == [state]
        client.get_access_token(back)
        return ask(client)

    async with running() as sandbox:
        point(sandbox.base)
        assert await asyncio.to_thread(drive) == FRONTEND


async def test_an_expired_token_is_refreshed_in_the_middle_of_a_call(point):
    def drive():
        first = upwork.Client(upwork.Config({**CONFIG, "redirect_uri": "https://your.app/oauth"}))
        url, _ = first.get_authorization_url()
        back = requests.get(url, allow_redirects=False, timeout=5).headers["Location"]
        token = {**first.get_access_token(back), "expires_at": time.time() - 10}
        client = upwork.Client(upwork.Config({**CONFIG, "token": token}))
        return token, ask(client), client.get_actual_config().token

    async with running() as sandbox:
        point(sandbox.base)
        old, answer, new = await asyncio.to_thread(drive)
        assert answer == FRONTEND
        assert new["access_token"] != old["access_token"]
        assert new["refresh_token"] != old["refresh_token"]


async def test_an_error_reaches_the_caller_as_json(point):
    def drive():
        client = upwork.Client(upwork.Config({**CONFIG, "grant_type": "client_credentials"}))
        client.get_access_token()
        return graphql.Api(client).execute({"query": "{ nothing }"})

    async with running() as sandbox:
        point(sandbox.base)
        answer = await asyncio.to_thread(drive)
        assert answer["errors"][0]["extensions"]["classification"] == "ValidationError"
