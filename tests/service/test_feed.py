"""The feed over HTTP: from now on or from where one was, without loss, for as long as the client likes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import aiohttp
import asyncpg
import orjson
import pytest
from aiohttp import web
from aiohttp.http_writer import StreamWriter
from aiohttp.test_utils import unused_port
from projection_spies import running
from story import CONTRACTOR, JOB, NOW, QUOTE, Story, contract_read, given, insured, offer
from written_log import Log

from domain import events as e
from projections.public_feed import read_feed
from projections.runner import Runner
from service.api import feed
from service.api.feed import FeedRoutes, cursor_of, seq_of
from service.compose import Service, serving
from service.config import EXAMPLE, ConfigFile
from service.handle import Origin
from service.settings import SANDBOX, read
from service.tail import Tail

SHUTDOWN = 3  # seconds; the server itself would wait for five
SOON = 10  # seconds; reached only by a test that fails
NEVER = 3600.0


def story(id: str) -> Story:
    return given(offer(), contract_read(), CONTRACTOR, JOB, QUOTE, id=id)


@dataclass
class Message:
    id: str
    event: str
    data: dict[str, Any]

    @property
    def place(self) -> tuple[str, int]:
        return self.data["id"], self.data["version"]


@dataclass
class Stream:
    """A client that understands Server-Sent Events; ``id`` is the last one it got."""

    response: aiohttp.ClientResponse
    id: str = ""

    async def message(self) -> Message | None:
        """The next one that holds data; None once the stream has ended."""
        block: dict[str, str] = {}
        async with asyncio.timeout(SOON):
            while line := (await self.response.content.readline()).decode():
                name, _, value = line.rstrip("\n").partition(": ")
                if name in ("id", "event", "data"):
                    block[name] = value
                    self.id = block.get("id", self.id)
                elif "data" in block:
                    return Message(self.id, block["event"], orjson.loads(block["data"]))
        return None

    async def messages(self, count: int) -> list[Message]:
        found = [await self.message() for _ in range(count)]
        return [message for message in found if message]

    async def begun(self) -> str:
        """The place where it begins, which is told before anything else."""
        async with asyncio.timeout(SOON):
            line = (await self.response.content.readline()).decode()
            assert (await self.response.content.readline()) == b"\n"
        name, _, self.id = line.rstrip("\n").partition(": ")
        assert name == "id"
        return self.id


@dataclass
class Site:
    url: str
    session: aiohttp.ClientSession
    routes: FeedRoutes
    tail: Tail
    runner: Runner

    @asynccontextmanager
    async def open(self, query: str = "", **headers: str) -> AsyncIterator[Stream]:
        async with self.session.get(f"{self.url}/v1/feed{query}", headers=headers) as response:
            assert response.status == 200
            yield Stream(response)
            response.close()


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Any]:
    conn = await asyncpg.connect(database_url)
    yield conn
    await conn.close()


@pytest.fixture
async def log(owner: Any) -> Log:
    return Log(owner)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Any]:
    settings = {"role": "coverd_app"}
    async with asyncpg.create_pool(database_url, min_size=0, max_size=8, server_settings=settings) as pool:
        yield pool


class Watched(FeedRoutes):
    """Counts the streams that ended."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.ended: asyncio.Queue[web.StreamResponse] = asyncio.Queue()

    async def stream(self, request: web.Request) -> web.StreamResponse:
        response = await super().stream(request)
        self.ended.put_nowait(response)
        return response


@asynccontextmanager
async def sited(pool: Any, *, poll: float = NEVER, heartbeat: float = NEVER) -> AsyncIterator[Site]:
    """The feed alone. Nothing is looked for before it is told, unless ``poll`` says so."""
    tail, runner = Tail(pool, poll=poll), Runner(pool, poll=NEVER)
    routes, app = Watched(pool, tail, heartbeat=heartbeat), web.Application()
    app.router.add_get("/v1/feed", routes.stream, allow_head=False)
    app.on_shutdown.append(routes.end)
    looking = asyncio.create_task(tail.run())
    server = web.AppRunner(app, access_log=None, shutdown_timeout=NEVER)
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as session:
        yield Site(f"http://127.0.0.1:{server.addresses[0][1]}", session, routes, tail, runner)
        async with asyncio.timeout(SOON):
            await server.cleanup()
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


@pytest.fixture
async def site(pool: Any) -> AsyncIterator[Site]:
    """The runner tells it of what it brought up to date."""
    async with sited(pool) as made:
        made.runner.on_advance = made.tail.look
        yield made


async def test_it_begins_now_and_tells_each_event_as_it_comes(site, log):
    await log.tell(story("before"))
    await site.runner.caught_up()
    async with site.open() as stream:
        await stream.begun()
        await log.tell(story("9001"))
        await log.freelancer("fl_12345", NOW, e.ContractorLinked("cn_1", "ava@relay.example"))
        await site.runner.caught_up()
        found = await stream.messages(len(story("9001").entries) + 1)
    engagement = [m for m in found if "engagement_id" in m.data]
    assert [m.event for m in engagement] == [type(entry.event).__name__ for entry in story("9001").entries]
    assert [m.data["version"] for m in engagement] == [entry.version for entry in story("9001").entries]
    assert {m.data["engagement_id"] for m in engagement} == {"9001"}
    assert all(m.event == m.data["type"] for m in found)
    (linked,) = [m for m in found if "engagement_id" not in m.data]
    assert linked.data["id"] == "freelancer:fl_12345@1"


@pytest.mark.parametrize("how", ["header", "query", "both"])
async def test_a_client_goes_on_behind_the_last_event_it_got(site, log, how):
    async with site.open() as stream:
        await stream.begun()
        await log.interleave([story("9001"), story("9002")])
        await site.runner.caught_up()
        first = await stream.messages(3)
    everything = sum(log.versions.values())
    last = first[-1].id
    query, headers = {
        "header": ("", {"Last-Event-ID": last}),
        "query": (f"?cursor={last}", {}),
        "both": (f"?cursor={first[0].id}", {"Last-Event-ID": last}),
    }[how]
    async with site.open(query, **headers) as stream:
        rest = await stream.messages(everything - 3)
    places = [m.place for m in first + rest]
    assert len(set(places)) == len(places) == everything


async def test_a_client_cut_off_before_the_first_event_misses_none(site, log):
    async with site.open() as stream:
        cursor = await stream.begun()
    await log.tell(story("9001"))
    await site.runner.caught_up()
    async with site.open(f"?cursor={cursor}") as stream:
        found = await stream.messages(len(story("9001").entries))
    assert [m.data["version"] for m in found] == [entry.version for entry in story("9001").entries]


async def test_a_client_that_is_cut_off_again_and_again_gets_every_event_once(pool, database_url, log):
    random, other = Random(1), await asyncpg.connect(database_url)
    told = [[story(f"{writer}{n}") for n in range(15)] for writer in "ab"]
    written = sum(len(s.entries) for each in told for s in each)
    seen: list[Message] = []

    async def follow(site: Site) -> None:
        last = cursor_of(0)
        while len(seen) < written:
            async with site.open(**{"Last-Event-ID": last}) as stream:
                seen.extend(await stream.messages(min(random.randint(1, 20), written - len(seen))))
                last = seen[-1].id

    async with sited(pool, poll=0.001) as site, asyncio.timeout(6 * SOON):
        runners = Runner(pool, poll=0.001, batch=3), Runner(pool, poll=0.001, batch=2)
        async with running(runners[0]), running(runners[1]):
            writing = [x.interleave(mine) for x, mine in zip((log, Log(other)), told, strict=True)]
            await asyncio.gather(*writing, follow(site))
    await other.close()
    assert [m.id for m in seen] == [cursor_of(seq) for seq in range(1, written + 1)]
    assert len({m.place for m in seen}) == written


async def test_only_one_engagements_events_where_that_is_asked_for(site, log):
    async with site.open("?engagement=9002") as stream:
        await stream.begun()
        await log.interleave([story("9001"), story("9002"), story("90020")])
        await site.runner.caught_up()
        found = await stream.messages(len(story("9002").entries))
        await log.tell(story("9002").given(insured().entries[-1].event))
        await log.tell(story("9003"))
        await site.runner.caught_up()
        found += await stream.messages(1)
    assert {m.data["engagement_id"] for m in found} == {"9002"}
    assert [m.data["version"] for m in found] == list(range(1, len(found) + 1))
    async with site.open("?engagement=9002", **{"Last-Event-ID": found[2].id}) as stream:
        assert await stream.messages(len(found) - 3) == found[3:]


async def test_events_of_other_processes_come_with_the_next_poll(pool, log):
    async with sited(pool, poll=0.01) as site, site.open() as stream:
        await stream.begun()
        await log.tell(story("9001"))
        await Runner(pool).caught_up()
        assert await stream.message()


async def test_a_quiet_stream_says_that_it_lives(pool, monkeypatch):
    monkeypatch.setattr(feed, "TICK", 0.001)
    async with sited(pool, heartbeat=0.001) as site, site.open() as stream:
        await stream.begun()
        async with asyncio.timeout(SOON):
            for _ in range(3):
                assert await stream.response.content.readline() == b": nothing new\n"
                assert await stream.response.content.readline() == b"\n"


async def test_a_stream_ends_when_its_client_goes(pool, monkeypatch):
    monkeypatch.setattr(feed, "TICK", 0.001)
    async with sited(pool) as site:
        async with site.open() as stream:
            await stream.begun()
        async with asyncio.timeout(SOON):
            await site.routes.ended.get()
        assert not site.tail._followers


async def test_it_ends_in_good_order_when_the_service_stops(pool, log):
    """Also while a quiet stream waits for news that nobody will look for."""
    async with sited(pool) as site:
        async with site.session.get(f"{site.url}/v1/feed") as response, asyncio.timeout(SOON):
            stream = Stream(response)
            await stream.begun()
            stopping = asyncio.create_task(site.routes.end(web.Application()))
            assert await stream.message() is None
            await stopping
            assert response.content.exception() is None
        again = await site.session.get(f"{site.url}/v1/feed")
        assert (await again.read()).startswith(b"id: ")


async def fill(owner: Any, count: int) -> None:
    """A long feed of events of a kilobyte each."""
    await owner.execute(
        "INSERT INTO coverd.event (bucket, stream_id, version, position, type, schema, effective_at,"
        " recorded_at, cause, correlation, actor, data, hash)"
        " SELECT coverd.bucket_of('engagement:long'), 'engagement:long', n, n, 'JobCreated', 1, 0, now(),"
        " repeat('c', 1000), 'c', 'a', '{\"job_id\": \"jb_1\"}', sha256('')"
        " FROM generate_series(1, $1::int) n",
        count,
    )
    await owner.execute(
        "INSERT INTO coverd.feed SELECT position, bucket, position, stream_id, version, type, recorded_at"
        " FROM coverd.event"
    )
    await owner.execute("UPDATE coverd.feed_head SET seq = $1", count)


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set as soon as a server waits for a client that doesn't read."""
    waits, drain = asyncio.Event(), StreamWriter.drain

    async def watched(self: StreamWriter) -> None:
        if self._protocol._paused:
            waits.set()
        await drain(self)

    monkeypatch.setattr(StreamWriter, "drain", watched)
    return waits


async def test_a_slow_client_is_waited_for_and_nothing_piles_up(pool, owner, monkeypatch, stuck):
    count, pages = 20_000, 0

    async def counted(*arguments: Any) -> Any:
        nonlocal pages
        pages += 1
        return await read_feed(*arguments)

    monkeypatch.setattr(feed, "read_feed", counted)
    await fill(owner, count)
    async with sited(pool) as site, site.open(f"?cursor={cursor_of(0)}") as stream:
        async with asyncio.timeout(SOON):
            await stuck.wait()
        assert pages < count / feed.PAGE / 2
        found = await stream.messages(count)
    assert [m.id for m in found] == [cursor_of(seq) for seq in range(1, count + 1)]


async def test_a_client_that_never_reads_does_not_hold_up_the_end(pool, owner, stuck):
    await fill(owner, 20_000)
    async with sited(pool) as site, site.session.get(f"{site.url}/v1/feed?cursor={cursor_of(0)}"):
        async with asyncio.timeout(SOON):
            await stuck.wait()
            await site.routes.end(web.Application())
            await site.routes.ended.get()


async def test_a_reading_that_fails_ends_the_stream_and_the_client_can_come_back(site, log, monkeypatch):
    async def broken(*_: Any) -> Any:
        raise ConnectionRefusedError

    async with site.open() as stream:
        cursor = await stream.begun()
        monkeypatch.setattr(feed, "read_feed", broken)
        await log.tell(story("9001"))
        await site.runner.caught_up()
        assert await stream.message() is None
    monkeypatch.undo()
    async with site.open(f"?cursor={cursor}") as stream:
        assert await stream.message()


def test_a_cursor_is_the_place_it_was_made_of():
    for seq in (0, 1, 9, 10, 2**62):
        assert seq_of(cursor_of(seq)) == seq


GARBAGE = [
    "",
    "0",
    "x",
    "-1",
    "ZmVlZA",
    "ZmVlZDotMQ",
    "ZmVlZDowMQ",
    "ZmVlZDoxXzA",
    "ü",
    "%00",
    cursor_of(1) + "=",
]


@asynccontextmanager
async def service(database_url: str, **extra: str) -> AsyncIterator[Service]:
    """The whole service; its vendors are not there."""
    nobody = f"http://127.0.0.1:{unused_port()}"
    given = {
        "COVERD_DATABASE_URL": database_url,
        "COVERD_PORT": str(unused_port()),
        "COVERD_UPWORK_URL": nobody,
        "COVERD_TEN99POLICY_URL": nobody,
    }
    settings = read({**SANDBOX, **given, **extra})
    async with serving(settings, ConfigFile(None, EXAMPLE)) as running:
        yield running


async def test_the_service_refuses_what_it_did_not_give_out_and_names_every_answer(database_url):
    async with service(database_url) as running, aiohttp.ClientSession() as session:
        url = f"{running.url}/v1/feed"
        asked = [(f"?cursor={cursor}", {}) for cursor in (*GARBAGE, cursor_of(1), cursor_of(2**70))]
        asked += [("", {"Last-Event-ID": cursor}) for cursor in ("", "garbage", cursor_of(1))]
        asked += [
            ("?since=1", {}),
            ("?engagement=", {}),
            ("?engagement=a%00b", {}),
            ("?engagement=" + "e" * 600, {}),
        ]
        for query, headers in asked:
            async with session.get(f"{url}{query}", headers={**headers, "X-Request-Id": "req-7"}) as response:
                assert (response.status, response.content_type) == (400, "application/problem+json"), query
                assert response.headers["X-Request-Id"] == (await response.json())["request_id"] == "req-7"
        async with session.head(url) as response:
            assert response.status == 405
        async with session.get(url, headers={"X-Request-Id": "req-8"}) as response:
            assert (response.status, response.content_type) == (200, "text/event-stream")
            assert response.headers["X-Request-Id"] == "req-8"
            assert response.headers["Cache-Control"] == "no-store"
            response.close()


async def test_the_service_tells_what_its_history_shows_and_lets_go_when_it_stops(database_url):
    async with aiohttp.ClientSession() as session:
        async with service(database_url) as running:
            stream = Stream(await session.get(f"{running.url}/v1/feed"))
            await stream.begun()
            origin = Origin("a test", "a test", "test")
            handled = await running.handler.engagement("9001", offer(freelancer=None), origin)
            found = await stream.messages(len(handled.events))
            async with session.get(f"{running.url}/v1/engagements/9001/events") as answered:
                history = (await answered.json())["items"]
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < SHUTDOWN
        assert await stream.message() is None
    assert [m.data for m in found] == [{**item, "engagement_id": "9001"} for item in history]


async def test_the_feed_needs_a_token_like_everything_else(database_url):
    tokens = {"COVERD_API_TOKENS": "read:secret-token"}
    async with service(database_url, **tokens) as running, aiohttp.ClientSession() as session:
        async with session.get(f"{running.url}/v1/feed") as response:
            assert response.status == 401
        headers = {"Authorization": "Bearer secret-token"}
        async with session.get(f"{running.url}/v1/feed", headers=headers) as response:
            assert response.status == 200
            response.close()
