"""The disk under a real Postgres is full: senders hear 503, /readyz says so, and room mends it.

Instead of filling a disk, a file that Postgres must extend is ``/dev/full`` for a while: the kernel answers
each write to it as it answers on a full disk.
"""

import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import orjson
import pytest
from places import TOKEN, Answer, Place, PlaceMaker

from migrations import runner
from service.compose import Tuning
from service.postgres import CRASH_TEST, Cluster, embedded

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only there /dev/full is"),
]

LARGE, SMALL = 6000, 1
"""Bytes of a body that needs a page of its own, and of one that still finds room on a page in use."""


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with embedded(tmp_path / "data", CRASH_TEST) as running:
        owner = await asyncpg.connect(running.dsn)
        await runner.apply(owner)
        await owner.close()
        yield running


@pytest.fixture
async def place(cluster: Cluster, places: PlaceMaker) -> AsyncIterator[Place]:
    async with places(Tuning(sweep_seconds=0.05), COVERD_DATABASE_URL=cluster.dsn) as made:
        yield made


async def deliver(place: Place, id: str, size: int) -> Answer:
    body = {"id": id, "type": "offer.seen", "data": {"offer": {"id": "o"}}, "more": os.urandom(size).hex()}
    return await place.ask("POST", "/webhooks/upwork", data=orjson.dumps(body), headers=TOKEN)


async def attic(cluster: Cluster, data: Path) -> Path:
    """The file where large bodies go, of which nothing is written yet."""
    owner = await asyncpg.connect(cluster.dsn)
    path = await owner.fetchval(
        "SELECT pg_relation_filepath(reltoastrelid) FROM pg_class WHERE oid = 'coverd.inbox'::regclass"
    )
    await owner.close()
    return data / "postgres" / str(path)


@contextmanager
def full(file: Path) -> Iterator[None]:
    kept = file.with_name(f"{file.name}.kept")
    shutil.move(file, kept)
    file.symlink_to("/dev/full")
    try:
        yield
    finally:
        file.unlink()
        shutil.move(kept, file)


async def end_sessions(cluster: Cluster) -> None:
    """They hold the full file open, which no disk that gets room again would ask for."""
    admin = await asyncpg.connect(cluster.admin_dsn)
    await admin.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'coverd'")
    await admin.close()


async def test_a_full_disk_is_told_to_senders_and_to_who_asks_for_readiness(
    cluster: Cluster, place: Place, tmp_path: Path
) -> None:
    assert (await deliver(place, "before", SMALL)).status == 202
    with full(await attic(cluster, tmp_path / "data")):
        for n in range(3):
            refused = await deliver(place, f"large-{n}", LARGE)
            assert (refused.status, refused.headers["retry-after"]) == (503, "2")
            ready = await place.ask("GET", "/readyz")
            assert (ready.status, ready.headers["retry-after"]) == (503, "2")
            assert ready.problem["detail"] == "Deliveries cannot be stored: DiskFullError."
        assert (await deliver(place, "small", SMALL)).status == 202, "what finds room is kept"
        assert (await place.ask("GET", "/readyz")).status == 503, "and more is not"
    await end_sessions(cluster)
    assert (await place.ask("GET", "/readyz")).status == 200
    assert [(await deliver(place, f"large-{n}", LARGE)).status for n in range(3)] == [202] * 3
    assert (await deliver(place, "small", SMALL)).status == 200
