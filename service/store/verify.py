"""One pass over a bucket's log: every stream's chain of hashes, and that no position is missing."""

from typing import TYPE_CHECKING

from service.store import rows
from service.store.chain import Chain, Fault
from service.store.statements import sql

if TYPE_CHECKING:
    from service.store.lines import Connection

PAGE = 2000


async def verify_bucket(conn: "Connection", bucket: int) -> list[Fault]:
    """The first fault of every stream that has one, and a last one where positions are missing.

    For a fault of the bucket itself ``stream_id`` is empty and ``version`` 0. Holds the last hash of each of
    the bucket's streams, and sees all as it was when it began: an append meanwhile is no fault.
    """
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        heads = await conn.fetch(sql("streams_in"), bucket)
        numbered = await conn.fetchval(sql("numbered"), bucket) or 0
        chains: dict[str, Chain] = {}
        faults: dict[str, Fault] = {}
        count = last = 0
        cursor = await conn.cursor(sql("log"), bucket)
        while page := await cursor.fetch(PAGE):
            for row in page:
                _next(row, chains, faults)
            count, last = count + len(page), page[-1]["position"]
    for head in heads:
        chain = chains.pop(head["stream_id"], None) or Chain(head["stream_id"])
        if chain.stream_id not in faults and (fault := chain.end(head["version"], head["head_hash"])):
            faults[chain.stream_id] = fault
    for stream_id, chain in chains.items():
        faults.setdefault(stream_id, Fault(stream_id, chain.version, "it has events and no head"))
    found = [faults[stream_id] for stream_id in sorted(faults)]
    if not numbered == count == last:
        why = f"bucket {bucket} was numbered up to {numbered}, holds {count} events and the last is {last}"
        found.append(Fault("", 0, why))
    return found


def _next(row: rows.Row, chains: dict[str, Chain], faults: dict[str, Fault]) -> None:
    stream_id = row["stream_id"]
    chain = chains.get(stream_id)
    if chain is None:
        chain = chains[stream_id] = Chain(stream_id)
    fault = chain.next(rows.link(row))
    if fault is not None:
        faults.setdefault(stream_id, fault)
