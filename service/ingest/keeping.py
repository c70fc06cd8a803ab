"""Keeping deliveries while their senders wait, no longer than a sender should wait."""

import asyncio
from collections.abc import Callable

from service.ingest.process import Processor
from service.ports import Delivery, Store
from service.store.deadline import Deadlines
from service.store.errors import StoreUnavailable

ANSWER_SECONDS = 0.8
"""How long a sender waits for the store at most; then it is told to come again."""

UNCONFIRMED = 10_000
"""How many deliveries whose senders were told so are remembered until they come again."""

Kept = tuple[str, bool]
"""A delivery's id, and whether its sender hears for the first time that it is here."""

Then = Callable[[Kept | Exception], None]


class Keeper:
    """Commits deliveries, and has what is new processed in this process as far as there is room."""

    def __init__(self, store: Store, processor: Processor) -> None:
        self._store = store
        self._processor = processor
        self._deadlines = Deadlines(ANSWER_SECONDS)
        self._unconfirmed: dict[tuple[str, str], None] = {}

    def keep(self, delivery: Delivery, then: Then) -> None:
        """Tell ``then``, once, what became of it, or why nobody can say that it was kept: `StoreUnavailable`
        after `ANSWER_SECONDS` at the latest. Raises `NotStorable`."""
        leased = self._processor.has_room
        keeping = asyncio.ensure_future(self._store.receive(delivery, leased=leased))
        waiting = _Waiting(delivery, leased, then, self)
        keeping.add_done_callback(waiting.ended)
        self._deadlines.watch(waiting)

    async def kept(self, delivery: Delivery) -> Kept:
        """The same for whoever awaits it."""
        answer: asyncio.Future[Kept] = asyncio.get_running_loop().create_future()

        def then(kept: Kept | Exception) -> None:
            if answer.done():
                return
            if isinstance(kept, Exception):
                answer.set_exception(kept)
            else:
                answer.set_result(kept)

        self.keep(delivery, then)
        return await answer

    def confirmed(self, delivery: Delivery, leased: bool, delivery_id: str, new: bool) -> Kept:
        key = delivery.source, delivery.dedupe
        if key in self._unconfirmed:
            del self._unconfirmed[key]
            new = True
        if new and leased:
            self._processor.take(delivery_id, delivery)
        return delivery_id, new

    def unconfirmed(self, delivery: Delivery) -> None:
        """It may have been kept all the same: brought again, it counts as brought for the first time."""
        self._unconfirmed[delivery.source, delivery.dedupe] = None
        if len(self._unconfirmed) > UNCONFIRMED:
            del self._unconfirmed[next(iter(self._unconfirmed))]


class _Waiting:
    """A sender who waits for its delivery to be kept."""

    __slots__ = ("_delivery", "_keeper", "_leased", "_then", "done")

    def __init__(self, delivery: Delivery, leased: bool, then: Then, keeper: Keeper) -> None:
        self._delivery = delivery
        self._leased = leased
        self._then = then
        self._keeper = keeper
        self.done = False

    def ended(self, keeping: "asyncio.Future[Kept]") -> None:
        error = StoreUnavailable(why="it was stopped") if keeping.cancelled() else keeping.exception()
        if self.done:
            return
        if isinstance(error, Exception):
            self._failed(error)
        else:
            self.done = True
            self._then(self._keeper.confirmed(self._delivery, self._leased, *keeping.result()))

    def late(self) -> None:
        self._failed(StoreUnavailable(why=f"it was silent for {ANSWER_SECONDS} s"))

    def _failed(self, error: Exception) -> None:
        self.done = True
        if isinstance(error, StoreUnavailable):
            self._keeper.unconfirmed(self._delivery)
        self._then(error)
