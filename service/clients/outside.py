"""The way to hosts that somebody else names: public addresses only, and what was judged is what is used.

A name is resolved once, by the connector that then connects to just those addresses, so that a name cannot
answer one thing when it is checked and another when it is called.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

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
    if inner := _within(told):
        return is_public(str(inner))
    given_out = isinstance(told, IPv4Address) or told in UNICAST
    return given_out and told.is_global and not told.is_multicast


UNICAST = ip_network("2000::/3")
"""All of IPv6 that is given out to the internet (RFC 4291)."""

NAT64 = ip_network("64:ff9b::/96")
"""Under this a gateway reaches IPv4 (RFC 6052)."""


def _within(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to."""
    if isinstance(address, IPv4Address):
        return None
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


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
