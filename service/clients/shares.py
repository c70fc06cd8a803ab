"""What each of several questions that were asked in one request is told of its answer."""

from service.clients.aliases import prefix, share
from service.clients.graphql import Found
from service.clients.http import CredentialsRefused, TooLong, VendorRefused

Told = Found | Exception


class Apart(Exception):
    """Another one asked in the same request may be at fault: to be asked again, with ``most`` at most."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most


def shares(said: Told, size: int) -> list[Told]:
    """What each of ``size`` questions is told of the one answer.

    Errors with a path are for whom they are about. Where nothing came because of them, as a field failed that
    may not be null, the others are asked again; so is one of whom the answer says nothing at all.
    """
    if size == 1 or isinstance(said, Exception):
        return [said] * size
    own = [_own(said, number) for number in range(size)]
    of_all = tuple(fault for fault in said.faults if fault.beyond_scope)
    if of_all and not said.whole:
        return [one if one.faults else Found({}, of_all, False, said.retry_after) for one in own]
    return [one if one.data or one.faults else Apart(size // 2) for one in own]


def _own(said: Found, number: int) -> Found:
    """The part of one; errors without a path are everybody's."""
    mine = prefix(number)
    faults = tuple(
        fault for fault in said.faults if (said.whole if fault.root is None else fault.root.startswith(mine))
    )
    return Found(share(said.data, number), faults, said.whole, said.retry_after)


def in_doubt(said: Told) -> bool:
    """Refused as a whole: for its document, for what was asked in it, or because there was so much of it."""
    if isinstance(said, Found):
        return not said.whole and any(fault.invalid_document for fault in said.faults)
    return isinstance(said, TooLong) or (isinstance(said, VendorRefused) and said.status != 401)


def first_told(alone: Told, size: int) -> list[Told]:
    """``alone`` is what the first was told when it was asked by itself: for all, unless it is about that."""
    if isinstance(alone, Found):
        of_all = not alone.whole and any(f.invalid_document or f.beyond_scope for f in alone.faults)
    else:
        of_all = isinstance(alone, CredentialsRefused) or not isinstance(alone, TooLong | VendorRefused)
    return [alone] * size if of_all else [alone, *(Apart(size // 2) for _ in range(size - 1))]


def too_many(told: list[Told]) -> bool:
    """Nobody was told anything but perhaps the first, who is not at fault."""
    first, *others = told
    blameless = isinstance(first, Apart) or (isinstance(first, Found) and first.whole)
    return bool(others) and blameless and all(isinstance(one, Apart) for one in others)
