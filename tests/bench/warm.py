"""Reads what a database is asked about once from end to end, so that the system's cache holds it.

Each question below is about another engagement, which nobody has asked about for long: without this, what is
measured is the disk.
"""

import asyncio
from pathlib import Path

from bench.processes import Database

TABLES = ("stream", "event", "vendor_id", "engagements_r1", "attention_r1")

FILES = """
SELECT pg_relation_filepath(c.oid)
FROM pg_class t
LEFT JOIN pg_index i ON i.indrelid = t.oid
JOIN pg_class c ON c.oid IN (t.oid, i.indexrelid)
WHERE t.relnamespace = 'coverd'::regnamespace AND t.relname = ANY ($1)
GROUP BY c.oid
"""

PIECE = 8 << 20


async def warm(db: Database, cluster: Path) -> int:
    """How many bytes were read; ``cluster`` is the server's own folder."""
    async with db.connection() as conn:
        rows = await conn.fetch(FILES, TABLES)
    return await asyncio.to_thread(_read, cluster, [row[0] for row in rows])


def _read(cluster: Path, files: list[str]) -> int:
    size = 0
    for name in files:
        for part in (cluster / name, *cluster.glob(f"{name}.*")):  # Postgres begins a new file after each GB
            with part.open("rb", buffering=0) as file:
                while piece := file.read(PIECE):
                    size += len(piece)
    return size
