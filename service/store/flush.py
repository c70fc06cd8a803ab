"""Flushing gathered work to Postgres over a line of its own; a culprit is found by halves."""

import base64
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from service.ports import Appended, Delivery
from service.store.arrivals import LEASE, Arrivals, bucket_of_delivery, delivery_id
from service.store.errors import StoreUnavailable, translated
from service.store.lines import Line
from service.store.rows import delivery_given
from service.store.statements import sql

if TYPE_CHECKING:
    from service.store.lines import Connection

Item = TypeVar("Item")
Result = TypeVar("Result")


async def by_halves(
    items: Sequence[Item], send: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]]
) -> Sequence[Result | Exception]:
    """Send all at once; when that fails, each half alone, until only the culprits have failed.

    A store that is away fails them all at once.
    """
    try:
        return list(await send(items))
    except Exception as error:
        problem = translated(error)
        if isinstance(problem, StoreUnavailable):
            return [StoreUnavailable(**problem.fields) for _ in items]
        if len(items) == 1:
            return [problem]
    middle = len(items) // 2
    return [*await by_halves(items[:middle], send), *await by_halves(items[middle:], send)]


class AppendFlush:
    """Sends commands (see `rows.command`) to ``coverd.append_batch``."""

    def __init__(self, line: Line, clock: Callable[[], datetime]) -> None:
        self._line = line
        self._clock = clock

    async def __call__(self, commands: Sequence[dict[str, Any]]) -> Sequence[Appended | Exception]:
        return await by_halves(commands, self._send)

    async def _send(self, commands: Sequence[dict[str, Any]]) -> Sequence[Appended]:
        given = [{"ordinal": ordinal, **command} for ordinal, command in enumerate(commands)]
        batch, now = orjson.dumps(given).decode(), self._clock()
        rows = await self._line.run(lambda connection: connection.fetch(sql("append"), batch, now))
        ordered = sorted(rows, key=lambda row: int(row["ordinal"]))
        return [Appended(row["outcome"], row["version"]) for row in ordered]


class ReceiveFlush:
    """Keeps deliveries; answers each with its id and whether it is new."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._arrivals = Arrivals()

    async def __call__(self, deliveries: Sequence[Delivery]) -> Sequence[tuple[str, bool] | Exception]:
        return await by_halves(deliveries, self._send)

    async def _send(self, deliveries: Sequence[Delivery]) -> Sequence[tuple[str, bool]]:
        given = arriving(deliveries, self._arrivals)
        return await self._line.run(lambda connection: receive(connection, given))


def arriving(deliveries: Sequence[Delivery], arrivals: Arrivals) -> list[dict[str, Any]]:
    """Deliveries as ``receive.sql`` takes them, each with an arrival of its own."""
    return [
        {
            "ordinal": ordinal,
            "bucket": bucket_of_delivery(delivery),
            "arrival": arrivals.next(delivery.received_at),
            "body": base64.b64encode(delivery.body).decode(),
            "received_at": delivery.received_at,
            "wake_at": delivery.received_at + LEASE,
            **delivery_given(delivery),
        }
        for ordinal, delivery in enumerate(deliveries)
    ]


async def receive(connection: "Connection", given: Sequence[dict[str, Any]]) -> Sequence[tuple[str, bool]]:
    """Keep the new ones; the id of each and whether it is new."""
    new = {row["ordinal"] for row in await connection.fetch(sql("receive"), orjson.dumps(given).decode())}
    answers = []
    for one in given:
        place = one["bucket"], one["arrival"]
        if one["ordinal"] not in new:
            keys = one["bucket"], one["source"], one["dedupe"], one["also_bucket"], one["also"]
            first = await connection.fetchrow(sql("arrival_of"), *keys)
            if first is None:
                raise StoreUnavailable(why="what a delivery doubles was gone a moment later")
            place = first["bucket"], first["arrival"]
        # The place is ours also where an earlier try got through and its answer was lost.
        answers.append((delivery_id(*place), place == (one["bucket"], one["arrival"])))
    return answers
