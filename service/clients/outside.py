"""The way to hosts that somebody else names: public addresses only, and what was judged is what is used.

A name is resolved once, by the connector that then connects to just those addresses, so that a name cannot
answer one thing when it is checked and another when it is called.
"""

import socket
from ipaddress import ip_address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver


class NotPublic(OSError):
    """The name leads into a private network."""


class PublicResolver(AbstractResolver):
    """Resolves as ``names`` does, and refuses a name that leads anywhere but to public addresses."""

    def __init__(self, names: AbstractResolver | None = None) -> None:
        self._names = names or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises `NotPublic`, or OSError where the name is not known."""
        found = await self._names.resolve(host, port, family)
        if not all(is_public(result["host"]) for result in found):
            raise NotPublic(f"{host} leads to an address that is not public")
        return found

    async def close(self) -> None:
        await self._names.close()


def is_public(address: str) -> bool:
    """Whether this IP address can be reached over the internet; False for what is no address."""
    try:
        told = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = getattr(told, "ipv4_mapped", None) or getattr(told, "sixtofour", None) or told
    return bool(told.is_global and inner.is_global and not told.is_multicast)


def is_address(host: str) -> bool:
    """Whether a URL's host is an IP address and no name: no resolver is asked for it."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def outside_session(names: AbstractResolver | None = None) -> aiohttp.ClientSession:
    """A session of its own for such hosts: without cookies, without the environment's proxies."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=PublicResolver(names), limit=8),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )
