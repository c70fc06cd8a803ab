"""The life of one embedded server: made once, started, used, stopped; never left behind."""

import asyncio
import atexit
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from . import account as accounts
from .binaries import Binaries, usable
from .errors import EmbeddedPostgresError, NotReadyInTime, OtherMajorVersion, ProgramFailed
from .initdb import SUPERUSER, create_cluster, ensure_database
from .layout import Layout, name_for, socket_folder
from .memory import for_pages
from .ownership import owned, settle
from .process import end, exited, spawn
from .profile import DURABLE, Profile

OWNER = DATABASE = "coverd"
_READY_WITHIN = 60.0  # seconds; recovery after a crash reads the log back first
_STOP_WITHIN = 20.0  # seconds for a fast stop, which writes a checkpoint
_TICK = 0.002  # seconds between looks at the starting server
_LOOK = 0.2  # seconds between looks at the running one
_AGAIN = 2.0  # seconds after a restart that failed


def _quiet(_: str) -> None:
    return None


@asynccontextmanager
async def embedded(
    data_dir: Path,
    profile: Profile = DURABLE,
    say: Callable[[str], None] = _quiet,
    *,
    bin_dir: Path | None = None,
    account: str | None = None,
    cache: Path | None = None,
) -> AsyncIterator["Cluster"]:
    """A server that runs as long as the block, whatever ends it; see Cluster for the arguments and errors."""
    cluster = Cluster(data_dir, profile, say, bin_dir=bin_dir, account=account, cache=cache)
    try:
        await cluster.start()
        keeping = asyncio.create_task(cluster.keep(), name="postgres")
        try:
            yield cluster
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
    finally:
        await cluster.stop()


class Cluster:
    """An embedded Postgres in `data_dir`, owned by this process.

    `say` gets a sentence for each step that takes time; `bin_dir` overrides where the programs come from;
    `account` names whom to run as when we are root; `cache` is where programs out of that account's reach
    are copied to; `port` is any free one unless given. Start it on a thread that outlives it.
    """

    def __init__(
        self,
        data_dir: Path,
        profile: Profile = DURABLE,
        say: Callable[[str], None] = _quiet,
        *,
        bin_dir: Path | None = None,
        account: str | None = None,
        cache: Path | None = None,
        port: int | None = None,
    ) -> None:
        self._layout = Layout(data_dir.expanduser().absolute())
        self._profile = profile
        self._say = say
        self._bin_dir = bin_dir
        self._account_setting = account
        self._cache = cache
        self._held = ExitStack()
        self._server: subprocess.Popen[bytes] | None = None
        self._programs: tuple[accounts.Account, Binaries] | None = None
        self._password = ""
        self._wanted_port = port
        self.port = 0
        self.sockets = Path()

    @property
    def dsn(self) -> str:
        """The URL of the database for its owner, over loopback TCP, for us and for outside tools."""
        return f"postgresql://{OWNER}:{self._password}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def socket_dsn(self) -> str:
        """The same over the Unix socket, which only this machine's owner of the server can open."""
        host = quote(str(self.sockets), safe="")
        return f"postgresql://{OWNER}:{self._password}@/{DATABASE}?host={host}&port={self.port}"

    @property
    def admin_dsn(self) -> str:
        """The URL of the maintenance database for the superuser: for tests and repair, not the service."""
        return f"postgresql://{SUPERUSER}:{self._password}@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int | None:
        """The server's process id, or None when it does not run."""
        return self._server.pid if self._server and self._server.poll() is None else None

    async def start(self) -> None:
        """Make the cluster if there is none, start it, and return once it takes connections.

        Raises an EmbeddedPostgresError; nothing is left running then.
        """
        began = time.monotonic()
        try:
            self._programs = account, binaries = await self._prepare()
            await self._launch(account, binaries)
            await ensure_database(self.admin_dsn, OWNER, DATABASE, self._password)
        except BaseException:
            await self.stop()
            raise
        took = time.monotonic() - began
        self._say(f"Postgres {binaries.version} is ready on 127.0.0.1:{self.port} ({took:.2f} s).")

    async def keep(self) -> None:
        """Start the server again, at the same address, whenever it ends before `stop`: killed, or short of
        memory or room. Goes on until it is cancelled."""
        assert self._programs is not None
        while self._server is not None:
            await exited(self._server, look_every=_LOOK)
            self._say(f"Postgres ended (status {self._server.returncode}); it is started again.")
            try:
                await settle(self._layout.cluster, self._say)
                await self._launch_once(*self._programs)
                self._say(f"Postgres is ready again on 127.0.0.1:{self.port}.")
            except (EmbeddedPostgresError, OSError) as error:
                self._say(f"{error} It is tried again.")
                await asyncio.sleep(_AGAIN)

    def crash(self, how: signal.Signals) -> None:
        """Send the server a signal that ends it without a checkpoint, as an accident would; then `stop`."""
        if self._server:
            self._server.send_signal(how)

    async def stop(self) -> None:
        """Stop at once but cleanly, wait for it, and let go of the data directory. Safe to call twice.

        Cancelled while it waits, it ends the server without a checkpoint; the next start reads the log back.
        """
        server = self._server
        try:
            if server and server.poll() is None:
                server.send_signal(signal.SIGINT)
                await exited(server, _STOP_WITHIN)
        finally:
            if server:
                end(server, signal.SIGQUIT)
                atexit.unregister(self._last_resort)
            self._server = None
            self._held.close()

    async def _prepare(self) -> tuple[accounts.Account, Binaries]:
        layout = self._layout
        layout.root.mkdir(parents=True, exist_ok=True)
        self._held.enter_context(owned(layout.lock))
        account = accounts.choose(layout.cluster, self._account_setting)
        binaries = await usable(self._bin_dir, account, self._cache, self._say)
        self._password = layout.password()
        layout.turn_log()
        exists = layout.cluster.exists()
        if exists:
            self._check_version(binaries)
            await settle(layout.cluster, self._say)
        self.sockets = socket_folder(layout.root, account)
        self._held.callback(shutil.rmtree, self.sockets, ignore_errors=True)
        if not exists:
            self._say(f"Making a Postgres {binaries.version} cluster in {layout.root} (first start only).")
            await create_cluster(layout, account, binaries, self._profile, self._password, self.sockets)
        return account, binaries

    def _check_version(self, binaries: Binaries) -> None:
        found = int((self._layout.cluster / "PG_VERSION").read_text(encoding="ascii").split(".")[0])
        if found != binaries.major:
            raise OtherMajorVersion(self._layout.cluster, found, binaries.major)

    async def _launch(self, account: accounts.Account, binaries: Binaries) -> None:
        for attempts_left in (2, 1, 0):
            self.port = self._wanted_port or _free_port()
            try:
                await self._launch_once(account, binaries)
                break
            except ProgramFailed as failure:
                # Somebody took the port between our look and the server's.
                if not attempts_left or "could not bind" not in failure.words:
                    raise

    async def _launch_once(self, account: accounts.Account, binaries: Binaries) -> None:
        cluster = self._layout.cluster
        arguments = [str(binaries.folder / "postgres"), "-D", name_for(cluster, account)]
        for name, value in self._settings().items():
            arguments += ["-c", f"{name}={value}"]
        with self._layout.log.open("ab") as log:
            self._server = spawn(arguments, account, cwd=cluster, output=log, when_we_die=signal.SIGINT)
        atexit.register(self._last_resort)
        await self._ready(self._server)

    def _settings(self) -> dict[str, str]:
        room = {"shared_buffers": for_pages()} if self._profile.roomy else {}
        return {
            **room,
            **self._profile.settings,
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.sockets),
        }

    async def _ready(self, server: subprocess.Popen[bytes]) -> None:
        """Wait until the server says `ready` in its pid file, as pg_ctl does."""
        deadline = time.monotonic() + _READY_WITHIN
        while not self._says_ready(server.pid):
            if (status := server.poll()) is not None:
                raise ProgramFailed("postgres", status, self._layout.log, self._layout.last_words())
            if time.monotonic() > deadline:
                raise NotReadyInTime(_READY_WITHIN, self._layout.log, self._layout.last_words())
            await asyncio.sleep(_TICK)

    def _says_ready(self, pid: int) -> bool:
        try:
            lines = (self._layout.cluster / "postmaster.pid").read_text(encoding="utf-8").split("\n")
        except FileNotFoundError:
            return False
        return lines[0] == str(pid) and len(lines) > 7 and lines[7].strip() == "ready"

    def _last_resort(self) -> None:
        # An interpreter that ends without stop(): a second Ctrl-C, an exit from a callback.
        if self._server:
            end(self._server, signal.SIGINT)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
