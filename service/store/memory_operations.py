"""What people asked for that concerns no single engagement, in memory."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from service.ports import Operation


class MemoryOperations:
    """See `service.ports.Store`."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._operations: dict[str, Operation] = {}

    async def begin_operation(self, operation: Operation) -> Operation:
        return self._operations.setdefault(operation.id, operation)

    async def end_operation(self, operation_id: str, result: dict[str, Any]) -> None:
        known = self._operations[operation_id]
        if known.ended_at is None:
            self._operations[operation_id] = replace(known, ended_at=self._clock(), result=result)

    async def operation(self, operation_id: str) -> Operation | None:
        return self._operations.get(operation_id)

    async def operations(
        self, act: str | None = None, before: tuple[datetime, str] | None = None, limit: int = 50
    ) -> Sequence[Operation]:
        newest_first = sorted(self._operations.values(), key=lambda o: (o.began_at, o.id), reverse=True)
        found = [
            o
            for o in newest_first
            if act in (None, o.act) and (before is None or (o.began_at, o.id) < before)
        ]
        return found[:limit]
