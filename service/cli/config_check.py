"""`coverd config check`: the configuration file's faults, and the holes traffic would find."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import asyncpg

from domain.rules import Rules
from domain.values import KnownContractor
from service.cli.asking import Asking, asking
from service.cli.terminal import FAILED, put, put_json, say
from service.clients.pace import Pace
from service.clients.ten99policy import Ten99Policy
from service.clients.upwork import Upwork
from service.clock import utc_now
from service.config import EXAMPLE, ConfigFile
from service.handle import Handler
from service.poll.reconcile import UPWORK_SECONDS
from service.preflight.dry_run import DryRun, Known, nobody
from service.preflight.findings import Findings, Hole, listed
from service.preflight.look import look_around
from service.settings import Secret, UpworkSettings, is_loopback
from service.sources import NAMES, TEN99POLICY, UPWORK
from service.store.errors import StoreUnavailable
from service.store.postgres import PostgresStore
from service.vendors.sharing import paused, upwork_turns


@dataclass(frozen=True, slots=True)
class Options:
    contracts: int
    offline: bool
    upwork_port: int
    ten99policy_port: int

    @property
    def sandboxes(self) -> dict[str, int]:
        return {} if self.offline else {UPWORK: self.upwork_port, TEN99POLICY: self.ten99policy_port}


async def run(path: Path | None, options: Options, as_json: bool) -> None:
    """Exits with 1 where an engagement would be held or a vendor does not answer. Raises `ConfigRefused` or
    `SettingsRefused` for a file or settings that cannot be used."""
    async with aiohttp.ClientSession() as session:
        who = await asking(os.environ, options.sandboxes, session)
        file = path or who.settings.config
        rules = ConfigFile(file, EXAMPLE if who.faked else {})().rules
        found = await _look(session, who, rules, options)
    found.holes += who.holes
    holes = found.ordered()
    if as_json:
        shown = None if file is None else str(file)
        put_json({"file": shown, "holes": [asdict(hole) for hole in holes], "asked": found.asked})
    else:
        _tell(file, who, found, holes)
    if found.certain:
        raise SystemExit(FAILED)


async def _look(session: aiohttp.ClientSession, who: Asking, rules: Rules, options: Options) -> Findings:
    settings = who.settings
    not_asked = dict.fromkeys(NAMES, "offline") if options.offline else dict(who.why_not)
    if not options.offline:
        dsn = settings.database_url.reveal() if settings.database_url else None
        not_asked |= {vendor: f"paused by {act.actor}" for vendor, act in (await paused(dsn)).items()}
    if len(not_asked) < len(NAMES):
        say("Asking the vendors; contracts are read at Upwork's pace …")
    ten99policy = None if TEN99POLICY in not_asked else Ten99Policy(session, settings.ten99policy)
    if UPWORK in not_asked:
        found = await look_around(rules, settings.upwork.dialect, ten99policy, None)
    else:
        async with _known(settings.database_url, rules) as known, upwork_turns(settings) as turn:
            upwork = Upwork(session, settings.upwork, turn=turn)
            dry_run = DryRun(upwork, rules, options.contracts, known, _pace(settings.upwork))
            found = await look_around(rules, settings.upwork.dialect, ten99policy, dry_run)
    for vendor, why in not_asked.items():
        found.not_asked(vendor, why)
    return found


def _pace(settings: UpworkSettings) -> Pace:
    """As slow as a sweep, so that a service beside keeps its share; a sandbox has nobody to share with."""
    return Pace(0.0 if is_loopback(urlsplit(settings.url).hostname or "") else UPWORK_SECONDS)


@asynccontextmanager
async def _known(database: Secret | None, rules: Rules) -> AsyncIterator[Known]:
    """Names that people have decided and contractors that exist are no holes: the database knows them."""
    store = await _opened(database)
    if store is None:
        yield nobody
        return
    handler = Handler(store, lambda: rules)

    async def known(freelancer_id: str) -> KnownContractor:
        found = await handler.load_freelancer(freelancer_id)
        return KnownContractor(found.contractor_id, first_name=found.first_name, last_name=found.last_name)

    try:
        yield known
    finally:
        await store.close()


async def _opened(database: Secret | None) -> PostgresStore | None:
    if database is None:
        return None
    try:
        store = await PostgresStore.open(database.reveal(), utc_now, connections=1)
        try:
            await store.ready()
        except StoreUnavailable:
            await store.close()
            raise
    except (StoreUnavailable, asyncpg.PostgresError) as error:
        say(
            f"The database cannot tell who is known already ({type(error).__name__}): nobody counts as known."
        )
        return None
    return store


def _tell(file: Path | None, who: Asking, found: Findings, holes: list[Hole]) -> None:
    named = "the guide's example" if who.faked else "an empty one"
    say(f"{file or f'No file is named (COVERD_CONFIG), so {named}'}: every value is one coverd knows.")
    for vendor, what in found.asked.items():
        say(f"{NAMES[vendor]}{' (the sandbox here)' if vendor in who.faked else ''}: {what}")
    for hole in holes:
        put(f"{'HOLE' if hole.certain else 'note'}  {hole.code}: {hole.message}")
        put(f"      {hole.fix}")
        if hole.contracts:
            put(f"      {len(hole.contracts)} now: {listed(hole.contracts)}")
    certain = sum(hole.certain for hole in holes)
    unasked = [NAMES[vendor] for vendor, what in found.asked.items() if what.startswith("not asked")]
    if certain:
        say(f"{certain} hole{'s' if certain > 1 else ''}, the first to mend first.")
    elif unasked:
        say(f"No hole in the file; {' and '.join(unasked)} cannot tell more, not being asked.")
    else:
        say("No hole: nothing that was looked at would be held.")
