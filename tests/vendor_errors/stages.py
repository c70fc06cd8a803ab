"""An engagement brought to where an operation makes its calls, before two vendors that know how to fail."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import count
from typing import Any

import aiohttp
from contracts.given import NOON, Clock
from golden_guide import CONTRACT, FREELANCER
from replicas import CONFIG, Replica, Scene, scene
from vendor_double import TOKEN, Asked, Says, token
from vendor_errors.ledger import Ledger
from vendor_errors.rows import Row, dated
from yarl import URL

from domain import commands as c
from service.clients import http
from service.clock import epoch
from service.handle import Handler, Origin

ID, FREELANCER_ID = "9001", "fl_9001"
STARTS, ENDS = NOON + timedelta(days=10), NOON + timedelta(days=70)
PDF = b"%PDF-1.7 a certificate"
FILE = "/files/acord-25.pdf"
WHOLE = 15 * 1024 * 1024
"""The most bytes that a file may have."""
A_MOMENT = aiohttp.ClientTimeout(total=0.05)

_causes = count(1)


@dataclass
class Client:
    """Upwork as far as one contract goes: tokens, what is asked by the guide's documents, and a file."""

    attached: list[dict[str, Any]] = field(default_factory=list)
    starts: datetime = STARTS
    ends: datetime | None = ENDS
    in_parts: bool = False
    """It refuses the document that asks for everything at once."""
    by_reference: bool = False
    tokens: int = 0

    def __call__(self, asked: Asked) -> Says:
        if asked.path == TOKEN:
            self.tokens += 1
            return token(self.tokens)
        if asked.path == FILE:
            return Says(200, body=PDF, headers={"Content-Type": "application/pdf"})
        if "query Categories" in asked.json["query"]:
            row = {"id": "1", "preferredLabel": "Web, Mobile & Software Dev"}
            return Says(200, {"data": {"ontologyCategories": [row]}})
        if "query ClientOffers" in asked.json["query"]:
            return Says(200, {"data": {"organization": {"clientOffers": {"edges": self.offers()}}}})
        if "query ContractsById" in asked.json["query"]:
            return Says(200, {"data": self.contracts(asked.json["variables"]["ids"])})
        if self.in_parts and "query EngagementById" in asked.json["query"]:
            fault = {"message": "No such field", "extensions": {"classification": "ValidationError"}}
            return Says(200, {"errors": [fault]})
        return Says(200, {"data": self.by_the_reference() if self.by_reference else self.everything()})

    def offers(self) -> list[dict[str, Any]]:
        """One that was accepted and nobody here knows."""
        of = {"company": {"id": "cl_1"}, "freelancer": {"id": "fl_9002"}, "contractDetails": {"id": "9002"}}
        node = {"id": "of_9002", "state": "Active", "lastUpdatedDateTime": epoch(NOON), **of}
        return [{"cursor": "1", "node": node}]

    def contracts(self, ids: list[str]) -> dict[str, Any]:
        """What was ours is over, what is new runs."""
        status = {ID: "CLOSED", "9002": "ACTIVE"}
        rows = [{"id": id, "status": status[id], "modifyDate": epoch(NOON)} for id in ids]
        return {"contractList": {"contracts": [row | {"endDate": epoch(NOON)} for row in rows]}}

    def by_the_reference(self) -> dict[str, Any]:
        dates = {"startDate": STARTS.isoformat(), "endDate": ENDS.isoformat()}
        names = {"id": FREELANCER_ID, "firstName": "Ava", "lastName": "Nguyen"}
        rate = {"hourlyRate": {"rawValue": "75.00", "currency": "USD"}, "id": "40077"}
        about = {"content": {"description": CONTRACT["description"]}}
        category = {"classification": {"category": CONTRACT["category"]}}
        terms = {"terms": {"hourlyTerms": [rate]}, "job": {**about, **category}}
        contract = {"id": ID, "title": CONTRACT["title"], **dates, "freelancer": names, **terms}
        return {"contractDetails": contract, "userDetails": names}

    def everything(self) -> dict[str, Any]:
        ends = self.ends and self.ends.isoformat()
        contract = {**CONTRACT, "startDate": self.starts.isoformat(), "endDate": ends}
        contract |= {"id": ID, "attachments": self.attached}
        return {"contract": contract, "freelancer": {**FREELANCER, "id": FREELANCER_ID}}


@dataclass
class Stage:
    """``armed``: from now on the row's call is answered as the row says."""

    row: Row
    scene: Scene
    replica: Replica
    ledger: Ledger
    client: Client
    armed: bool = False
    hits: int = 0
    first_key: str | None = None
    asked: list[Asked] = field(default_factory=list)
    """What the row is about, as it came in while armed."""

    def at_upwork(self, asked: Asked) -> Says:
        return self._faulty(asked, self.client)

    def at_1099policy(self, asked: Asked) -> Says:
        begun = self.row.to_all and self.row.vendor == "1099policy" and self.hits
        says = dated(self.row.says) if begun and self.armed else self._faulty(asked, self.ledger)
        date = {"Date": format_datetime(self.scene.clock(), usegmt=True)}
        return replace(says, headers=date | says.headers)

    def _faulty(self, asked: Asked, usual: Callable[[Asked], Says]) -> Says:
        query = asked.json["query"] if asked.path == "/graphql" else ""
        if not self.armed or not self.row.is_of(asked.method, asked.path, query):
            return usual(asked)
        self.asked.append(asked)
        key = asked.headers.get("Idempotency-Key")
        self.first_key = self.first_key or key
        if self.hits >= self.row.times or (self.row.stored and key != self.first_key):
            return usual(asked)
        self.hits += 1
        if self.row.made:
            usual(asked)
        return dated(self.row.says)

    def recover(self) -> None:
        self.armed = False

    async def tell(self, command: Callable[[int], c.EngagementCommand]) -> None:
        """A command of now, whoever gives it."""
        origin = Origin(f"told-{next(_causes)}", "d", "webhook:upwork")
        now = epoch(self.scene.clock())
        await Handler(self.scene.store, CONFIG.rules).engagement(ID, command(now), origin)

    async def work(self) -> None:
        await self.replica.work()

    async def offer(self) -> None:
        await self.tell(lambda now: c.AcceptOffer(now, "of_9001", FREELANCER_ID))
        await self.work()

    async def activate(self) -> None:
        await self.tell(lambda now: c.ActivateContract(now, "of_9001", FREELANCER_ID))
        await self.work()

    async def end(self) -> None:
        await self.tell(lambda now: c.EndContract(now, now))
        await self.work()


Place = Callable[[Stage], Awaitable[None]]


@contextmanager
def impatient(stage: Stage) -> Iterator[None]:
    """An answer that never comes is waited for only a moment, all others as long as ever."""
    send, patient = http.Http.send, http.TIMEOUT

    async def sent(self: http.Http, method: str, url: str, **more: Any) -> http.Answer:
        query = (more.get("json") or {}).get("query", "")
        never = stage.armed and not stage.hits and stage.row.is_of(method, URL(url).path, query)
        http.TIMEOUT = A_MOMENT if never else patient
        return await send(self, method, url, **more)

    http.Http.send = sent  # type: ignore[method-assign]
    try:
        yield
    finally:
        http.Http.send, http.TIMEOUT = send, patient  # type: ignore[method-assign]


@asynccontextmanager
async def stage_of(row: Row, place: Place) -> AsyncIterator[Stage]:
    clock = Clock()
    async with scene(None, clock) as set_up:
        stage = Stage(row, set_up, set_up.make(), Ledger(clock), Client())
        set_up.upwork._otherwise, set_up.ten99policy._otherwise = stage.at_upwork, stage.at_1099policy
        stage.ledger.policy = {
            "id": "pl_1",
            "status": "active",
            "created": epoch(NOON) - 86_400,
            "effective_date": epoch(NOON),
            "expiration_date": epoch(ENDS + timedelta(days=30)),
        }
        with impatient(stage) if row.says.ends == "never" else nullcontext():
            await place(stage)
            yield stage


async def offered(stage: Stage) -> None:
    """A freelancer whom 1099Policy does not know: contract, contractor, job, quote, session."""
    stage.armed = True
    await stage.offer()


async def offered_in_parts(stage: Stage) -> None:
    stage.client.in_parts = True
    await offered(stage)


async def offered_to_one_known(stage: Stage) -> None:
    """1099Policy knows the contractor, who has opted in before."""
    stage.ledger.known = True
    await offered(stage)


async def offered_by_the_reference(stage: Stage) -> None:
    stage.client.by_reference = True
    stage.replica = stage.scene.make(dialect="reference")
    await offered(stage)


async def offered_by_the_reference_in_parts(stage: Stage) -> None:
    stage.client.in_parts = True
    await offered_by_the_reference(stage)


async def attached(stage: Stage) -> None:
    """A possible certificate hangs on the contract."""
    url = f"{stage.scene.upwork.base}{FILE}"
    stage.client.attached = [{"id": "at_1", "fileName": "acord-25.pdf", "url": url}]
    await offered(stage)


async def activated(stage: Stage) -> None:
    """The contract of one who has opted in begins: the assignment, and the reading of its policy."""
    stage.ledger.known = True
    await stage.offer()
    stage.armed = True
    await stage.activate()


async def activated_without_a_policy(stage: Stage) -> None:
    """The same, where the assignment does not say under which policy it comes."""
    stage.ledger.names_policy = False
    await activated(stage)


async def ended_before_its_start(stage: Stage) -> None:
    await assigned(stage)
    stage.armed = True
    await stage.end()


async def ended_after_its_start(stage: Stage) -> None:
    await assigned(stage)
    stage.scene.clock.move((STARTS - NOON).total_seconds() + 86_400)
    await stage.work()
    stage.armed = True
    await stage.end()


async def ended_when_others_had_cancelled(stage: Stage) -> None:
    """The assignment refuses to be shortened, and is looked at."""
    await assigned(stage)
    stage.scene.clock.move((STARTS - NOON).total_seconds() + 86_400)
    await stage.work()
    stage.ledger.made["/assignments"][0] |= {"cancelled": True, "cancellation_date": stage.ledger.now()}
    stage.armed = True
    await stage.end()


async def handed_in(stage: Stage) -> None:
    """A certificate of their own."""
    await stage.offer()
    sha256 = await stage.scene.store.put_file(PDF)
    stage.armed = True
    await stage.tell(lambda now: c.SubmitCertificate(now, "acord-25.pdf", sha256))
    await stage.work()


async def begun(stage: Stage) -> None:
    """A contract that has run for longer than a day is read: whether its term is over is for the vendor's
    clock to say."""
    stage.client.starts = NOON - timedelta(days=30)
    stage.client.ends = None
    await offered(stage)


def afresh(path: str, begin: Callable[[Stage], Awaitable[None]]) -> Place:
    """A person has tried again what was refused once: what an earlier try made is looked for first."""

    async def place(stage: Stage) -> None:
        stage.ledger.refuses = {f"POST {path}": "invalid_input"}
        await begin(stage)
        stage.ledger.refuses = {}
        stage.armed = True
        await stage.tell(lambda now: c.RequestRetry(now, "it is mended"))
        await stage.work()

    return place


async def paid(stage: Stage) -> None:
    """Final pay is to be recorded."""
    await stage.offer()
    stage.armed = True
    await stage.tell(lambda now: c.RequestInvoice(now, "k1", 120_000, epoch(STARTS), epoch(ENDS)))
    await stage.work()


async def assigned(stage: Stage) -> None:
    stage.ledger.known = True
    await stage.offer()
    await stage.activate()


PLACES: dict[str, Place] = {
    "an offer": offered,
    "an offer, read in parts": offered_in_parts,
    "an offer to one who is known": offered_to_one_known,
    "an offer, by the reference": offered_by_the_reference,
    "an offer, by the reference in parts": offered_by_the_reference_in_parts,
    "an offer with a file": attached,
    "a start": activated,
    "a start under whatever policy": activated_without_a_policy,
    "an end before the start": ended_before_its_start,
    "an end": ended_after_its_start,
    "an end of what others cancelled": ended_when_others_had_cancelled,
    "a certificate": handed_in,
    "final pay": paid,
    "an offer of one that has begun": begun,
    "a job, tried afresh": afresh("/jobs", offered),
    "a quote, tried afresh": afresh("/quotes", offered),
    "a session, tried afresh": afresh("/apply/sessions", offered),
    "a start, tried afresh": afresh("/assignments", activated),
    "a certificate, tried afresh": afresh("/files/certificates", handed_in),
    "final pay, tried afresh": afresh("/invoices", paid),
}
