"""What the client makes at the sandbox is found again by what was asked for, and by nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import pytest
from aiohttp import ClientSession
from msgspec.structs import replace
from ten99policy_driver import CONTRACTOR, ENDS, GUIDE_NOW, KEY, PDF, STARTS, Sandbox, running
from vendor_double import PROOF

from domain import effects as x
from domain.values import JobDraft, Window
from service.clients.ten99policy import Ten99Policy
from service.effects.standing import Making, standing
from service.settings import Secret, Ten99PolicySettings

WHILE = Window(STARTS, ENDS)
DRAFT = JobDraft("Frontend", "Build it", "en_abc123", "SOFTWARE_ENGINEERING_CONTRACT", 7500, "hourly")
BEGAN = int(datetime.fromisoformat(GUIDE_NOW).timestamp())


@dataclass
class Made:
    """Each effect, and what the vendor made of it."""

    client: Ten99Policy
    ids: list[tuple[Making, str]]

    async def look(self, effect: Making, *known: str, since: int = BEGAN) -> str | None:
        async def is_known(id: str) -> bool:
            return id in known

        row = await standing(self.client, effect, is_known, since)
        return None if row is None else str(row["id"])


@asynccontextmanager
async def made(dialect: Literal["guide", "reference"]) -> AsyncIterator[Made]:
    async with running() as sandbox, ClientSession() as session:
        settings = Ten99PolicySettings(sandbox.url, Secret(KEY), "sandbox", dialect, PROOF)
        client = Ten99Policy(session, settings)
        _, policy = await sandbox.insured()
        yield Made(client, [one async for one in _all(client, sandbox, policy)])


async def _all(client: Ten99Policy, sandbox: Sandbox, policy: Any) -> AsyncIterator[tuple[Making, str]]:
    _, (contractor, *_) = await sandbox.get(f"/contractors?email={CONTRACTOR['contact']['email']}")
    theirs, dates = contractor["id"], {"effective_date": STARTS, "end_date": ENDS}
    job = x.CreateJob("9002", DRAFT)
    job_id = (await client.create_job("9002", DRAFT, "k1", send_region=False))["id"]
    yield job, job_id
    quote = x.CreateQuote("9002", theirs, job_id, ("professional",), WHILE)
    quote_id = (await client.create_quote(quote, "k2", **dates))["id"]
    yield quote, quote_id
    session = x.OpenSession("9002", "fl_12345", quote_id, may_have_opted_in=False)
    yield session, (await client.open_session("9002", quote_id, {}, "k3"))["id"]
    assignment = x.CreateAssignment("9002", theirs, job_id, ("general",), WHILE)
    yield assignment, (await client.create_assignment(assignment, "k4", **dates))["id"]
    upload = x.UploadCertificate("9002", theirs, "0" * 64, "acord-25.pdf")
    yield upload, (await client.upload_certificate("9002", theirs, "acord-25.pdf", PDF, "k5"))["id"]
    invoice = x.RecordInvoice("k", theirs, job_id, 120_000, STARTS, ENDS)
    yield invoice, (await client.create_invoice(invoice, "k6"))["id"]


OTHERS: dict[type[Making], dict[str, Any]] = {
    x.CreateJob: {"engagement_id": "9003"},
    x.CreateQuote: {"window": Window(STARTS, ENDS + 10 * 86_400)},
    x.OpenSession: {"quote_id": "qt_none"},
    x.CreateAssignment: {"window": Window(ENDS, ENDS + 86_400)},
    x.UploadCertificate: {"file_name": "another.pdf"},
    x.RecordInvoice: {"gross_pay": 120_001},
}
"""What makes each effect another, for which something else would be made."""


@pytest.mark.parametrize("dialect", ["guide", "reference"])
async def test_what_was_made_is_found_by_what_was_asked_for_alone(
    dialect: Literal["guide", "reference"],
) -> None:
    async with made(dialect) as stands:
        assert [type(effect) for effect, _ in stands.ids] == list(OTHERS)
        for effect, id in stands.ids:
            assert await stands.look(effect) == id
            assert await stands.look(effect, id) is None, "it is spoken for"
            assert await stands.look(replace(effect, **OTHERS[type(effect)])) is None
            assert await stands.look(effect, since=BEGAN + 3 * 86_400) is None, "it was there before"
