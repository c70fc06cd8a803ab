"""Sets the gauges from the store, just before they are shown.

Every question here is a look into an index, or at a row that is kept ready: a scrape costs the same with a
million engagements as with none.
"""

from typing import Any, get_args

from domain.effects import Channel
from projections.runner import Runner
from service.clock import Clock
from service.metrics import Metrics
from service.ports import Backlog
from service.sources import Sources
from service.store.errors import as_unavailable
from service.store.postgres import PostgresStore
from service.vendors.report import VendorReport


class Measures:
    def __init__(
        self,
        metrics: Metrics,
        store: PostgresStore,
        runner: Runner,
        sources: Sources,
        vendors: VendorReport,
        clock: Clock,
    ) -> None:
        self._metrics = metrics
        self._store = store
        self._runner = runner
        self._sources = sources
        self._vendors = vendors
        self._clock = clock

    async def take(self) -> None:
        """Raises `StoreUnavailable`; what is measured of the store then stays as it was."""
        await self._backlogs()
        await self._read_models()
        await self._survey()
        await self._chain()
        await self._sources.measure()
        await self._vendors.measure(self._metrics)

    async def _backlogs(self) -> None:
        now = self._clock()

        def age(backlog: Backlog) -> float:
            return max((now - backlog.since).total_seconds(), 0.0) if backlog.since else 0.0

        inbox, outbox = await self._store.inbox_due(now), await self._store.outbox_due(now)
        self._metrics.inbox_due.set(inbox.due)
        self._metrics.inbox_due_seconds.set(age(inbox))
        for channel in get_args(Channel):
            backlog = outbox.get(channel, Backlog(0, None))
            self._metrics.outbox_due.labels(channel).set(backlog.due)
            self._metrics.outbox_due_seconds.labels(channel).set(age(backlog))

    async def _read_models(self) -> None:
        with as_unavailable():
            lags, since = await self._runner.lag(), await self._runner.lag_since()
        self._metrics.feed_lag.set(sum(lag.events for lag in lags))
        self._metrics.feed_stopped.set(sum(lag.stopped for lag in lags))
        behind = (self._clock() - since).total_seconds() if since else 0.0
        self._metrics.feed_lag_seconds.set(max(behind, 0.0))

    async def _survey(self) -> None:
        found = await self._store.survey()
        if found is None:
            return
        taken_at, counts = found
        self._metrics.survey_age.set(max((self._clock() - taken_at).total_seconds(), 0.0))
        _set_all(self._metrics.engagements, counts["states"])
        _set_all(self._metrics.uncovered, counts["uncovered"])
        _set_all(self._metrics.attention, counts["attention"])

    async def _chain(self) -> None:
        """How the last check of the hash chain that came to its end went."""
        for operation in await self._store.operations("verify", limit=5):
            if operation.result is not None and operation.ended_at is not None:
                self._metrics.chain_verified.set(operation.ended_at.timestamp())
                self._metrics.chain_faults.set(operation.result["faults"])
                return


def _set_all(gauge: Any, counts: dict[str, int]) -> None:
    """One series for each count, and none that is left from before."""
    gauge.clear()
    for label, count in counts.items():
        gauge.labels(label).set(count)
