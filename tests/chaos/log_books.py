"""The books of the database: the log and its feed without a hole, the lists like the log, nothing stuck."""

import asyncio
import time
from typing import Any

from chaos.report import Report

HOLES = """
SELECT seq FROM (SELECT seq, lag(seq, 1, 0::bigint) OVER (ORDER BY seq) AS before FROM coverd.feed) f
WHERE seq <> before + 1
"""
TWICE_TOLD = """
SELECT stream_id, type, count(*) AS times FROM coverd.event
WHERE type = ANY ('{ContractorReady,JobCreated,QuoteCreated,SessionOpened,AssignmentCreated,InvoiceRecorded}')
GROUP BY stream_id, type HAVING count(*) > 1
"""
OTHERWISE_LISTED = """
SELECT substr(s.stream_id, 12) AS id, s.state, l.state AS listed
FROM coverd.stream s LEFT JOIN coverd.engagements l ON 'engagement:' || l.engagement_id = s.stream_id
WHERE s.stream_id LIKE 'engagement:%' AND s.version > 0 AND l.state IS DISTINCT FROM s.state
"""
STOPPED = "SELECT projection, bucket, error FROM coverd.subscription WHERE error IS NOT NULL"
BEHIND = """
SELECT (sum(h.position) - (SELECT count(*) FROM coverd.feed))::bigint FROM coverd.bucket_head h
"""
LEASED = """
SELECT kind || ' of ' || stream_id AS what FROM coverd.effect
WHERE leased_until < now() - interval '10 seconds'
UNION ALL
SELECT 'delivery of ' || source FROM coverd.inbox
WHERE outcome IS NULL AND wake_at < now() - interval '10 seconds'
"""


async def close(report: Report, connection: Any) -> None:
    """Adds to the report what the database itself shows to be wrong."""
    report.events = await connection.fetchval("SELECT sum(position)::bigint FROM coverd.bucket_head")
    behind, otherwise_listed = await _caught_up(connection)
    if behind:
        report.complaints.append(f"the feed is {behind} events behind the log")
    for row in await connection.fetch(HOLES):
        report.complaints.append(f"the feed has a hole before {row['seq']}")
    for row in await connection.fetch(TWICE_TOLD):
        report.complaints.append(f"{row['type']} is {row['times']} times in {row['stream_id']}")
    for row in otherwise_listed:
        report.complaints.append(f"{row['id']} is {row['state']} and is listed as {row['listed']}")
    for row in await connection.fetch(STOPPED):
        report.complaints.append(f"{row['projection']} stopped in bucket {row['bucket']}: {row['error']}")
    for row in await connection.fetch(LEASED):
        report.complaints.append(f"a lease has long ended and nobody took it up: {row['what']}")


async def _caught_up(connection: Any, within: float = 10.0) -> tuple[int, list[Any]]:
    """How far the feed is behind, and what is listed otherwise, once nothing is or it stays so."""
    until = time.monotonic() + within
    while True:
        behind: int = await connection.fetchval(BEHIND)
        otherwise_listed = await connection.fetch(OTHERWISE_LISTED)
        if not (behind or otherwise_listed) or time.monotonic() > until:
            return behind, otherwise_listed
        await asyncio.sleep(0.1)
