"""Downloads from hosts that somebody else names never reach into our own network."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer
from vendor_double import PROOF

from service.clients.http import VendorRefused, VendorUnavailable
from service.clients.outside import NotPublic, PublicResolver, is_public, outside_session
from service.clients.upwork import Upwork
from service.settings import Secret, UpworkSettings


class Names(AbstractResolver):
    """What each name leads to, in turn: a name may answer otherwise the next time."""

    def __init__(self, **led: list[list[str]]) -> None:
        self.led = {name.replace("_", "."): list(answers) for name, answers in led.items()}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        answers = self.led.get(host)
        if not answers:
            raise OSError("no such name")
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(hostname=host, host=a, port=port, family=socket.AF_INET, proto=0, flags=0)
            for a in addresses
        ]

    async def close(self) -> None: ...


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "2002:7f00:1::"),
        *("::ffff:10.0.0.1", "2001:db8::1", "", "upwork.com", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
        *("2001:0:7f00:1::", "64:ff9b:1::1", "::7f00:1", "0177.0.0.1", "2130706433"),
    ],
)
def test_what_is_not_on_the_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:4700::6810:85e5", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"]
)
def test_what_is_on_the_internet_is(address: str) -> None:
    assert is_public(address)


async def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    resolver = PublicResolver(Names(files_example=[["93.184.215.14", "10.0.0.1"]]))
    with pytest.raises(NotPublic):
        await resolver.resolve("files.example", 443)


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[int, list[str]]]:
    """Something of ours on loopback, and who asked it."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(body=b"%PDF-1.7 secret")

    app = web.Application()
    app.router.add_get("/{any:.*}", answer)
    async with TestServer(app) as server:
        assert server.port is not None
        yield server.port, asked


async def fetched(url: str, names: Names, allowed: tuple[str, ...]) -> Any:
    settings = UpworkSettings(
        url="https://api.upwork.com",
        token_url="https://www.upwork.com",
        client_id="c",
        client_secret=Secret("s"),
        tenant_id=None,
        dialect="guide",
        proof=PROOF,
    )
    async with aiohttp.ClientSession() as session, outside_session(names) as outside:
        try:
            return await Upwork(session, settings, outside=outside).download(url, allowed)
        except (VendorRefused, VendorUnavailable) as error:
            return error


@pytest.mark.parametrize("leads", ["127.0.0.1", "10.0.0.1", "169.254.169.254"])
async def test_an_allowed_name_that_leads_inside_is_refused_for_good(leads: str) -> None:
    async with listening() as (port, asked):
        names = Names(files_example=[[leads]])
        error = await fetched(f"https://files.example:{port}/at_1", names, ("files.example",))
    assert isinstance(error, VendorRefused)
    assert "not public" in str(error)
    assert (names.asked, asked) == (["files.example"], [])


async def test_a_name_is_resolved_once_so_it_cannot_change_its_mind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judged well, and leading inside when it is asked again: the connection goes to what was judged."""
    monkeypatch.setattr("service.clients.outside.is_public", lambda address: address == "127.0.0.2")
    async with listening() as (port, asked):
        names = Names(files_example=[["127.0.0.2"], ["127.0.0.1"]])
        error = await fetched(f"https://files.example:{port}/at_1", names, ("files.example",))
    assert isinstance(error, VendorUnavailable), "nothing listens on 127.0.0.2"
    assert (names.asked, asked) == (["files.example"], [])


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "169.254.169.254", "10.0.0.1"])
async def test_an_address_that_was_allowed_by_mistake_is_refused_when_it_is_private(host: str) -> None:
    async with listening() as (port, asked):
        error = await fetched(f"https://{host}:{port}/at_1", Names(), (host.strip("[]"),))
    assert isinstance(error, VendorRefused)
    assert asked == []


async def test_a_name_nobody_knows_is_worth_another_try() -> None:
    assert isinstance(
        await fetched("https://files.example/at_1", Names(), ("files.example",)), VendorUnavailable
    )
