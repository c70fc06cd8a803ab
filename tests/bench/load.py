"""The load: one process, raw sockets, each connection with one request under way; the caller's own clock.

It stays far below what it measures (about 8 µs of CPU a request), so that it is not itself the limit.
"""

import asyncio
import multiprocessing
import selectors
import socket
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_spawn = multiprocessing.get_context("spawn")

PATIENCE = 60.0
"""Seconds after which a server that no longer answers fails the run."""


@dataclass(frozen=True)
class Sample:
    """What one round saw: when each request was answered and how long it took, in order of the answers."""

    seconds: float
    took: array  # of double, seconds
    statuses: dict[int, int]
    bodies: list[bytes]
    cpu_seconds: float
    """What the load itself used."""

    @property
    def rate(self) -> float:
        return len(self.took) / self.seconds


def closed_loop(port: int, requests: Sequence[bytes], connections: int, keep: bool = False) -> Sample:
    """Send ``requests``, whole HTTP/1.1 requests, over so many connections; ``keep`` the answers' bodies."""
    with selectors.DefaultSelector() as selector:
        todo = iter(requests)
        lines = [_Line(selector, port, todo, keep) for _ in range(connections)]
        began, used = time.perf_counter(), time.process_time()
        open_lines = sum(line.ask() for line in lines)
        while open_lines:
            ready = selector.select(PATIENCE)
            if not ready:
                raise TimeoutError(f"nothing was answered for {PATIENCE:.0f} s")
            for key, _ in ready:
                if key.data() is False:
                    open_lines -= 1
        seconds, used = time.perf_counter() - began, time.process_time() - used
    took, statuses, bodies = array("d"), dict[int, int](), list[bytes]()
    for line in lines:
        line.close()
        took.extend(line.took)
        bodies += line.bodies
        for status in line.statuses:
            statuses[status] = statuses.get(status, 0) + 1
    return Sample(seconds, took, statuses, bodies, used)


class _Line:
    """One connection. Calling it reads what came; False once there is nothing left to ask."""

    def __init__(
        self, selector: selectors.BaseSelector, port: int, todo: "Sequence[bytes]", keep: bool
    ) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector = selector
        selector.register(self._socket, selectors.EVENT_READ, self)
        self._todo = todo
        self._keep = keep
        self._buffer = b""
        self._asked_at = 0.0
        self.took = array("d")
        self.statuses = array("i")
        self.bodies: list[bytes] = []

    def ask(self) -> bool:
        request = next(self._todo, None)
        if request is None:
            self._selector.unregister(self._socket)
            return False
        self._asked_at = time.perf_counter()
        self._socket.sendall(request)
        return True

    def __call__(self) -> bool:
        came = self._socket.recv(65536)
        if not came:
            raise ConnectionError("the server closed a connection under load")
        self._buffer = answer = self._buffer + came if self._buffer else came
        head = answer.find(b"\r\n\r\n") + 4
        if head < 4:
            return True
        status = int(answer[9:12])
        length = 0 if status == 304 else _length(answer, head)
        if len(answer) < head + length:
            return True
        self.took.append(time.perf_counter() - self._asked_at)
        self.statuses.append(status)
        if self._keep:
            self.bodies.append(answer[head : head + length])
        self._buffer = b""
        return self.ask()

    def close(self) -> None:
        self._socket.close()


def _length(answer: bytes, head: int) -> int:
    at = answer.find(b"ontent-Length: ", 0, head) + 15
    if at < 15:
        raise ValueError(f"an answer without a length: {answer[:head]!r}")
    return int(answer[at : answer.find(b"\r", at)])


class Generator:
    """A process of its own that runs `closed_loop` on what ``build`` made there before the clock starts."""

    def __init__(self) -> None:
        self._ours, theirs = _spawn.Pipe()
        self._process = _spawn.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()

    async def prepare(self, build: Callable[..., list[bytes]], *arguments: object) -> None:
        """Make the requests of the next rounds."""
        await self._ask("prepare", build, arguments)

    async def run(self, port: int, connections: int = 32, keep: bool = False) -> Sample:
        """Send what was prepared."""
        sample: Sample = await self._ask("run", port, connections, keep)
        return sample

    async def close(self) -> None:
        self._ours.send(None)
        await asyncio.to_thread(self._process.join)

    async def _ask(self, *task: object):  # type: ignore[no-untyped-def]
        self._ours.send(task)
        said = await asyncio.to_thread(self._ours.recv)
        if isinstance(said, Exception):
            raise said
        return said


def _serve(pipe) -> None:  # type: ignore[no-untyped-def]
    requests: list[bytes] = []
    while (task := pipe.recv()) is not None:
        try:
            if task[0] == "prepare":
                requests = task[1](*task[2])
                pipe.send(len(requests))
            else:
                pipe.send(closed_loop(task[1], requests, task[2], task[3]))
        except Exception as error:
            pipe.send(error)
