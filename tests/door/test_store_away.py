"""Postgres goes away in every way it can: senders hear 503, /readyz says why, and then all works again."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count

import aiohttp
import asyncpg
import orjson
import pytest
from contracts.wire import Wire, wire_to
from places import ENOUGH, TOKEN, Answer, Place, PlaceMaker

from service.api import health
from service.compose import Tuning
from service.ingest import keeping
from service.store.lines import PROMPT, Bounds

HURRIED = Tuning(sweep_seconds=0.05)

_numbers = count(1)


async def until_taken(deliver: Callable[[], Awaitable[Answer]]) -> Answer:
    """The first answer but 503."""
    async with asyncio.timeout(ENOUGH):
        while (told := await deliver()).status == 503:
            pass
    return told


async def accepted(place: Place, engagement_id: str) -> Answer:
    """The news that begins an engagement."""
    names = {"offer": {"id": f"of_{engagement_id}"}, "contract": {"id": engagement_id}}
    body = {"id": f"ev_{engagement_id}", "type": "offer.accepted", "createdAt": 1, "data": names}
    sent = {**TOKEN, "Content-Type": "application/json"}
    return await place.ask("POST", "/webhooks/upwork", data=orjson.dumps(body), headers=sent)


@dataclass(frozen=True)
class Feed:
    stream: aiohttp.StreamReader

    async def until(self, engagement_id: str) -> None:
        async with asyncio.timeout(ENOUGH):
            async for line in self.stream:
                if f'"engagement_id":"{engagement_id}"'.encode() in line:
                    return


@asynccontextmanager
async def told(place: Place) -> AsyncIterator[Feed]:
    """What the feed tells from now on."""
    async with place.session.get(f"{place.url}/v1/feed") as response:
        yield Feed(response.content)


@dataclass(frozen=True)
class Away:
    """A service whose Postgres can be taken away; ``owner`` speaks to it past the wire."""

    place: Place
    wire: Wire
    owner: "asyncpg.Connection[asyncpg.Record]"

    async def deliver(self, id: str) -> Answer:
        body = orjson.dumps({"id": id, "type": "offer.seen", "data": {"offer": {"id": "o"}}})
        sent = {**TOKEN, "Content-Type": "application/json"}
        return await self.place.ask("POST", "/webhooks/upwork", data=body, headers=sent)

    async def store_up(self) -> float:
        """As the metrics tell it, which an alert asks."""
        told = await self.place.ask("GET", "/metrics")
        assert told.status == 200
        return float(re.findall(rb"^coverd_store_up (.+)$", told.body, re.M)[0])

    async def until_ready(self) -> None:
        async with asyncio.timeout(ENOUGH):
            while (await self.place.ask("GET", "/readyz")).status != 200:
                pass

    async def until_processed(self, answer: Answer) -> None:
        id = orjson.loads(answer.body)["delivery"]
        async with asyncio.timeout(ENOUGH):
            while True:
                stored = await self.place.service.store.delivery(id)
                assert stored
                if stored.outcome is not None:
                    return

    async def kept(self, id: str) -> int:
        found: int = await self.owner.fetchval(
            "SELECT count(*) FROM coverd.inbox WHERE dedupe = $1", f"body:{id}"
        )
        return found

    async def end_sessions(self) -> None:
        await self.owner.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    async def alter(self, what: str) -> None:
        name = await self.owner.fetchval("SELECT quote_ident(current_database())")
        await self.owner.execute(f"ALTER DATABASE {name} {what}")
        await self.end_sessions()


@pytest.fixture
async def away(places: PlaceMaker, database_url: str) -> AsyncIterator[Away]:
    async with AsyncExitStack() as stack:
        wire = await stack.enter_async_context(wire_to(database_url))
        place = await stack.enter_async_context(places(HURRIED, COVERD_DATABASE_URL=wire.url))
        owner = await asyncpg.connect(database_url)
        stack.push_async_callback(owner.close)
        yield Away(place, wire, owner)


async def refuse(away: Away) -> Callable[[], Awaitable[None]]:
    await away.wire.cut()
    return away.wire.mend


async def fall_silent(away: Away) -> Callable[[], Awaitable[None]]:
    away.wire.freeze()

    async def undo() -> None:
        away.wire.thaw()

    return undo


async def hold_a_lock(away: Away) -> Callable[[], Awaitable[None]]:
    holding = away.owner.transaction()
    await holding.start()
    await away.owner.execute("LOCK TABLE coverd.inbox IN ACCESS EXCLUSIVE MODE")
    return holding.rollback


async def fill_the_disk(away: Away) -> Callable[[], Awaitable[None]]:
    await away.owner.execute(
        """
        CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'could not extend file "base/1"' USING ERRCODE = '53100'; END $$;
        CREATE TRIGGER no_room BEFORE INSERT ON coverd.inbox FOR EACH ROW EXECUTE FUNCTION no_room()
        """
    )

    async def undo() -> None:
        await away.owner.execute("DROP FUNCTION no_room() CASCADE")

    return undo


async def become_a_standby(away: Away) -> Callable[[], Awaitable[None]]:
    await away.alter("SET default_transaction_read_only = on")

    async def undo() -> None:
        await away.owner.execute("SET default_transaction_read_only = off")
        await away.alter("RESET default_transaction_read_only")

    return undo


async def take_all_connections(away: Away) -> Callable[[], Awaitable[None]]:
    await away.alter("CONNECTION LIMIT 0")

    async def undo() -> None:
        await away.alter("CONNECTION LIMIT -1")

    return undo


WAYS = [
    (refuse, "ConnectionRefusedError|ConnectionDoesNotExistError"),
    (fall_silent, "it was silent for|TimeoutError"),
    (hold_a_lock, "it was silent for|QueryCanceledError"),
    (fill_the_disk, "DiskFullError"),
    (become_a_standby, "ReadOnlySQLTransactionError"),
    (take_all_connections, "TooManyConnectionsError"),
]


@pytest.mark.parametrize(("go_away", "why"), WAYS, ids=[way.__name__ for way, _ in WAYS])
async def test_senders_hear_503_and_nothing_needs_a_restart(
    away: Away, go_away: Callable[[Away], Awaitable[Callable[[], Awaitable[None]]]], why: str
) -> None:
    ids = [f"ev_{next(_numbers)}" for _ in range(5)]
    assert (await away.deliver(f"ev_{next(_numbers)}")).status == 202
    come_back = await go_away(away)

    for answer in await asyncio.gather(*map(away.deliver, ids)):
        assert (answer.status, answer.headers["retry-after"]) == (503, "2")
        assert answer.problem["detail"] == "The store did not confirm it; send the same again."
    ready = await away.place.ask("GET", "/readyz")
    assert (ready.status, ready.headers["retry-after"]) == (503, "2")
    assert re.search(why, ready.problem["detail"])
    assert (await away.place.ask("GET", "/livez")).status == 200
    assert await away.store_up() == 0

    await come_back()
    await away.until_ready()
    assert await away.store_up() == 1
    taken = [await until_taken(partial(away.deliver, id)) for id in ids]
    assert [answer.status for answer in taken] == [202] * len(ids)
    assert [await away.kept(id) for id in ids] == [1] * len(ids)
    for answer in taken:
        await away.until_processed(answer)
    assert (await away.deliver(ids[0])).status == 200


def test_nobody_waits_a_second_for_an_answer() -> None:
    assert max(keeping.ANSWER_SECONDS, health.ANSWER_SECONDS) < 1
    assert max(PROMPT.connect, PROMPT.statement) < PROMPT.answer < keeping.ANSWER_SECONDS


async def test_no_sender_notices_that_sessions_were_ended(away: Away) -> None:
    for n in range(20):
        await away.end_sessions()
        assert (await away.deliver(f"ev_ended_{n}")).status == 202
    await away.until_ready()


async def test_senders_and_readiness_need_no_connection_that_others_hold(away: Away) -> None:
    pool = away.place.service.store._pool
    async with AsyncExitStack() as held:
        for _ in range(pool.get_max_size()):
            await held.enter_async_context(pool.acquire())
        assert (await away.deliver("ev_meanwhile")).status == 202
        assert (await away.place.ask("GET", "/readyz")).status == 200


async def test_connections_to_a_machine_that_is_gone_are_given_up(
    places: PlaceMaker, database_url: str
) -> None:
    """After a failover nothing comes over the old connections, not even that they are closed."""
    tuning = Tuning(sweep_seconds=0.05, bounds=Bounds(answer=0.5))
    async with (
        wire_to(database_url) as wire,
        places(tuning, COVERD_DATABASE_URL=wire.url) as place,
        told(place) as feed,
    ):
        assert (await accepted(place, "9801")).status == 202
        await feed.until("9801")
        wire.forsake()
        assert (await until_taken(lambda: accepted(place, "9802"))).status == 202
        await feed.until("9802")
        listed = await place.ask("GET", "/v1/engagements?limit=200")
        assert {item["engagement_id"] for item in orjson.loads(listed.body)["items"]} == {"9801", "9802"}


async def test_a_migration_meanwhile_disturbs_nobody(places: PlaceMaker, database_url: str) -> None:
    """Statements prepared before it are prepared again, also inside a transaction."""
    owner = await asyncpg.connect(database_url)
    async with places() as place, told(place) as feed:
        for n in range(3):
            assert (await accepted(place, f"97{n}")).status == 202
            await feed.until(f"97{n}")
            for table in ("inbox", "effect", "stream", "event", "engagements_r1", "feed", "subscription"):
                await owner.execute(f"ALTER TABLE coverd.{table} ADD COLUMN more_{n} int")
        assert await place.service.runner.stopped() == []
        assert (await place.ask("GET", "/readyz")).status == 200
    await owner.close()
