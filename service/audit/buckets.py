"""Looking through the log bucket by bucket."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable

from service.store.chain import Fault

AT_ONCE = 2
"""While Postgres reads one bucket, another is looked through."""


async def over_all(buckets: Iterable[int], look: Callable[[int], AsyncIterator[Fault]]) -> list[Fault]:
    """What ``look`` finds in each, in the order of the buckets."""
    left, found = iter(buckets), dict[int, list[Fault]]()

    async def work() -> None:
        for bucket in left:
            found[bucket] = [fault async for fault in look(bucket)]

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())
    return [fault for bucket in sorted(found) for fault in found[bucket]]
