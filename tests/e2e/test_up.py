"""`coverd up` and its companions as a new user meets them: real processes, real ports, real signals."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp.test_utils import unused_port
from places import answered

pytestmark = pytest.mark.slow

PATIENCE = 60.0
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("COVERD_")}


@dataclass
class Ports:
    service: int
    upwork: int
    ten99policy: int

    def arguments(self) -> list[str]:
        return [*self.vendors(), "--port", str(self.service)]

    def vendors(self) -> list[str]:
        return ["--upwork-port", str(self.upwork), "--ten99policy-port", str(self.ten99policy)]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.service}"


@pytest.fixture
def ports() -> Ports:
    return Ports(unused_port(), unused_port(), unused_port())


@dataclass
class Up:
    process: asyncio.subprocess.Process
    printed: list[str]

    async def until(self, words: str) -> str:
        """The first line printed from now on that holds these words."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while line := (await self.process.stdout.readline()).decode():
                self.printed.append(line)
                if words in line:
                    return line
        raise AssertionError(f"{words!r} was never printed; what was: {''.join(self.printed)}")

    async def stop(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        async with asyncio.timeout(20):
            return await self.process.wait()


@asynccontextmanager
async def up(ports: Ports, data_dir: Path, *more: str) -> AsyncIterator[Up]:
    arguments = [*ports.arguments(), "--data-dir", str(data_dir), *more]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", "up", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=ENVIRONMENT,
        limit=1 << 20,
    )
    try:
        yield Up(process, [])
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def coverd(*arguments: str, code: int = 0) -> Any:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", *arguments, "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=ENVIRONMENT,
    )
    async with asyncio.timeout(PATIENCE):
        out, errors = await process.communicate()
    assert process.returncode == code, errors.decode()
    return orjson.loads(out) if out else None


async def test_a_new_user_sees_the_example_insured_asks_about_it_and_starts_again(
    ports: Ports, tmp_path: Path
) -> None:
    async with up(ports, tmp_path / "data", "--example") as running:
        assert "insured" in await running.until("Contract 9001 is ")
        assert f"{ports.url}/engagements/9001" in await running.until("Look at it")

        shown = await coverd("status", "9001", "--url", ports.url)
        assert shown["state"] == "insured"
        history = await coverd("history", "9001", "--url", ports.url)
        assert [event["version"] for event in history] == list(range(1, len(history) + 1))

        points = await coverd("checklist", "--url", ports.url, *ports.vendors())
        assert len(points) == 7
        assert all(point["passed"] for point in points), points

        simulate = ("simulate", "contract.ended", "--engagement", "9001", "--url", ports.url)
        await coverd(*simulate, *ports.vendors())
        await ended(ports.url)
        assert await running.stop(signal.SIGINT) == 0
    async with up(ports, tmp_path / "data", "--example") as again:
        assert "already here: ended" in await again.until("Contract 9001 ")
        assert await again.stop(signal.SIGTERM) == 0


async def ended(url: str) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(PATIENCE):
        while True:
            async with session.get(f"{url}/v1/engagements/9001") as response:
                if (await response.json())["state"] == "ended":
                    return


async def test_the_demonstration_drives_one_of_every_kind_and_prints_a_table(
    ports: Ports, tmp_path: Path
) -> None:
    async with up(ports, tmp_path / "data", "--demo", "1") as running:
        await running.until("Look at it")
        table = [line.split("\t") for line in running.printed if line.count("\t") == 4]
        from service.demo.flows import FLOWS

        assert {row[0]: row[2] for row in table} == {name: state for name, (_, state) in FLOWS.items()}
        assert await running.stop(signal.SIGTERM) == 0


async def test_a_killed_postgres_comes_back_by_itself(ports: Ports, tmp_path: Path) -> None:
    async with up(ports, tmp_path / "data") as running:
        await running.until("Look at it")
        kept = await taken(ports.url, "before")
        pid = int((tmp_path / "data" / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, signal.SIGKILL)
        assert await taken(ports.url, "after") != kept
        assert await taken(ports.url, "before") == kept
        assert await running.stop(signal.SIGTERM) == 0


async def taken(url: str, id: str) -> str:
    """The delivery that a sender is told of, who sends again for as long as nothing can be kept."""
    body = orjson.dumps({"id": id, "type": "offer.seen", "data": {"offer": {"id": "o"}}})
    headers = {"X-Upwork-Webhook-Token": "upwork-sandbox-token"}
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
        while True:
            async with session.post(f"{url}/webhooks/upwork", data=body, headers=headers) as response:
                if response.status != 503:
                    assert response.status in (200, 202)
                    return str((await response.json())["delivery"])


@pytest.mark.skipif(sys.platform != "linux", reason="only there /proc says whose child a process is")
async def test_killed_sandboxes_come_back_by_themselves(ports: Ports, tmp_path: Path) -> None:
    async with up(ports, tmp_path / "data") as running, aiohttp.ClientSession() as session:
        await running.until("Look at it")
        upwork = f"http://127.0.0.1:{ports.upwork}/_control/contracts"
        async with session.post(upwork, json={"contract": {"id": "9002"}}) as made:
            assert made.status < 300
        os.kill(only_child_of(running.process.pid, b"sandbox"), signal.SIGKILL)
        await running.until("they are started again")
        async with asyncio.timeout(PATIENCE):
            while not await answers(session, f"http://127.0.0.1:{ports.upwork}/_control/calls"):
                pass
        assert await running.stop(signal.SIGTERM) == 0


async def answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


def only_child_of(pid: int, word: bytes) -> int:
    """The process whose parent is ``pid`` and whose command line holds ``word``."""
    (child,) = (int(of.name) for of in Path("/proc").iterdir() if of.name.isdigit() and _is(of, pid, word))
    return child


def _is(process: Path, parent: int, word: bytes) -> bool:
    try:
        told = (process / "status").read_text()
        return f"PPid:\t{parent}\n" in told and word in (process / "cmdline").read_bytes()
    except OSError:  # it is gone
        return False


async def test_told_to_stop_it_sends_callers_elsewhere_before_it_closes(ports: Ports, tmp_path: Path) -> None:
    async with up(ports, tmp_path / "data") as running:
        await running.until("Look at it")
        reader, writer = await asyncio.open_connection("127.0.0.1", ports.service)
        running.process.send_signal(signal.SIGTERM)
        closes = False
        async with asyncio.timeout(PATIENCE):
            while not closes:
                writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
                told = await answered(reader)
                assert told is not None, "a kept connection was closed without a word"
                closes = told.headers.get("connection") == "close"
            assert await running.process.wait() == 0
        writer.close()


async def test_a_taken_port_is_named_before_anything_starts(ports: Ports, tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", ports.service)
    async with server, up(ports, tmp_path / "data") as running:
        assert str(ports.service) in await running.until("cannot be used")
        assert await running.process.wait() == 1


async def test_serve_refuses_and_names_every_setting_it_misses() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", "serve"), stderr=asyncio.subprocess.PIPE, env=ENVIRONMENT
    )
    _, errors = await process.communicate()
    assert process.returncode == 2
    for name in ("COVERD_DATABASE_URL", "COVERD_UPWORK_CLIENT_SECRET", "COVERD_TEN99POLICY_API_KEY"):
        assert name in errors.decode()
