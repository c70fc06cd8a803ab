"""Contracts read several at a time, where one may spoil the answer for all of them."""

from collections.abc import Awaitable, Callable, Sequence

from service.clients.http import CredentialsRefused, VendorRefused, VendorUnavailable
from service.clients.rows import ContractRow
from service.poll.report import Unread
from service.sources import UPWORK

Read = Callable[[Sequence[str]], Awaitable[list[ContractRow]]]

AT_MOST = 3
"""So many that fail one after the other are not spoilt by one contract each."""


async def shown(read: Read, ids: Sequence[str], unread: list[Unread]) -> list[ContractRow]:
    """Those that Upwork shows; where it does not show them together, each is asked for alone, and what it
    does not show then goes to ``unread``. Raises its error where none is shown, or several in a row fail."""
    try:
        return await read(ids)
    except (VendorRefused, VendorUnavailable) as error:
        if len(ids) == 1 or not _may_be_of_one(error):
            raise
    return await _one_by_one(read, ids, unread)


def _may_be_of_one(error: VendorRefused | VendorUnavailable) -> bool:
    """A refusal, but not of our key; or a failure that the server itself tells of."""
    if isinstance(error, VendorRefused):
        return not isinstance(error, CredentialsRefused)
    return error.status in (200, 500)


async def _one_by_one(read: Read, ids: Sequence[str], unread: list[Unread]) -> list[ContractRow]:
    found: list[ContractRow] = []
    failed: dict[str, VendorRefused | VendorUnavailable] = {}
    in_a_row = 0
    for id in ids:
        try:
            found += await read([id])
            in_a_row = 0
        except (VendorRefused, VendorUnavailable) as error:
            failed[id] = error
            in_a_row += isinstance(error, VendorUnavailable)
            if not _may_be_of_one(error) or in_a_row == AT_MOST or len(failed) == len(ids):
                raise
    unread += [Unread(UPWORK, f"contract {id}", str(why), why.plain) for id, why in failed.items()]
    return found
