"""`make bench`: measure everything, print one table, and write it as JSON where asked."""

import argparse
import asyncio
import shutil
import tempfile
from pathlib import Path

from bench import accept, graphql, log, replicas, status, whole_job
from bench.load import Generator
from bench.processes import database
from bench.report import Figure, machine, show, write
from service.cli.terminal import put, say

BENCHES = {
    "accept": accept.run,
    "status": status.run,
    "whole_job": whole_job.run,
    "graphql": graphql.run,
    "log": log.run,
    "replicas": replicas.run,
}


async def main(names: list[str], folder: Path | None, json: Path | None) -> int:
    place = folder or Path(tempfile.mkdtemp(prefix="coverd-bench-"))
    figures: list[Figure] = []
    load = Generator()
    try:
        for name in names:
            async with database(place / name, say) as db:
                async with db.connection() as conn:
                    facts = await conn.fetchval("SELECT version()")
                    durable = [await conn.fetchval(f"SHOW {s}") for s in ("fsync", "synchronous_commit")]
                if not figures:
                    put(
                        machine(f"{facts.split(' on ')[0]}, fsync and synchronous_commit {'/'.join(durable)}")
                    )
                figures += await BENCHES[name](db, load, say)
    finally:
        await load.close()
        if folder is None:
            shutil.rmtree(place, ignore_errors=True)
    show(figures)
    if json:
        write(figures, json)
    return 0 if all(figure.correct for figure in figures) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHES, []], help="which; all when none is named")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    parser.add_argument(
        "--folder", type=Path, help="where Postgres keeps its data (default: a temporary folder)"
    )
    given = parser.parse_args()
    raise SystemExit(asyncio.run(main(given.names or list(BENCHES), given.folder, given.json)))
