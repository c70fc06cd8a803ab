"""One pass over a bucket's log: every stream's chain of hashes, and that no position is missing."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from service.store import rows as store_rows
from service.store.chain import Chain, Fault
from service.store.statements import sql

if TYPE_CHECKING:
    import asyncpg

    from service.store.lines import Connection


class Verify:
    """Finds the first fault of every stream that has one, and last where positions are missing.

    For a fault of the bucket itself ``stream_id`` is empty and ``version`` 0. Holds the last hash of each of
    the bucket's streams.
    """

    def __init__(self, bucket: int) -> None:
        self._bucket = bucket
        self._chains: dict[str, Chain] = {}
        self._faults: dict[str, Fault] = {}
        self._count = self._last = 0

    def add(self, rows: "Iterable[asyncpg.Record]") -> None:
        for row in rows:
            stream_id = row["stream_id"]
            chain = self._chains.get(stream_id)
            if chain is None:
                chain = self._chains[stream_id] = Chain(stream_id)
            fault = chain.next(store_rows.link(row))
            if fault is not None:
                self._faults.setdefault(stream_id, fault)
            self._count += 1
            self._last = row["position"]

    async def end(self, conn: "Connection") -> list[Fault]:
        numbered = await conn.fetchval(sql("numbered"), self._bucket) or 0
        for head in await conn.fetch(sql("streams_in"), self._bucket):
            self._hold_against(head)
        for stream_id, chain in self._chains.items():
            self._faults.setdefault(stream_id, Fault(stream_id, chain.version, "it has events and no head"))
        found = [self._faults[stream_id] for stream_id in sorted(self._faults)]
        if not numbered == self._count == self._last:
            why = (
                f"bucket {self._bucket} was numbered up to {numbered}, holds {self._count} events"
                f" and the last is {self._last}"
            )
            found.append(Fault("", 0, why))
        return found

    def _hold_against(self, head: "asyncpg.Record") -> None:
        chain = self._chains.pop(head["stream_id"], None) or Chain(head["stream_id"])
        fault = chain.end(head["version"], head["head_hash"])
        if fault is not None:
            self._faults.setdefault(chain.stream_id, fault)
