"""Both vendors in one lean process: answers at once or after a pause, and counts what it was asked.

It speaks just enough to bring a first-time contractor from an offer to a policy: once a session is opened the
policy becomes active, and the news of it goes to coverd, signed.
"""

import asyncio
import re
import sys
import time
from collections.abc import Callable
from typing import Any

import orjson

from bench.requests import signed

PROBLEM = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
ROOT = re.compile(r"(?:(\w+): )?(contract|freelancer)\(id: \$(\w+)\)")
NEWS_LINES = 4


class Vendors:
    """``pause``: seconds before each answer. ``callback``: coverd's port, known when it is told."""

    def __init__(self, pause: float) -> None:
        self.pause = pause
        self.callback: int | None = None
        self.asked: dict[str, int] = {}
        self.read = 0
        self.first_asked: dict[str, float] = {}
        self._quotes: dict[str, str] = {}
        self._number = 0
        self._news: asyncio.Queue[bytes] = asyncio.Queue()
        self._sending = [asyncio.create_task(self._send_news()) for _ in range(NEWS_LINES)]

    def answer(self, method: str, path: str, body: bytes) -> bytes:
        route, _, _ = path.partition("?")
        key = f"{method} {route}"
        self.asked[key] = self.asked.get(key, 0) + 1
        made = _ROUTES.get(key)
        return PROBLEM if made is None else _response(made(self, body))

    def next_id(self, prefix: str) -> str:
        self._number += 1
        return f"{prefix}_{self._number}"

    def token(self, _body: bytes) -> Any:
        return {"access_token": "oauth2v2_bench", "token_type": "Bearer", "expires_in": 86400}

    def graphql(self, body: bytes) -> Any:
        asked = orjson.loads(body)
        data = {}
        for alias, root, variable in ROOT.findall(asked["query"]):
            id = asked["variables"][variable]
            data[alias or root] = _contract(id) if root == "contract" else _freelancer(id)
            if root == "contract":
                self.read += 1
                self.first_asked.setdefault(id, time.time())
        return {"data": data}

    def contractors(self, _body: bytes) -> Any:
        return {"data": []}

    def make(self, prefix: str) -> Any:
        return {"id": self.next_id(prefix)}

    def session(self, body: bytes) -> Any:
        quote = orjson.loads(body)["quote"]
        if self.callback is not None:
            self._news.put_nowait(_policy_active(self.next_id("pl"), quote))
        id = self.next_id("as")
        return {"id": id, "url": f"https://apply.1099policy.com/{id}"}

    def stats(self, _body: bytes) -> Any:
        return {"asked": self.asked, "read": self.read, "first_asked": self.first_asked}

    def setup(self, body: bytes) -> Any:
        """Begin anew: counts at nothing."""
        given = orjson.loads(body)
        self.callback, self.pause = given["callback"], given["pause"]
        self.asked, self.read, self.first_asked = {}, 0, {}
        return {}

    async def _send_news(self) -> None:
        connected: int | None = None
        while True:
            news = await self._news.get()
            if self.callback != connected:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.callback)
                connected = self.callback
            writer.write(news)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"ontent-Length: (\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
            if not head.startswith(b"HTTP/1.1 202"):
                sys.stderr.write(f"news was answered {head[:40]!r}\n")


_ROUTES: dict[str, Callable[[Vendors, bytes], Any]] = {
    "POST /api/v3/oauth2/token": Vendors.token,
    "POST /graphql": Vendors.graphql,
    "GET /api/v1/contractors": Vendors.contractors,
    "GET /api/v1/events": Vendors.contractors,
    "POST /api/v1/contractors": lambda v, _: v.make("cn"),
    "POST /api/v1/jobs": lambda v, _: v.make("jb"),
    "POST /api/v1/quotes": lambda v, _: v.make("qt"),
    "POST /api/v1/apply/sessions": Vendors.session,
    "GET /_stats": Vendors.stats,
    "POST /_setup": Vendors.setup,
}


def _response(found: Any) -> bytes:
    body = orjson.dumps(found)
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


def _contract(id: str) -> dict[str, Any]:
    today = int(time.time())
    return {
        "id": id,
        "title": "Frontend Developer",
        "description": "Build the dashboard's pages and integrate the GraphQL APIs behind them. " * 4,
        "hourlyRate": {"amount": "75.00", "currency": "USD"},
        "fixedBudget": None,
        "category": {"name": "Web, Mobile & Software Dev"},
        "startDate": _day(today + 86400),
        "endDate": _day(today + 180 * 86400),
        "attachments": [],
    }


def _day(at: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at))


def _freelancer(id: str) -> dict[str, Any]:
    return {
        "id": id,
        "displayName": "Ava Nguyen",
        "location": {"country": "US", "region": "CA", "locality": "San Francisco"},
    }


def _policy_active(policy: str, quote: str) -> bytes:
    now = int(time.time())
    said = {
        "id": f"evt_{policy}",
        "type": "policy.active",
        "created": now,
        "data": {
            "id": policy,
            "object": "policy",
            "is_active": True,
            "status": "active",
            "quote": quote,
            "effective_date": now,
            "expiration_date": now + 180 * 86400,
        },
    }
    return signed(orjson.dumps(said), now)


class Connection(asyncio.Protocol):
    def __init__(self, vendors: Vendors) -> None:
        self._vendors = vendors
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n") + 4) >= 4:
            head = self._received[:end]
            length = re.search(rb"ontent-Length: (\d+)", head)
            size = end + (int(length[1]) if length else 0)
            if len(self._received) < size:
                return
            body, self._received = self._received[end:size], self._received[size:]
            method, path, _ = head[: head.index(b"\r\n")].decode().split(" ")
            answer = self._vendors.answer(method, path, body)
            if self._vendors.pause and not path.startswith("/_"):
                asyncio.get_running_loop().call_later(self._vendors.pause, self._transport.write, answer)
            else:
                self._transport.write(answer)


async def main() -> None:
    vendors = Vendors(0.0)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(vendors), "127.0.0.1", 0)
    sys.stderr.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stderr.flush()
    await server.serve_forever()


if __name__ == "__main__":
    try:
        import uvloop

        run = uvloop.run
    except ImportError:
        run = asyncio.run
    run(main())
