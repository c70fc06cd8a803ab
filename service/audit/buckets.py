"""Looking through the whole log, many buckets at once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from service.store.chain import Fault
from service.store.log import ranges

AT_ONCE = 3
"""While Postgres sorts for one and reads for another, the third is looked at."""


async def over_all(
    heads: Mapping[int, int], look: Callable[[int, int], Awaitable[Sequence[Fault]]]
) -> list[Fault]:
    """What ``look`` finds in all buckets that have events, given how far each reaches; in their order."""
    left, found = iter(ranges(heads)), dict[int, Sequence[Fault]]()

    async def work() -> None:
        for first, last in left:
            found[first] = await look(first, last)

    ends = await asyncio.gather(*(work() for _ in range(AT_ONCE)), return_exceptions=True)
    for problem in ends:
        if problem is not None:
            raise problem
    return [fault for first in sorted(found) for fault in found[first]]
