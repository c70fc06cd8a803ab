"""Tokens: who may do what, made and revoked while the service runs, kept as hashes, each with its limit."""

import asyncio
import os
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aiohttp
import asyncpg
import orjson
import pytest
from aiohttp.test_utils import unused_port
from places import ENOUGH, TOKEN, Answer, Place, PlaceMaker

from service import background
from service.api.tokens import Tokens
from service.compose import Tuning, serving
from service.config import EXAMPLE, ConfigFile
from service.settings import SANDBOX, ApiToken, SettingsRefused, read

SOON = Tuning(sweep_seconds=0.02)
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("COVERD_")}

Command = Callable[..., Any]


@pytest.fixture
def token(database_url: str) -> Command:
    """`coverd token …` in a process of its own; what it printed as JSON."""

    async def run(*arguments: str, code: int = 0, url: str = database_url) -> Any:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "service", "token", *arguments, "--json"),
            env={**ENVIRONMENT, "COVERD_DATABASE_URL": url},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode == code, err.decode()
        return orjson.loads(out) if code == 0 else err.decode()

    return run


def showing(token: str) -> dict[str, dict[str, str]]:
    return {"headers": {"Authorization": f"Bearer {token}"}}


async def until(place: Place, token: str, status: int) -> Answer:
    async with asyncio.timeout(ENOUGH):
        while (told := await place.ask("GET", "/v1/engagements", **showing(token))).status != status:
            pass
    return told


async def test_a_token_is_revoked_whatever_befell_the_looks_before(
    places: PlaceMaker, token: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look that failed in a way nobody foresaw is not the last one."""
    failed = asyncio.Event()
    look = Tokens.look

    async def fail_once(tokens: Tokens) -> None:
        if not failed.is_set():
            failed.set()
            raise LookupError
        await look(tokens)

    monkeypatch.setattr(background, "AGAIN_SECONDS", 0.01)
    made = await token("create", "--scope", "read")
    async with places(SOON) as place:
        await until(place, made["token"], 200)
        monkeypatch.setattr(Tokens, "look", fail_once)
        await asyncio.wait_for(failed.wait(), ENOUGH)
        await token("revoke", made["id"])
        await until(place, made["token"], 401)


async def test_a_token_opens_the_door_until_it_is_revoked(places: PlaceMaker, token: Command) -> None:
    async with places(SOON) as first, places(SOON) as second:
        assert (await first.ask("GET", "/v1/engagements")).status == 200, "open while there never was a token"
        made = await token("create", "--scope", "read", "--name", "the ledger's", "--expires", "90d")
        for place in (first, second):
            await until(place, "no token", 401)
            await until(place, made["token"], 200)
            assert (await place.ask("GET", "/v1/engagements")).problem["status"] == 401
        [listed] = await token("list")
        assert (listed["name"], listed["scope"], listed["state"]) == ("the ledger's", "read", "live")
        async with asyncio.timeout(ENOUGH):
            while listed["last_used_at"] is None:
                [listed] = await token("list")
        assert made["token"] not in str(listed)
        await token("revoke", made["id"])
        for place in (first, second):
            await until(place, made["token"], 401)
            assert (await place.ask("GET", "/v1/engagements")).status == 401, "it stays closed"


async def test_only_a_hash_is_kept(database_url: str, token: Command) -> None:
    made = await token("create", "--scope", "operate")
    conn = await asyncpg.connect(database_url)
    kept = await conn.fetch("SELECT api_token::text AS row FROM coverd.api_token")
    await conn.close()
    assert len(kept) == 1
    assert made["token"].removeprefix("cvd_") not in kept[0]["row"]
    assert len(made["token"]) > 40


@pytest.mark.parametrize(
    "expires", ["yesterday", "0d", "2020-01-01", "2020-01-01T00:00:00Z", "2999-01-01T00:00"]
)
async def test_a_time_gone_by_or_without_an_offset_is_no_end_of_a_token(token: Command, expires: str) -> None:
    assert "--expires" in await token("create", "--scope", "read", "--expires", expires, code=2)


@pytest.mark.parametrize("name", ["x" * 101, "two\nlines", "\x1b[31mred", "\udcff"], ids=ascii)
async def test_a_name_is_one_short_line(token: Command, name: str) -> None:
    assert "--name" in await token("create", "--scope", "read", "--name", name, code=2)


async def test_no_token_that_never_was_can_be_revoked(token: Command) -> None:
    assert "tk_nobody" in await token("revoke", "tk_nobody", code=1)


@pytest.mark.parametrize("id", ["\udcff", "x" * 5000, "cvd_a-token-pasted-by-mistake"], ids=ascii)
async def test_what_is_no_id_of_a_token_is_not_repeated(token: Command, id: str) -> None:
    assert "looks like tk_" in (said := await token("revoke", id, code=2))
    assert id not in said


async def test_who_serves_owns_nothing_and_can_make_no_token(
    places: PlaceMaker, database_url: str, token: Command
) -> None:
    conn = await asyncpg.connect(database_url)
    role = "serves_" + database_url.rpartition("/")[2]
    await conn.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'p' IN ROLE coverd_app")
    try:
        url = re.sub("//[^@]*@", f"//{role}:p@", database_url)
        async with places(COVERD_DATABASE_URL=url) as place:
            assert (await place.ask("POST", "/webhooks/upwork", data=b"{}", headers=TOKEN)).status == 202
            assert (await place.ask("GET", "/v1/attention")).status == 200
        assert await token("list", url=url) == []
        for command in (("create", "--scope", "read"), ("revoke", "tk_1")):
            assert "coverd migrate apply" in await token(*command, code=1, url=url)
    finally:
        await conn.execute(f"DROP ROLE {role}")
        await conn.close()


async def test_an_expired_token_opens_nothing(places: PlaceMaker, database_url: str, token: Command) -> None:
    made = await token("create", "--scope", "read", "--expires", "1h")
    conn = await asyncpg.connect(database_url)
    await conn.execute(
        "UPDATE coverd.api_token SET created_at = now() - interval '2 days',"
        " expires_at = now() - interval '1 day'"
    )
    await conn.close()
    async with places(SOON) as place:
        assert (await place.ask("GET", "/v1/engagements", **showing(made["token"]))).status == 401


SCOPES = "read:reader,operate:operator,audit:auditor,read:both,operate:both"


@pytest.mark.parametrize(
    ("shown", "reads", "writes"),
    [
        ("reader", 200, 403),
        ("auditor", 200, 403),
        ("operator", 200, 404),
        ("both", 200, 404),
        ("stranger", 401, 401),
        ("", 401, 401),
        ("reader ", 200, 403),
        ("READER", 401, 401),
        ("Bearer reader", 401, 401),
        ("é", 401, 401),
    ],
)
async def test_each_scope_does_its_own(places: PlaceMaker, shown: str, reads: int, writes: int) -> None:
    async with places(COVERD_API_TOKENS=SCOPES) as place:
        read = await place.ask("GET", "/v1/attention", **showing(shown))
        write = await place.ask("POST", "/v1/engagements/9/retry", json={"reason": "r"}, **showing(shown))
        assert (read.status, write.status) == (reads, writes)
        if reads == 401:
            assert read.headers["www-authenticate"] == "Bearer"


async def test_what_needs_no_token(places: PlaceMaker) -> None:
    async with places(COVERD_API_TOKENS=SCOPES) as place:
        for path in ("/livez", "/readyz", "/openapi.json", "/static/coverd.css", "/signin"):
            assert (await place.ask("GET", path)).status == 200
        for path in ("/metrics", "/", "/v1/feed", "/v1/deliveries", "/engagements/9", "/nowhere"):
            assert (await place.ask("GET", path)).problem["status"] == 401
        assert (await place.ask("POST", "/webhooks/upwork", data=b"{}", headers=TOKEN)).status == 202


async def test_basic_authentication_opens_nothing(places: PlaceMaker) -> None:
    """A browser would send it along with whatever another site makes it send."""
    async with places(COVERD_API_TOKENS=SCOPES) as place:
        told = await place.ask("GET", "/v1/attention", headers={"Authorization": "Basic eDpvcGVyYXRvcg=="})
        assert told.problem["status"] == 401


async def test_one_token_has_its_limit_and_another_its_own(places: PlaceMaker) -> None:
    async with places(COVERD_API_TOKENS=SCOPES, COVERD_RATE_PER_MINUTE="3") as place:
        asked = [await place.ask("GET", "/v1/attention", **showing("reader")) for _ in range(5)]
        assert [told.status for told in asked] == [200, 200, 200, 429, 429]
        assert asked[3].problem["detail"].startswith("This token may ask again in")
        assert 1 <= int(asked[3].headers["retry-after"]) <= 60
        assert (await place.ask("GET", "/v1/attention", **showing("auditor"))).status == 200
        assert (await place.ask("POST", "/webhooks/upwork", data=b"{}", headers=TOKEN)).status == 202


async def test_others_are_served_only_behind_a_token(places: PlaceMaker, token: Command) -> None:
    with pytest.raises(SettingsRefused, match="coverd token create"):
        async with places(COVERD_HOST="0.0.0.0"):
            raise AssertionError("it started")
    made = await token("create", "--scope", "audit")
    async with places(COVERD_HOST="0.0.0.0"):
        pass
    await token("revoke", made["id"])
    with pytest.raises(SettingsRefused):
        async with places(COVERD_HOST="0.0.0.0"):
            raise AssertionError("it started")


async def test_a_worker_tells_others_how_it_is_only_behind_a_token(database_url: str) -> None:
    given = {
        **SANDBOX,
        "COVERD_DATABASE_URL": database_url,
        "COVERD_HOST": "0.0.0.0",
        "COVERD_POLL_SECONDS": "0",
    }
    quiet = read(given)
    async with serving(quiet, ConfigFile(None, EXAMPLE), role="worker") as service:
        assert service.url is None
    telling = replace(quiet, metrics_port=unused_port())
    with pytest.raises(SettingsRefused, match="coverd token create"):
        async with serving(telling, ConfigFile(None, EXAMPLE), role="worker"):
            raise AssertionError("it started")
    async with serving(
        replace(telling, api_tokens=(ApiToken("read", b""),)), ConfigFile(None, EXAMPLE), role="worker"
    ):
        url = f"http://127.0.0.1:{telling.metrics_port}/metrics"
        async with aiohttp.ClientSession() as session, session.get(url) as told:
            assert told.status == 401
