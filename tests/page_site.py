"""A site of pages over finished stories, and a strict reader that checks every page it is given."""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from story import NOW, Story

from domain import codec
from domain.recorded import Recorded
from projections.errors import BadCursor
from service.api.problems import problem_of
from service.handle import Handler
from service.ports import EffectRow, Head, StoredDelivery
from service.web.lists import Counts, Row, row_of
from service.web.pages import Pages, error_page


def moment(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


class Shelf:
    """A store that holds finished stories: what the pages read of it, and nothing else."""

    def __init__(self, *stories: Story) -> None:
        self.stories = {f"engagement:{s.engagement.engagement_id}": s for s in stories}
        self.effects: list[EffectRow] = []
        self.deliveries: list[StoredDelivery] = []

    async def head(self, stream_id: str) -> Head:
        story = self.stories.get(stream_id)
        if story is None:
            return Head(stream_id, 0, "unseen", {}, None)
        s = story.engagement
        return Head(stream_id, s.version, s.state, codec.status_data(s), moment(s.latest_at))

    async def history(
        self, stream_id: str, after_version: int = 0, limit: int | None = None
    ) -> list[Recorded]:
        return recorded(self.stories[stream_id])[after_version:limit]

    async def streams_of(self, kind: str, id: str) -> list[str]:
        found = {"policy": "policies", "job": "job_id"}.get(kind, "nothing")
        return [name for name, s in self.stories.items() if id in (getattr(s.engagement, found, None) or ())]

    async def streams_of_any(self, kinds: Sequence[str], id: str) -> list[str]:
        return [stream for kind in kinds for stream in await self.streams_of(kind, id)]

    async def delivery(self, delivery_id: str) -> StoredDelivery | None:
        return None

    async def effects_of(self, stream_id: str) -> list[EffectRow]:
        return self.effects

    async def deliveries_needing_attention(
        self, parked_before: datetime, limit: int = 200
    ) -> list[StoredDelivery]:
        return self.deliveries[:limit]


def recorded(story: Story) -> list[Recorded]:
    return [
        Recorded(
            stream_id=f"engagement:{story.engagement.engagement_id}",
            bucket=1,
            version=x.version,
            position=x.version,
            type=type(x.event).__name__,
            event=x.event,
            recorded_at=moment(x.at + 2),
            effective_at=x.at,
            cause="dl_1" if x.version == 1 else f"effect:engagement:9001:job:{x.version}",
            correlation="dl_1",
            actor="webhook:upwork" if x.version == 1 else "coverd",
            hash=sha256(str(x.version).encode()).digest(),
        )
        for x in story.entries
    ]


class ShelfLists:
    """The read models over the same stories; every list has a next page."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self.asked: list[dict[str, Any]] = []

    def rows(self, now: datetime) -> list[Row]:
        return [row_of(s.engagement, now, moment(NOW)) for s in self._shelf.stories.values()]

    async def engagements(self, *, now: datetime, **asked: Any) -> tuple[Sequence[Row], str | None]:
        self.asked.append(asked)
        if asked["cursor"] == "strange":
            raise BadCursor
        ids, waiting = asked["ids"], asked["attention"]
        rows = [r for r in self.rows(now) if bool(r.attention) == waiting]
        found = [r for r in rows if ids is None or r.engagement_id in ids]
        return found, "next+page" if found else None

    async def counts(self, now: datetime, silent_since: int | None = None) -> Counts:
        rows = self.rows(now)
        return Counts(
            covered=sum(r.covered is True for r in rows),
            not_covered=sum(r.covered is False for r in rows),
            unknown=sum(r.covered is None for r in rows),
            attention=sum(bool(r.attention) for r in rows),
            ended=sum(r.state == "ended" for r in rows),
        )


class Site:
    """The pages over a shelf, and a browser that checks every page it is given."""

    def __init__(self, shelf: Shelf, now: int) -> None:
        self.shelf, self.lists = shelf, ShelfLists(shelf)
        handler = Handler(shelf, lambda: None)  # type: ignore[arg-type,return-value]
        pages = Pages(shelf, handler, self.lists, lambda: moment(now))  # type: ignore[arg-type]
        app = web.Application(middlewares=[_refusals])
        app.router.add_get("/", pages.index)
        app.router.add_get("/engagements/{id}", pages.engagement)
        app.router.add_get("/static/{name}", pages.static)
        self.client = TestClient(TestServer(app))

    async def see(self, url: str, status: int = 200) -> "Seen":
        async with self.client.get(url) as answered:
            text = await answered.text()
            assert answered.status == status, text
            assert_locked_down(answered.headers)
            return well_formed(text)


@web.middleware
async def _refusals(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        return await handler(request)
    except Exception as error:
        problem = problem_of(error)
        return error_page(problem.status, "Refused", problem.detail, "req-7")


def assert_locked_down(headers: Any) -> None:
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


class Seen(HTMLParser):
    """A page as a strict reader meets it: every tag closed, ids unique, fields labelled, text kept."""

    VOID = frozenset({"meta", "link", "img", "input", "br", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]

    @property
    def words(self) -> str:
        return " ".join(self.text.split())

    def marked(self, mark: str) -> set[str]:
        """The states whose boxes carry this mark."""
        boxes = [a for a in self.all("g") if f"box {mark}" == a.get("class")]
        return {str(a["id"]).removeprefix("state-") for a in boxes}


def well_formed(text: str) -> Seen:
    seen = Seen()
    seen.feed(text)
    seen.close()
    assert not seen.open
    assert seen.all("html")[0]["lang"] == "en"
    assert len(seen.all("h1")) == len(seen.all("main")) == 1
    ids = [a["id"] for _, a in seen.elements if "id" in a]
    assert len(ids) == len(set(ids))
    labelled = {a.get("for") for a in seen.all("label")}
    fields = [*seen.all("select"), *(a for a in seen.all("input") if a.get("type") != "checkbox")]
    assert all(field["id"] in labelled for field in fields)
    assert not seen.all("script")
    assert not any("style" in a or any(name.startswith("on") for name in a) for _, a in seen.elements)
    targets = [str(a["href"])[1:] for a in seen.all("a") if str(a.get("href")).startswith("#")]
    assert set(targets) <= set(ids)
    return seen
