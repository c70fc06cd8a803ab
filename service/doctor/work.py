"""What runs and what waits: workers, backlogs, read models, webhooks, vendors, and what needs a person."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from projections.runner import Runner
from service.clock import Clock
from service.doctor.check import Check, fail, graded, ok, spoken, warn
from service.doctor.settings import NAMES
from service.ports import SourceState
from service.store.postgres import PostgresStore
from service.vendors.gate import Gate
from service.vendors.report import option, paused_words

if TYPE_CHECKING:
    from service.store.lines import Pool

LATELY = timedelta(days=7)
WORKER_GONE = 300.0
"""Seconds after which somebody would have counted, if any worker ran."""

FIX_WORKER = "Run coverd serve with the role all or worker; its /livez must answer."


class Work:
    def __init__(self, store: PostgresStore, pool: "Pool", clock: Clock, silence_seconds: float) -> None:
        self._store = store
        self._pool = pool
        self._clock = clock
        self._silence = timedelta(seconds=silence_seconds)

    async def worker(self) -> Sequence[Check]:
        found = await self._store.survey()
        if found is None:
            return [warn("worker", "No worker has ever run on this database.", FIX_WORKER)]
        age = self._ago(found[0])
        said = f"A worker was last seen at work {spoken(age)} ago."
        return [ok("worker", said) if age < WORKER_GONE else fail("worker", said, FIX_WORKER)]

    async def backlog(self) -> Sequence[Check]:
        now = self._clock()
        inbox = await self._store.inbox_due(now)
        age = self._ago(inbox.since)
        said = f"{inbox.due} deliveries are due, the longest for {spoken(age)}."
        fix = "See that a process runs, and what its log tells of sweeps of the inbox."
        checks = [graded("inbox", age, 60, 300, said if inbox.due else "No delivery waits.", fix)]
        outbox = await self._store.outbox_due(now)
        for channel, backlog in sorted(outbox.items()):
            age = self._ago(backlog.since)
            said = f"{backlog.due} calls on {channel} are due, the longest for {spoken(age)}."
            fix = "See coverd vendors and COVERD_WORKERS, and that a worker runs."
            checks.append(graded("outbox", age, 60, 900, said, fix))
        return checks if outbox else [*checks, ok("outbox", "No call waits.")]

    async def attention(self) -> Sequence[Check]:
        found = await self._store.survey()
        counts: dict[str, int] = found[1]["attention"] if found else {}
        if not counts:
            return [ok("attention", "Nothing on any engagement waits for a person.")]
        told = ", ".join(f"{n:,} {code}" for code, n in sorted(counts.items()))
        return [warn("attention", f"It waits for a person: {told}.", "See coverd attention --grouped.")]

    async def read_models(self) -> Sequence[Check]:
        runner = Runner(self._pool)
        lags, since = await runner.lag(), await runner.lag_since()
        stopped = sum(lag.stopped for lag in lags)
        if stopped:
            said = f"Read models stopped in {stopped} buckets at an event they cannot take."
            return [fail("read models", said, "Run the newest coverd, or coverd rebuild engagements.")]
        events, age = sum(lag.events for lag in lags), self._ago(since)
        said = f"Lists and feed are {events:,} events and {spoken(age)} behind the log."
        fix = "See that a worker runs; they catch up by themselves."
        return [graded("read models", age, 10, 120, said if events else "Lists and feed are current.", fix)]

    async def webhooks(self) -> Sequence[Check]:
        lately = await self._store.webhooks_since(self._clock() - LATELY)
        return [self._heard(source, lately.get(source)) for source in NAMES]

    def _heard(self, source: str, at: datetime | None) -> Check:
        name = f"{NAMES[source]} webhooks"
        if at is None:
            said = f"No webhook of {NAMES[source]} came within {LATELY.days} days."
            fix = f"Point them at https://<you>/webhooks/{source}; asking makes up for it, minutes late."
            return warn(name, said, fix)
        return ok(name, f"The last one came {spoken(self._ago(at))} ago.")

    async def sources(self) -> Sequence[Check]:
        return [check for source in await self._store.sources() for check in self._source(source)]

    def _source(self, source: SourceState) -> Iterator[Check]:
        name = f"{NAMES.get(source.name, source.name)} polling"
        answered = source.asked_at or source.since
        ago = spoken(self._ago(answered))
        said = f"It last answered {ago} ago." if source.asked_at else f"It has not answered since {ago} ago."
        if source.error is None and self._clock() - answered < self._silence:
            yield ok(name, said)
        elif self._clock() - answered < self._silence:
            yield warn(name, f"{said} Now: {source.error}", "See the check of the vendor itself.")
        else:
            fix = "Mend what it says; until then every live engagement's cover is unknown."
            yield fail(name, f"{said} {source.error or 'Nobody asks it.'}", fix)

    async def vendors(self) -> Sequence[Check]:
        seen = await Gate(self._store, self._clock).look()
        checks = []
        for act in seen.pauses.values():
            fix = f"coverd resume {act.vendor}{option(act)} --reason …"
            checks.append(warn("vendors", paused_words(act), fix))
        for breaker in seen.breakers.values():
            if breaker.is_open:
                said = f"{NAMES[breaker.vendor]} ({breaker.operation}) is left alone: {breaker.error}"
                checks.append(fail("vendors", said, f"Mend it; then coverd resume {breaker.vendor}."))
        return checks or [ok("vendors", "No vendor is paused or left alone.")]

    async def proof(self) -> Sequence[Check]:
        done = [o for o in await self._store.operations("verify", limit=5) if o.result is not None]
        if not done:
            return [warn("log", "It was never verified.", "Run coverd verify, every week from then on.")]
        last, age = done[0], self._ago(done[0].ended_at)
        faults = last.result["faults"] if last.result else 0
        if faults:
            said = f"coverd verify found {faults} faults {spoken(age)} ago."
            return [fail("log", said, "See docs/operations.md, CoverdChainBroken.")]
        said = f"It was verified {spoken(age)} ago, {last.result['events'] if last.result else 0:,} events."
        return [graded("log", age, 8 * 86_400, float("inf"), said, "Run coverd verify every week.")]

    def _ago(self, at: datetime | None) -> float:
        return max((self._clock() - at).total_seconds(), 0.0) if at else 0.0
