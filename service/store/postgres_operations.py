"""What people asked for that concerns no single engagement, in Postgres."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from domain.ids import bucket_of
from service.clock import EVER_AFTER
from service.ports import Operation
from service.store import rows
from service.store.limits import clean, storable
from service.store.tables import Tables


class PostgresOperations(Tables):
    """See `service.ports.Store`."""

    async def begin_operation(self, operation: Operation) -> Operation:
        await self._value(
            "begin_operation",
            bucket_of(operation.id),
            operation.id,
            operation.act,
            operation.actor,
            clean(operation.reason),
            rows.text(operation.asked),
            rows.text(operation.targets),
            operation.matched,
            operation.began_at,
        )
        return await self.operation(operation.id) or operation

    async def end_operation(self, operation_id: str, result: dict[str, Any]) -> None:
        bucket, told = bucket_of(operation_id), rows.text(result)
        await self._value("end_operation", bucket, operation_id, self._clock(), told)

    async def operation(self, operation_id: str) -> Operation | None:
        if not storable(operation_id):
            return None
        row = await self._row("operation", bucket_of(operation_id), operation_id)
        return rows.operation(row) if row else None

    async def operations(
        self, act: str | None = None, before: tuple[datetime, str] | None = None, limit: int = 50
    ) -> Sequence[Operation]:
        found = await self._rows("operations", act, *(before or (EVER_AFTER, "")), limit)
        return [rows.operation(row) for row in found]
