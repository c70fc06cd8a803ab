"""Contracts read several at a time, where one may spoil the answer for all of them."""

from collections.abc import Awaitable, Callable, Sequence

from service.clients.http import CredentialsRefused, VendorRefused
from service.clients.rows import ContractRow
from service.poll.report import Unread
from service.sources import UPWORK

Read = Callable[[Sequence[str]], Awaitable[list[ContractRow]]]


async def shown(read: Read, ids: Sequence[str], unread: list[Unread]) -> list[ContractRow]:
    """Those that Upwork shows; where it refuses them together, each is asked for alone, and what it refuses
    then goes to ``unread``. Raises `VendorRefused` where that would be all of them."""
    try:
        return await read(ids)
    except CredentialsRefused:
        raise
    except VendorRefused:
        if len(ids) == 1:
            raise
    return await _one_by_one(read, ids, unread)


async def _one_by_one(read: Read, ids: Sequence[str], unread: list[Unread]) -> list[ContractRow]:
    found: list[ContractRow] = []
    refusals: dict[str, VendorRefused] = {}
    for id in ids:
        try:
            found += await read([id])
        except CredentialsRefused:
            raise
        except VendorRefused as refused:
            refusals[id] = refused
    if len(refusals) == len(ids):
        raise refusals[ids[0]]
    unread += [Unread(UPWORK, f"contract {id}", str(why), why.plain) for id, why in refusals.items()]
    return found
