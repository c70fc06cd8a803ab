"""The error table of the sweeps: whatever a vendor answers, no news is lost and none is told twice."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from contracts.given import NOON
from replicas import CONFIG
from vendor_double import Says
from vendor_errors.client import ID, PDF
from vendor_errors.of_1099policy import API, refused
from vendor_errors.of_upwork import graphql, plain
from vendor_errors.places import assigned
from vendor_errors.rows import FOR_EVER, Call, Fate, Row, refusal
from vendor_errors.stages import Stage, stage_of
from vendor_errors.sweeps import LEFT_OUT, LISTED, ROWS

from domain import commands as c
from service.clock import epoch
from service.handle import Origin
from service.ingest.process import Processor
from service.poll.reconcile import Parts, Reconciler
from service.poll.report import Report
from service.ports import SourceState

NEWS = {
    "1099policy": (
        "invoice.charge_card_succeeded",
        "policy.canceled",
        "certificate.validated",
        "assignment.changed",
    ),
    "upwork": ("offer.accepted", "contract.active", "contract.ended"),
}
"""What nobody here knows of what each vendor shows."""


@dataclass
class Live:
    """The list of engagements whose contract runs."""

    ids: tuple[str, ...] = (ID,)

    async def live(self, after: tuple[datetime, str] | None, _limit: int) -> list[tuple[datetime, str]]:
        return [] if after else [(NOON, id) for id in self.ids]


class Sweeps:
    def __init__(self, stage: Stage) -> None:
        replica = stage.replica
        desk = replica.worker._desk
        store, clock = stage.scene.store, stage.scene.clock
        processor = Processor(store, replica.handler, CONFIG, clock, replica.metrics)
        self.lists = Live()
        parts = Parts(
            store,
            replica.handler,
            processor,
            desk.upwork,
            desk.ten99policy,
            self.lists,  # type: ignore[arg-type]
            replica.metrics,
            clock,
        )
        self.reconciler = Reconciler(parts, replica.gate, 300, timedelta(hours=1), upwork_seconds=0)
        self.stage, self.found = stage, Counter[str]()

    async def sweep(self) -> Report:
        self.stage.scene.clock.move(300)
        report = await self.reconciler.sweep(self.stage.row.vendor, Report())
        self.found.update(found.type for found in report.found)
        return report

    async def source(self) -> SourceState:
        known = await self.stage.scene.store.sources()
        return next(source for source in known if source.name == self.stage.row.vendor)

    async def mended(self) -> None:
        """The vendor works again, and the next sweep tells all that is left to tell; then nothing is left."""
        self.stage.recover()
        for _ in range(2):
            report = await self.sweep()
            assert not report.errors
            assert not report.unread
        assert self.found == Counter(NEWS[self.stage.row.vendor])
        assert (await self.source()).error is None
        assert await self.stage.replica.report.attention() == []


async def insured(stage: Stage) -> None:
    """Covered by an assignment, with a certificate that is looked at; and the vendors say no more."""
    await assigned(stage)
    sha256 = await stage.scene.store.put_file(PDF)
    await stage.tell(lambda now: c.SubmitCertificate(now, "acord-25.pdf", sha256))
    await stage.work()
    stage.scene.clock.move(60)
    now, ledger = stage.ledger.now(), stage.ledger
    ledger.events = [{"id": "ev_1", "type": "invoice.charge_card_succeeded", "created": now, "data": {}}]
    ledger.policy |= {"status": "cancelled", "cancellation_date": now}
    ledger.made["/files/certificates"][0] |= {"status": "approved", "updated": now}
    ledger.made["/assignments"][0]["end_date"] += 86_400
    ledger.listed = stage.row.place != LEFT_OUT
    stage.armed = True


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_what_becomes_of_a_sweep(row: Row) -> None:
    async with stage_of(row, insured) as stage:
        sweeps = Sweeps(stage)
        report = await sweeps.sweep()
        assert stage.hits, "the call was made"
        await FATES[row.fate](sweeps, report)
        await sweeps.mended()


async def test_a_vendor_that_fails_at_one_thing_after_the_other_is_not_passed_over() -> None:
    broken = Call("sweep", LISTED, f"GET {API}/{{}}/{{}}").row("500", refused(500), "asked again")
    async with stage_of(broken, insured) as stage:
        sweeps, usual = Sweeps(stage), stage.at_1099policy
        stage.scene.ten99policy._otherwise = lambda asked: (
            broken.says if asked.path.count("/") > "/api/v1/a-list".count("/") else usual(asked)
        )
        await _asked_again(sweeps, await sweeps.sweep())


@pytest.mark.parametrize(("asked", "kept"), [("2", 330), ("3600", 3600), ("999999", 6 * 3600)])
async def test_a_sweep_does_not_come_back_before_the_vendor_wishes_it(asked: str, kept: int) -> None:
    busy = refusal(429, "rate_limit", **{"Retry-After": asked})
    row = Call("sweep", LISTED, f"GET {API}/events").row("429, Retry-After", busy, "asked again", FOR_EVER)
    async with stage_of(row, insured) as stage:
        sweeps = Sweeps(stage)
        await _asked_again(sweeps, await sweeps.sweep())
        wait = (await sweeps.source()).due_at - stage.scene.clock()
        assert (wait <= timedelta(seconds=kept)) if kept == 330 else (wait == timedelta(seconds=kept))
        await sweeps.mended()


@pytest.mark.parametrize(
    "spoilt",
    [graphql("Authorization failed"), graphql("boom", "DataFetchingException"), plain(500)],
    ids=["refused", "failed while it gathered", "500"],
)
async def test_one_contract_that_upwork_does_not_show_hides_no_other(spoilt: Says) -> None:
    with_it = Call("sweep", LISTED, "ContractsById").row("one of them", spoilt, "passed over")
    async with stage_of(with_it, insured) as stage:
        sweeps, usual = Sweeps(stage), stage.client
        sweeps.lists.ids = (ID, "9003")
        origin, offer = Origin("told", "d", "webhook:upwork"), c.AcceptOffer(epoch(NOON), "of_9003", "fl_3")
        await stage.replica.handler.engagement("9003", offer, origin)
        stage.scene.upwork._otherwise = lambda asked: spoilt if b'"9003"' in asked.body else usual(asked)
        report = await sweeps.sweep()
        assert not report.errors
        assert [(one.source, one.what) for one in report.unread] == [("upwork", "contract 9003")]
        assert sweeps.found == Counter(NEWS["upwork"])

        sweeps.lists.ids = ("9003",)
        assert (await sweeps.sweep()).errors.keys() == {"upwork"}, "nothing at all is shown"


async def _asked_again(sweeps: Sweeps, report: Report) -> None:
    row = sweeps.stage.row
    assert report.errors.keys() == {row.vendor}
    source = await sweeps.source()
    assert (source.asked_at, source.error) == (None, report.errors[row.vendor])
    assert sweeps.found != Counter(NEWS[row.vendor])
    assert (await sweeps.stage.replica.gate.look()).closed == frozenset()


async def _the_vendor_waits(sweeps: Sweeps, report: Report) -> None:
    assert report.errors.keys() == {sweeps.stage.row.vendor}
    shut = [(b.vendor, b.operation) for b in (await sweeps.stage.replica.gate.look()).breakers.values()]
    assert shut == [(sweeps.stage.row.vendor, "*")]


async def _done(sweeps: Sweeps, report: Report) -> None:
    assert not report.errors
    assert not report.unread
    assert sweeps.found == Counter(NEWS[sweeps.stage.row.vendor])


async def _a_new_token(sweeps: Sweeps, report: Report) -> None:
    await _done(sweeps, report)
    assert sweeps.stage.client.tokens == 2


async def _passed_over(sweeps: Sweeps, report: Report) -> None:
    """Everything else was told, and people are told what was not read."""
    assert not report.errors
    (unread,) = report.unread
    assert "In the vendor's words." in unread.why
    assert (await sweeps.source()).asked_at is not None
    by_id = "contractors" in sweeps.stage.row.call  # then the policy is asked for alone
    assert sum(sweeps.found.values()) == (4 if by_id else 3)


async def _gone(sweeps: Sweeps, report: Report) -> None:
    """What the vendor knows nothing of any more covers no more; of a certificate that says nothing."""
    assert not report.errors
    assert not report.unread
    engagement = await sweeps.stage.scene.engagement(ID)
    path = sweeps.stage.row.call
    if "policies" in path:
        assert [news.kind for news in engagement.policies["pl_1"].news] == ["active", "canceled"]
        assert engagement.policies["pl_1"].news[-1].ended_at == epoch(sweeps.stage.scene.clock())
    if "assignments" in path:
        assert sweeps.found["assignment.cancelled"] == 1
        sweeps.found -= Counter(["assignment.cancelled"])
        sweeps.found += Counter(["assignment.changed"])
    if "certificates" in path:
        assert engagement.certificates["ci_1"].verdict == "pending"


FATES: Mapping[Fate, Callable[[Sweeps, Report], Awaitable[None]]] = {
    "asked again": _asked_again,
    "the vendor waits": _the_vendor_waits,
    "passed over": _passed_over,
    "gone": _gone,
    "a new token": _a_new_token,
    "done": _done,
}
