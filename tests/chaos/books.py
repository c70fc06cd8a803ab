"""The books after the storm: what was accepted is stored once, what was wanted is done once."""

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

import asyncpg
import orjson
from vendor_record import Records

from chaos import log_books
from chaos.balancer import Balancer
from chaos.patient import Patient
from chaos.report import Report
from chaos.world import World


async def close(
    report: Report, world: World, drive: Patient, front: Balancer, lives: dict[str, tuple[str, str]]
) -> None:
    """Fill in the report. ``lives``: engagement id → its kind and the state it must be in."""
    connection = await asyncpg.connect(world.database_url)
    try:
        await _deliveries(report, connection, front)
        await _effects(report, connection)
        await log_books.close(report, connection)
    finally:
        await connection.close()
    await _states(report, drive, lives)
    await _vendors(report, drive)
    code, told = await world.coverd("verify")
    if code != 0:
        report.complaints.append(f"the log does not verify: {told.decode()[-300:]}")


async def _deliveries(report: Report, connection: Any, front: Balancer) -> None:
    """By the body's own id; what was found by asking first is the same delivery when its webhook comes."""
    rows = await connection.fetch(
        "SELECT source, body, outcome, verdict, received_at, processed_at FROM coverd.inbox"
    )
    stored = Counter((row["source"], str(orjson.loads(row["body"]).get("id"))) for row in rows)
    report.accepted, report.refused = len(front.accepted), front.refused
    report.slowest_refusal = front.slowest_refusal
    report.stored = sum(stored[delivery] == 1 for delivery in front.accepted)
    report.polled = sum(row["verdict"] == "polled" for row in rows)
    report.processed_after = _usual_and_most(rows, "received_at", "processed_at")
    for delivery in sorted(front.accepted):
        if stored[delivery] != 1:
            source, id = delivery
            report.complaints.append(f"{id} of {source} was accepted and is stored {stored[delivery]} times")
    for row in rows:
        if row["outcome"] not in ("applied", "quiet"):
            report.complaints.append(f"a delivery of {row['source']} came to nothing: {row['outcome']}")


def _usual_and_most(rows: Sequence[Any], begun: str, ended: str) -> tuple[float, float]:
    took = [(row[ended] - row[begun]).total_seconds() for row in rows if row[ended]]
    return (median(took), max(took)) if took else (0.0, 0.0)


async def _effects(report: Report, connection: Any) -> None:
    rows = await connection.fetch(
        "SELECT stream_id, kind, result, attempt, parked_at, last_error, created_at, done_at"
        " FROM coverd.effect"
    )
    calls = [row for row in rows if row["kind"] not in ("WakeUp", "WatchDeadline")]
    report.wanted = len(calls)
    report.done = sum(row["result"] == "done" for row in calls)
    report.tries = sum(row["attempt"] for row in calls)
    report.called_after = _usual_and_most(calls, "created_at", "done_at")
    for row in calls:
        named = f"{row['kind']} of {row['stream_id']}"
        if row["parked_at"] is not None:
            report.complaints.append(f"{named} was given up: {row['last_error']}")
        elif row["result"] is None:
            report.complaints.append(f"{named} is not done yet: {row['last_error']}")


async def _states(report: Report, drive: Patient, lives: dict[str, tuple[str, str]]) -> None:
    for id, (kind, expected) in lives.items():
        shown = await drive.service.find(f"/v1/engagements/{id}")
        state = shown and shown["state"]
        if state == expected:
            report.right += 1
        else:
            report.complaints.append(f"{id} ({kind}) is {state} and must be {expected}")


async def _vendors(report: Report, drive: Patient) -> None:
    """No object at the vendor exists twice for what it is for."""
    held = Records(
        await drive.upwork.get("/_control/objects"), await drive.ten99policy.get("/_control/objects")
    )
    for name, twice in held.doubled().items():
        report.doubled += len(twice)
        report.complaints.append(f"{len(twice)} {name} exist twice: {twice[:3]}")
    keys = (await drive.ten99policy.get("/_control/calls"))["by_idempotency_key"]
    report.keys, report.calls = len(keys), sum(seen["count"] for seen in keys.values())
