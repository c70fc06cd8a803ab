"""One sweep of a source: what it says and nobody here knows is kept, processed and reported."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import uniform

from domain.ids import subject
from domain.state import Engagement
from service.clients.fields import instant
from service.clients.http import CredentialsRefused, VendorRefused, VendorUnavailable
from service.clients.pace import Pace
from service.clients.pages import back_to
from service.clients.rows import CONTRACTS_AT_ONCE, ContractRow, OfferRow
from service.clients.ten99policy import Ten99Policy
from service.clients.upwork import Upwork
from service.clock import Clock, epoch
from service.handle import Handler
from service.ingest.process import Processor
from service.lists import ReadModels
from service.metrics import Metrics
from service.poll.contracts import shown
from service.poll.facts import Fact, Source
from service.poll.report import Found, Report, Unread
from service.poll.ten99policy import differences, event_pages, running, unknown_assignments
from service.poll.upwork import contract_facts, offer_facts
from service.ports import SourceState, Store
from service.vendors.gate import Gate

OVERLAP = timedelta(hours=1)
"""How far behind its cursor a sweep of events looks again: a vendor's list may fill in late."""

LOOK_BACK = timedelta(days=1)
"""How far back the first sweep looks for events, and any for contracts that ended unknown."""

GRACE = timedelta(minutes=1)
"""How long a webhook may be on its way before its absence counts as drift, to the sweeps of the loop."""

ENGAGEMENTS = {"upwork": 500, "1099policy": 200}
"""How many live engagements one sweep compares, those compared longest ago first."""

LONGEST = 6 * 3600.0
"""For how many seconds a vendor's `Retry-After` is kept at most."""

OFFER_PAGES = 20
UPWORK_SECONDS = 0.4
"""Between two requests of a sweep: half of the 300 a minute that Upwork allows are left to the effects."""

SOURCES: tuple[Source, ...] = ("upwork", "1099policy")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a sweep works with."""

    store: Store
    handler: Handler
    processor: Processor
    upwork: Upwork
    ten99policy: Ten99Policy
    lists: ReadModels
    metrics: Metrics
    clock: Clock


class Reconciler:
    """Sweeps the sources, one after the other, and notes in the store how each answered.

    ``silence``: how long one may leave that unanswered; None: nobody asks but by hand.
    """

    def __init__(
        self,
        parts: Parts,
        gate: Gate,
        poll_seconds: float,
        silence: timedelta | None,
        upwork_seconds: float = UPWORK_SECONDS,
    ) -> None:
        self._parts = parts
        self._poll_seconds = poll_seconds
        self._silence = silence
        self._pace = Pace(upwork_seconds)
        self._gate = gate
        self._one_at_a_time = asyncio.Lock()

    async def everything(self) -> Report:
        """A sweep of all there is, now. What it found is processed when this returns."""
        report = Report()
        for source in SOURCES:
            await self.sweep(source, report, whole=True)
        return report

    async def sweep(self, source: Source, report: Report, *, whole: bool = False) -> Report:
        """One source: the next part of it, or the ``whole``. A vendor that fails is noted, never raised, and
        one that is paused is not asked."""
        error: str | None = None
        wish = 0.0
        async with self._one_at_a_time:
            try:
                await self._ask(source, report, whole)
            except CredentialsRefused as refused:
                error = report.errors[source] = str(refused)
                report.plain[source] = refused.plain
                if refused.of_all and refused.status != 403:  # that may be about sweeps alone
                    await self._gate.refused_all(source, refused)
            except (VendorUnavailable, VendorRefused) as failed:
                error = report.errors[source] = str(failed)
                report.plain[source] = failed.plain
                wish = (failed.retry_after if isinstance(failed, VendorUnavailable) else None) or 0.0
            else:
                await self._gate.answered(source)
            now = self._parts.clock()
            seconds = max(self._poll_seconds * uniform(0.9, 1.1), min(wish, LONGEST))
            due_at = now + timedelta(seconds=seconds)
            await self._parts.store.asked(source, now, error, due_at, self._silence)
        return report

    async def _ask(self, source: Source, report: Report, whole: bool) -> None:
        state = await self._state(source)
        await self._gate.leave(source)
        run = _Sweep(self._parts, self._pace, source, state, report, whole)
        await (run.upwork() if source == "upwork" else run.ten99policy())

    async def _state(self, source: Source) -> SourceState:
        await self._parts.store.watch_source(source, self._parts.clock())
        return next(s for s in await self._parts.store.sources() if s.name == source)


class _Sweep:
    def __init__(
        self, parts: Parts, pace: Pace, source: Source, state: SourceState, report: Report, whole: bool
    ) -> None:
        self._parts = parts
        self._pace = pace
        self._source = source
        self._since = epoch(state.since)
        self._report = report
        self._whole = whole

    async def ten99policy(self) -> None:
        await self._events()
        await self._assignments()
        vendor, store = self._parts.ten99policy, self._parts.store
        async for batch, cursor in self._live():
            now = self._there()
            asked = len({e.contractor_id for e in batch if e.contractor_id})
            asked += sum(len(e.certificates) + len(running(e, now)) for e in batch)
            self._count("policies, certificates and assignments", asked)
            unread: list[Unread] = []
            facts = await differences(vendor, store, self._parts.handler, batch, now, unread)
            self._not_shown(unread)
            await self._bring(facts, cursor)

    def _there(self) -> int:
        """Now, by the clock that 1099Policy's own news is dated by."""
        return epoch(self._parts.clock()) + int(self._parts.ten99policy.ahead_by)

    async def _events(self) -> None:
        name = "1099policy:events"
        floor, latest = await self._place(name)
        async for page in event_pages(self._parts.ten99policy, floor):
            self._count("events")
            await self._bring(page, None)
            latest = max([latest, *(f.said_at for f in page if f.said_at is not None)])
        await self._moved(name, latest)

    async def _assignments(self) -> None:
        """Those made lately, or all: an answer that was lost leaves one that nobody here knows."""
        name, until = "1099policy:assignments", self._there() - int(GRACE.total_seconds())
        floor, latest = await self._place(name)
        vendor, store = self._parts.ten99policy, self._parts.store
        async for page in back_to(vendor.read, "/assignments", 0 if self._whole else floor):
            self._count("assignments made lately")
            await self._bring(await unknown_assignments(store, self._parts.handler, page, until), None)
            made = [created for row in page if (created := instant(row.get("created"))) is not None]
            latest = max([latest, *(created for created in made if created <= until)])
        await self._moved(name, latest)

    async def _place(self, name: str) -> tuple[int, int]:
        """How far back to look, and how far the last sweep came, in epoch seconds."""
        place = await self._parts.store.cursor(name)
        if place is None:
            return epoch(self._parts.clock() - LOOK_BACK), 0
        return int(place) - int(OVERLAP.total_seconds()), int(place)

    async def _moved(self, name: str, latest: int) -> None:
        """Only once all pages are in: a sweep that breaks off begins again where this one did."""
        await self._bring([], (name, str(min(latest, epoch(self._parts.clock())))))

    async def upwork(self) -> None:
        await self._offers()
        async for batch, cursor in self._live():
            by_id = {engagement.engagement_id: engagement for engagement in batch}
            rows = await self._contracts(list(by_id))
            now = epoch(self._parts.clock())
            facts = [f for r in rows if (e := by_id.get(r.contract_id)) for f in contract_facts(r, e, now)]
            await self._bring(facts, cursor)

    async def _offers(self) -> None:
        name = "upwork:offers"
        after = None if self._whole else await self._parts.store.cursor(name) or None
        pages = 0
        while self._whole or pages < OFFER_PAGES:
            await self._pace.turn()
            self._count("offers")
            rows, following = await self._parts.upwork.offers(after)
            facts = await self._of_offers(rows)
            await self._bring(facts, None if self._whole else (name, following or ""))
            pages, after = pages + 1, following
            if following is None:
                return

    async def _of_offers(self, offers: Sequence[OfferRow]) -> list[Fact]:
        """News of accepted offers whose contract nobody here knows; not of those that ended long ago."""
        now = epoch(self._parts.clock())
        recent = now - int(LOOK_BACK.total_seconds())
        fresh: dict[str, OfferRow] = {}
        for offer in offers:
            past = offer.state == "Ended" and (offer.updated_at is None or offer.updated_at < recent)
            if offer.contract_id is None or past or await self._knows(offer.contract_id):
                continue
            fresh[offer.contract_id] = offer
        contracts = {row.contract_id: row for row in await self._contracts(list(fresh))} if fresh else {}
        return [f for id, offer in fresh.items() for f in offer_facts(offer, contracts.get(id), now)]

    async def _knows(self, engagement_id: str) -> bool:
        return (await self._parts.handler.load(engagement_id)).version > 0

    async def _contracts(self, ids: Sequence[str]) -> list[ContractRow]:
        found: list[ContractRow] = []
        unread: list[Unread] = []
        for first in range(0, len(ids), CONTRACTS_AT_ONCE):
            found += await shown(self._listed, ids[first : first + CONTRACTS_AT_ONCE], unread)
        self._not_shown(unread)
        return found

    async def _listed(self, ids: Sequence[str]) -> list[ContractRow]:
        await self._pace.turn()
        self._count("contracts")
        return await self._parts.upwork.contracts(ids)

    def _not_shown(self, unread: Sequence[Unread]) -> None:
        self._report.unread += unread
        self._parts.metrics.unread.labels(self._source).inc(len(unread))

    async def _live(self) -> AsyncIterator[tuple[list[Engagement], tuple[str, str] | None]]:
        """Engagements whose contract runs, in batches, each with the cursor to move when it is done.

        A cursor that goes round and round looks at those first that were looked at longest ago.
        """
        name, limit = f"{self._source}:engagements", ENGAGEMENTS[self._source]
        after = None if self._whole else _place(await self._parts.store.cursor(name))
        while True:
            rows = await self._parts.lists.live(after, limit)
            if not rows and after is not None and not self._whole:
                after = None
                continue
            loaded = [await self._parts.handler.load(id) for _, id in rows]
            batch = [e for e in loaded if e.version > 0 and not e.over]
            self._report.checked[self._source] += len(batch)
            after = rows[-1] if len(rows) == limit else None
            place = "" if after is None else f"{after[0].isoformat()} {after[1]}"
            yield batch, None if self._whole else (name, place)
            if after is None or not self._whole:
                return

    def _count(self, what: str, requests: int = 1) -> None:
        self._report.asked[self._source, what] += requests

    async def _bring(self, facts: Sequence[Fact], cursor: tuple[str, str] | None) -> None:
        """Keep the facts with the cursor's move, and process those that are new, in order."""
        now = self._parts.clock()
        deliveries = [fact.delivery(now) for fact in facts]
        if not deliveries and cursor is None:
            return
        kept = await self._parts.store.receive_polled(deliveries, cursor)
        for fact, (delivery_id, new) in zip(facts, kept, strict=True):
            if new:
                await self._settle(fact, delivery_id)

    async def _settle(self, fact: Fact, delivery_id: str) -> None:
        stored = await self._parts.processor.handle(delivery_id)
        outcome = stored.outcome if stored else None
        now = self._there() if fact.source == "1099policy" else epoch(self._parts.clock())
        late = fact.is_late(self._since, now - int(GRACE.total_seconds()))
        if self._whole:  # who asks for all there is waits for no webhook: what that heals counts
            late = late or (fact.webhook and outcome == "applied")
        if late:
            self._parts.metrics.drift.labels(fact.source, fact.type).inc()
        self._parts.metrics.deliveries.labels(fact.source, "polled").inc()
        reached = tuple(subject(stream) for stream in stored.streams) if stored else ()
        self._report.found.append(
            Found(fact.source, fact.type, fact.about, delivery_id, outcome, reached, late)
        )


def _place(text: str | None) -> tuple[datetime, str] | None:
    created_at, _, engagement_id = (text or "").partition(" ")
    return (datetime.fromisoformat(created_at), engagement_id) if engagement_id else None
