"""What 1099Policy is asked: its events, and what live engagements have there."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import quote

from domain.ids import subject
from domain.state import Engagement
from service.clients.fields import id_of, instant
from service.clients.http import VendorRefused
from service.clients.ten99policy import Ten99Policy
from service.handle import Handler
from service.poll.facts import Fact
from service.poll.policies import assignment_facts, certificate_facts, policy_facts
from service.ports import Store

PAGE = 100
"""The most a list gives at once (fact sheet, section 3)."""


async def event_pages(vendor: Ten99Policy, floor: int) -> AsyncIterator[list[Fact]]:
    """The vendor's events back to ``floor`` (epoch seconds), a page at a time, each page oldest first.

    A page that is known throughout ends nothing: webhooks may have brought it all, and lost one before it.
    """
    after: str | None = None
    seen: set[str] = set()
    while True:
        page = await _rows(vendor, "/events", after)
        facts = [_event_fact(row) for row in page if (id_of(row.get("id")) or "") not in {"", *seen}]
        if not facts:
            return
        yield facts[::-1]
        seen |= {fact.about for fact in facts}
        after = facts[-1].about
        if all(fact.said_at is not None and fact.said_at < floor for fact in facts):
            return


def _event_fact(row: dict[str, Any]) -> Fact:
    return Fact("1099policy", row, str(id_of(row.get("id"))), instant(row.get("created")))


async def differences(
    vendor: Ten99Policy, store: Store, handler: Handler, engagements: Sequence[Engagement], now: int
) -> list[Fact]:
    """What the vendor shows of these engagements and they don't."""
    found: list[Fact] = []
    for contractor in dict.fromkeys(e.contractor_id for e in engagements if e.contractor_id):
        async for row in _all(vendor, f"/contractors/{quote(contractor, safe='')}/policies"):
            concerned = await _concerned(store, handler, row)
            if concerned:
                found += policy_facts(row, concerned, now)
    for engagement in engagements:
        for certificate in engagement.certificates.values():
            path = f"/files/certificates/{quote(certificate.certificate_id, safe='')}"
            if shown := await _one(vendor, path):
                found += certificate_facts(shown, certificate, now)
        if engagement.assignment:
            path = f"/assignments/{quote(engagement.assignment.assignment_id, safe='')}"
            if shown := await _one(vendor, path):
                found += assignment_facts(shown, engagement, now)
    return list({fact.body["id"]: fact for fact in found}.values())


async def _concerned(store: Store, handler: Handler, row: dict[str, Any]) -> list[Engagement]:
    """The engagements whose contract still runs that the policy leads to; by its quote where it does not."""
    for kind, id in (("policy", id_of(row.get("id"))), ("quote", id_of(row.get("quote")))):
        streams = await store.streams_of(kind, id) if id else ()
        loaded = [await handler.load(subject(s)) for s in streams if s.startswith("engagement:")]
        if loaded:
            return [engagement for engagement in loaded if not engagement.over]
    return []


async def _all(vendor: Ten99Policy, path: str) -> AsyncIterator[dict[str, Any]]:
    after: str | None = None
    while page := await _rows(vendor, path, after):
        for row in page:
            yield row
        last = id_of(page[-1].get("id"))
        if len(page) < PAGE or last in (None, after):
            return
        after = last


async def _rows(vendor: Ten99Policy, path: str, after: str | None) -> list[dict[str, Any]]:
    behind = f"&starting_after={quote(after, safe='')}" if after else ""
    found = await vendor.read(f"{path}?limit={PAGE}{behind}")
    rows = found.get("data") if isinstance(found, dict) else found
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


async def _one(vendor: Ten99Policy, path: str) -> dict[str, Any] | None:
    """An object by its path, None where there is none any more."""
    try:
        found = await vendor.read(path)
    except VendorRefused as refused:
        if refused.status == 404:
            return None
        raise
    return found if isinstance(found, dict) else None
