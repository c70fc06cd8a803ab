"""What people ask of many at once: counted first, braked, written down, and done once per Idempotency-Key."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from msgspec import structs

from domain import commands as c
from domain.attention import UNMOVED_BY_RETRY, retryable
from domain.errors import CoverdError, Refused
from domain.ids import engagement_stream
from projections.attention_list import Retryable
from service.clock import Clock, epoch, rfc3339
from service.handle import Handler, Origin
from service.lists import ReadModels
from service.ports import UNSETTLED, Act, Operation, Store, StoredDelivery, Window
from service.store.errors import StoreUnavailable

AT_ONCE = 20
"""How many engagements or deliveries one request picks unless it asks for more."""

OTHERWISE = "This Idempotency-Key was used for something else; send this with its own."


@dataclass(frozen=True, slots=True)
class By:
    """Who asks and why; whoever sends the same ``key`` again asks for the same thing once more."""

    key: str
    actor: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Retry:
    """What to try again, the longest waiting first, on ``limit`` engagements at most."""

    code: str | None = None
    step: str | None = None
    since: datetime | None = None
    limit: int = AT_ONCE

    @property
    def filter(self) -> Retryable:
        return Retryable(sorted(UNMOVED_BY_RETRY), self.code, self.step, self.since)


@dataclass(frozen=True, slots=True)
class Replay:
    """Which deliveries to process again, the oldest first, ``limit`` behind ``after`` at most."""

    window: Window
    after: str | None = None
    limit: int = AT_ONCE


@dataclass(frozen=True, slots=True)
class Counted:
    """How many there are, and how many of them one request would pick."""

    matched: int
    picked: int


class Operator:
    """Each method may raise `StoreUnavailable`; the same key then goes on where it broke off.

    A key that served for something else is `Refused`.
    """

    def __init__(self, store: Store, handler: Handler, lists: ReadModels, clock: Clock) -> None:
        self._store = store
        self._handler = handler
        self._lists = lists
        self._clock = clock

    async def count_retry(self, asked: Retry) -> Counted:
        _, engagements = await self._lists.count_retryable(asked.filter)
        return Counted(engagements, min(engagements, asked.limit))

    async def retry(self, asked: Retry, by: By) -> tuple[Operation, bool]:
        """What came of it, and whether it is new."""

        async def pick() -> tuple[Sequence[Any], int]:
            _, matched = await self._lists.count_retryable(asked.filter)
            picked = await self._lists.retryable(asked.filter, asked.limit)
            return [[engagement_id, list(steps)] for engagement_id, steps in picked], matched

        return await self._once("retry", _plain(asked), by, pick, self._retry_each)

    async def _retry_each(self, operation: Operation) -> dict[str, Any]:
        told = {"retried": 0, "settled": 0, "failed": 0}
        cause = f"operation:{operation.id}"
        origin = Origin(cause, cause, operation.actor)
        for engagement_id, steps in operation.targets:
            try:
                left = retryable(await self._handler.load(engagement_id)).intersection(steps)
                command = c.RequestRetry(epoch(self._clock()), operation.reason or "", tuple(sorted(left)))
                new = left and (await self._handler.engagement(engagement_id, command, origin)).new
                done = new or await self._was_retried(engagement_id, cause)
                told["retried" if done else "settled"] += 1
            except StoreUnavailable:
                raise
            except CoverdError:
                told["failed"] += 1
        return told

    async def _was_retried(self, engagement_id: str, cause: str) -> bool:
        """Whether this operation had come so far before it was broken off."""
        history = await self._store.history(engagement_stream(engagement_id))
        return any(recorded.cause == cause for recorded in history)

    async def count_replay(self, asked: Replay) -> Counted:
        matched = await self._store.count_between(asked.window, asked.after)
        return Counted(matched, min(matched, asked.limit))

    async def replay(self, asked: Replay, by: By) -> tuple[Operation, bool]:
        """Make the deliveries due; the sweep takes them up in their order. What they caused before is not
        caused twice."""

        async def pick() -> tuple[Sequence[Any], int]:
            ids = await self._store.deliveries_between(asked.window, asked.after, asked.limit)
            return ids, await self._store.count_between(asked.window, asked.after)

        return await self._once("replay", _plain(asked), by, pick, self._replay_each)

    async def replay_one(self, delivery_id: str, by: By) -> tuple[Operation, bool]:
        async def pick() -> tuple[Sequence[Any], int]:
            return [delivery_id], 1

        return await self._once("replay", {"delivery": delivery_id}, by, pick, self._replay_each)

    async def _replay_each(self, operation: Operation) -> dict[str, Any]:
        replayed = 0
        for delivery_id in operation.targets:
            replayed += await self._store.replay_delivery(delivery_id)
        more = operation.matched > len(operation.targets)
        return {"replayed": replayed, "next": operation.targets[-1] if more else None}

    async def skip_delivery(self, delivery: StoredDelivery, by: By) -> tuple[Operation, bool]:
        """Leave one delivery as it is. Raises `Refused` when it waits for nobody."""
        if delivery.outcome not in UNSETTLED:
            raise Refused(reason="This delivery waits for nobody: there is nothing to skip.")

        async def pick() -> tuple[Sequence[Any], int]:
            return [delivery.id], 1

        async def skip(_: Operation) -> dict[str, Any]:
            return {"skipped": int(await self._store.skip_delivery(delivery.id))}

        return await self._once("skip", {"delivery": delivery.id}, by, pick, skip)

    async def _once(
        self,
        act: Act,
        asked: dict[str, Any],
        by: By,
        pick: Callable[[], Coroutine[Any, Any, tuple[Sequence[Any], int]]],
        do: Callable[[Operation], Coroutine[Any, Any, dict[str, Any]]],
    ) -> tuple[Operation, bool]:
        """Begin, or go on with what was picked when the same was first asked for."""
        operation = await self._store.operation(f"{act}:{by.key}")
        new = operation is None
        if operation is None:
            targets, matched = await pick()
            begun = Operation(
                f"{act}:{by.key}", act, by.actor, by.reason, asked, tuple(targets), matched, self._clock()
            )
            operation = await self._store.begin_operation(begun)
        if (operation.asked, operation.reason) != (asked, by.reason):
            raise Refused(reason=OTHERWISE)
        if operation.result is None:
            await self._store.end_operation(operation.id, await do(operation))
        return await self._store.operation(operation.id) or operation, new


def _plain(asked: Retry | Replay) -> dict[str, Any]:
    """What was asked for as JSON holds it, without what was left open."""
    given = asdict(asked)
    if isinstance(asked, Replay):
        given |= structs.asdict(given.pop("window"))
    shown = {name: rfc3339(v) if isinstance(v, datetime) else v for name, v in given.items()}
    return {name: value for name, value in shown.items() if value is not None}
