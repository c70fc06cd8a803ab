"""Keeping deliveries: many in one statement, and the first that came of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from service.ports import Delivery
from service.store.arrivals import LEASE, Arrivals, delivery_id
from service.store.errors import StoreUnavailable, translated
from service.store.flush import by_halves
from service.store.limits import clean
from service.store.lines import Line
from service.store.rows import text
from service.store.statements import sql

if TYPE_CHECKING:
    from service.store.lines import Connection


AT_ONCE = timedelta(0)


class Arriving(NamedTuple):
    """A delivery to be kept, ``leased`` to the process that received it or free for any."""

    delivery: Delivery
    leased: bool = True


@dataclass(frozen=True, slots=True)
class Given:
    """Deliveries as ``receive.sql`` takes them: all bodies in one, and columns of text."""

    bodies: bytes
    due_in: timedelta
    """How long after it was received others may process each."""
    arrivals: list[str]
    sources: list[str]
    keys: list[str]
    other_keys: list[str | None]
    more: tuple[list[str], ...]
    """Where each body ends, how long it is, headers, verdict, when received."""


class ReceiveFlush:
    """Keeps deliveries; answers each with its id and whether it is new.

    ``refused`` hears the size of the largest body among those that the store could not take.
    """

    def __init__(self, line: Line, refused: Callable[[int], None]) -> None:
        self._line = line
        self._refused = refused
        self._arrivals = Arrivals()

    async def __call__(self, arrived: Sequence[Arriving]) -> Sequence[tuple[str, bool] | Exception]:
        return await by_halves(arrived, self._send)

    async def _send(self, arrived: Sequence[Arriving]) -> Sequence[tuple[str, bool]]:
        given = arriving(arrived, self._arrivals)
        try:
            return await self._line.run(lambda connection: receive(connection, given))
        except Exception as error:
            if isinstance(translated(error), StoreUnavailable):
                self._refused(max(len(one.delivery.body) for one in arrived))
            raise


def arriving(arrived: Sequence[Arriving], arrivals: Arrivals) -> Given:
    """Each gets an arrival of its own. Free for any are all where one is: twice processed is once done."""
    deliveries = [one.delivery for one in arrived]
    sizes = [len(delivery.body) for delivery in deliveries]
    return Given(
        b"".join([delivery.body for delivery in deliveries]),
        LEASE if all(one.leased for one in arrived) else AT_ONCE,
        [arrivals.next(delivery.received_at) for delivery in deliveries],
        [delivery.source for delivery in deliveries],
        [delivery.dedupe for delivery in deliveries],
        [delivery.also for delivery in deliveries],
        (
            [str(end) for end in accumulate(sizes)],
            [str(size) for size in sizes],
            [text(delivery.headers) for delivery in deliveries],
            [clean(delivery.verdict) or "" for delivery in deliveries],
            [delivery.received_at.isoformat() for delivery in deliveries],
        ),
    )


async def receive(connection: "Connection", given: Given) -> Sequence[tuple[str, bool]]:
    """Keep the new ones; the id of each and whether it is new."""
    columns = given.arrivals, given.sources, given.keys, given.other_keys, *given.more
    rows = await connection.fetch(sql("receive"), given.bodies, given.due_in, *columns)
    kept = {row["arrival"].hex: row["bucket"] for row in rows}
    rest = [n for n, arrival in enumerate(given.arrivals) if arrival not in kept]
    # One that was kept by a try whose answer was lost is found with the arrival it got then.
    first = await _first(connection, given, rest) if rest else {}
    return [
        (delivery_id(kept[arrival], arrival), True)
        if arrival in kept
        else (delivery_id(*first[n]), first[n][1] == arrival)
        for n, arrival in enumerate(given.arrivals)
    ]


async def _first(connection: "Connection", given: Given, rest: list[int]) -> dict[int, tuple[int, str]]:
    """Bucket and arrival of those that came first, where they were here already."""
    columns = ([column[n] for n in rest] for column in (given.sources, given.keys, given.other_keys))
    rows = await connection.fetch(sql("arrivals_of"), *columns)
    if len(rows) < len(rest):
        raise StoreUnavailable(why="what a delivery doubles was gone a moment later")
    return {rest[row["ordinal"] - 1]: (row["bucket"], row["arrival"].hex) for row in rows}
