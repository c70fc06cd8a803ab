"""Every flow of the guide as a script over HTTP: what a company, a freelancer and the vendors do in turn.

Each flow takes a `Driver`, makes what it needs, waits for what the service must conclude, and answers
the engagement's id. The end-to-end tests run the same scripts.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from time import time_ns
from typing import Any

from service.demo.driver import Driver

Flow = Callable[[Driver], Awaitable[str]]

COI = [{"fileName": "certificate-of-insurance.pdf", "contentType": "application/pdf"}]

MONTH = int(timedelta(days=30).total_seconds())

_numbers = count(time_ns() // 1_000_000 % 10**9)


def someone() -> dict[str, Any]:
    """A freelancer nobody has met."""
    return {"id": f"fl_demo_{next(_numbers)}"}


async def first_time(drive: Driver) -> str:
    """First-time contractor → session → opt-in → insured."""
    engagement = await drive.contract(freelancer=someone())
    await drive.until_state(engagement, "awaiting_opt_in")
    await drive.complete_session(engagement)
    await drive.until_state(engagement, "insured")
    return engagement


async def first_time_to_the_end(drive: Driver) -> str:
    """… → ended."""
    engagement = await first_time(drive)
    await drive.activate(engagement)
    await drive.end(engagement)
    await drive.until_state(engagement, "ended")
    return engagement


async def returning(drive: Driver) -> str:
    """Returning contractor → assignment on contract.active → insured, without a second session."""
    person = someone()
    before = await drive.contract(freelancer=person)
    await drive.until_state(before, "awaiting_opt_in")
    await drive.complete_session(before)
    await drive.until(before, lambda s: s["state"] == "insured" and s["ten99policy"]["opted_in"])
    await _opt_in_shared(drive, before)
    engagement = await drive.contract(freelancer=person)
    await drive.until_state(engagement, "quoted")
    await drive.activate(engagement)
    await drive.until_state(engagement, "insured")
    return engagement


async def _opt_in_shared(drive: Driver, engagement: str) -> None:
    freelancer = (await drive.status(engagement))["freelancer"]["id"]

    async def known() -> bool:
        found = await drive.service.find(f"/v1/freelancers/{freelancer}")
        return found is not None and found["opted_in_at"] is not None

    await drive.until_true(known, f"freelancer {freelancer} opted in")


async def without_an_offer(drive: Driver) -> str:
    """contract.active with no offer before it → job, quote, session, insured."""
    engagement = await drive.contract(freelancer=someone(), offer=False)
    await drive.activate(engagement)
    await drive.until_state(engagement, "awaiting_opt_in")
    await drive.complete_session(engagement)
    await drive.until_state(engagement, "insured")
    return engagement


async def own_certificate(drive: Driver) -> str:
    """Own certificate → uploaded → validated → coi_validated."""
    engagement = await drive.contract(freelancer=someone(), attachments=COI)
    await drive.certificate(engagement, "approve")
    await drive.until_state(engagement, "coi_validated")
    return engagement


async def flagged_certificate(drive: Driver) -> str:
    """Certificate flagged → under_review."""
    engagement = await drive.contract(freelancer=someone(), attachments=COI)
    await drive.certificate(engagement, "flag")
    await drive.until_state(engagement, "under_review")
    return engagement


async def expired(drive: Driver) -> str:
    """Policy expired, nothing else covers → lapsed."""
    engagement = await first_time(drive)
    await drive.policy(engagement, "expire")
    await drive.until_state(engagement, "lapsed")
    return engagement


async def canceled_with_certificate(drive: Driver) -> str:
    """Policy cancelled while a valid certificate stands → falls back to coi_validated."""
    engagement = await drive.contract(freelancer=someone(), attachments=COI)
    await drive.certificate(engagement, "approve")
    await drive.until(
        engagement, lambda s: s["state"] == "coi_validated" and s["ten99policy"]["session"] is not None
    )
    await drive.complete_session(engagement)
    await drive.until_state(engagement, "insured")
    await drive.policy(engagement, "cancel")
    await drive.until_state(engagement, "coi_validated")
    return engagement


async def recovered(drive: Driver) -> str:
    """Cancelled → lapsed → reinstated → insured again."""
    engagement = await first_time(drive)
    await drive.policy(engagement, "cancel")
    await drive.until_state(engagement, "lapsed")
    await drive.policy(engagement, "reactivate")
    await drive.until_state(engagement, "insured")
    return engagement


async def invoiced(drive: Driver) -> str:
    """Insured, and the final pay recorded."""
    engagement = await first_time(drive)
    now = int(datetime.now(UTC).timestamp())
    await drive.service.post(
        f"/v1/engagements/{engagement}/invoices",
        {"gross_pay": 120_000, "paycycle_startdate": now, "paycycle_enddate": now},
    )
    await drive.until_event(engagement, "InvoiceRecorded")
    return engagement


async def ended_before_start(drive: Driver) -> str:
    """A returning contractor's contract ends before it starts → its assignment is cancelled by job."""
    engagement = await returning(drive)
    await drive.end(engagement)
    await drive.until_event(engagement, "CoverageEnded")
    return engagement


async def ended_after_start(drive: Driver) -> str:
    """A returning contractor's contract ends after it started → its assignment is shortened."""
    engagement = await returning(drive)
    await drive.upwork.post("/_control/clock", {"advance": MONTH})
    await drive.end(engagement)
    await drive.upwork.post("/_control/clock", {"now": None})
    await drive.until_event(engagement, "CoverageEnded")
    return engagement


async def unmapped_category(drive: Driver) -> str:
    """A category nobody mapped → an attention item that says what to do."""
    engagement = await drive.contract(
        freelancer=someone(), contract={"category": {"name": "Underwater Basket Weaving"}}
    )
    await drive.until(engagement, lambda s: "category_unmapped" in {a["code"] for a in s["attention"]})
    return engagement


FLOWS: dict[str, tuple[Flow, str]] = {
    "first-time contractor": (first_time, "insured"),
    "first-time, to the end": (first_time_to_the_end, "ended"),
    "returning contractor": (returning, "insured"),
    "no offer before it": (without_an_offer, "insured"),
    "own certificate": (own_certificate, "coi_validated"),
    "certificate flagged": (flagged_certificate, "under_review"),
    "policy expired": (expired, "lapsed"),
    "cancelled, certificate stands": (canceled_with_certificate, "coi_validated"),
    "recovered after a lapse": (recovered, "insured"),
    "invoice recorded": (invoiced, "insured"),
    "ended before start": (ended_before_start, "ended"),
    "ended after start": (ended_after_start, "ended"),
    "unmapped category": (unmapped_category, "contractor_ready"),
}
"""Every kind by name: its script, and the state it must end in."""
