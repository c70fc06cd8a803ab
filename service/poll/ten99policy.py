"""What 1099Policy is asked: its events, and what live engagements have there."""

from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from typing import Any
from urllib.parse import quote

from domain.assignments import canceled_at, runs_on
from domain.ids import subject
from domain.state import Assignment, Engagement
from service.clients.fields import id_of, instant
from service.clients.http import CredentialsRefused, VendorRefused, VendorUnavailable
from service.clients.pages import PAGE, Row, back_to, rows
from service.clients.ten99policy import Ten99Policy
from service.handle import Handler
from service.poll.assignments import assignment_facts, deleted_facts, standing_facts
from service.poll.facts import Fact
from service.poll.policies import certificate_facts, gone_facts, policy_facts, running_policies
from service.poll.report import Unread
from service.ports import Store
from service.sources import TEN99POLICY

AT_MOST = 3
"""Failures in a row that may each be about one object: the third is the vendor's."""


async def event_pages(vendor: Ten99Policy, floor: int) -> AsyncIterator[list[Fact]]:
    """The vendor's events back to ``floor`` (epoch seconds), a page at a time, each page oldest first.

    A page that is known throughout ends nothing: webhooks may have brought it all, and lost one before it.
    """
    async for page in back_to(vendor.read, "/events", floor):
        yield [_event_fact(row) for row in reversed(page)]


def _event_fact(row: dict[str, Any]) -> Fact:
    return Fact("1099policy", row, str(id_of(row.get("id"))), instant(row.get("created")))


async def differences(
    vendor: Ten99Policy,
    store: Store,
    handler: Handler,
    engagements: Sequence[Engagement],
    now: int,
    unread: list[Unread],
) -> list[Fact]:
    """What the vendor shows of these engagements and they don't.

    A policy that runs here and is not in its contractor's list is asked for by its own id: a list may leave
    it out, but only what is gone answers 404. What the vendor refuses to show holds up nothing else: it goes
    to ``unread``.
    """
    asking = _Asking(vendor, unread)
    found: list[Fact] = []
    listed: set[str] = set()
    for contractor in dict.fromkeys(e.contractor_id for e in engagements if e.contractor_id):
        async for row in asking.all(f"/contractors/{quote(contractor, safe='')}/policies"):
            if (id := id_of(row.get("id"))) is not None:
                listed.add(id)
                found += policy_facts(row, await _concerned(store, handler, row), now)
    for missing in {id: None for e in engagements for id in running_policies(e, now) if id not in listed}:
        shown = await asking.one(f"/policies/{quote(missing, safe='')}")
        concerned = await _concerned(store, handler, {"id": missing})
        if shown is None:
            found += gone_facts(missing, concerned, now)
        elif id_of(shown.get("id")) == missing:
            found += policy_facts(shown, concerned, now)
    for engagement in engagements:
        for certificate in engagement.certificates.values():
            path = f"/files/certificates/{quote(certificate.certificate_id, safe='')}"
            if shown := await asking.one(path):
                found += certificate_facts(shown, certificate, now)
        for made in running(engagement, now):
            found += await _of_assignment(asking, engagement, made, now)
    return list({fact.body["id"]: fact for fact in found}.values())


async def _of_assignment(
    asking: "_Asking", engagement: Engagement, made: Assignment, now: int
) -> Iterable[Fact]:
    shown = await asking.one(f"/assignments/{quote(made.assignment_id, safe='')}")
    if shown is None:
        return deleted_facts(engagement, made, now)
    return assignment_facts(shown, engagement, made, now)


def running(engagement: Engagement, now: int) -> list[Assignment]:
    """The assignments that may still change: none that is cancelled, of earlier terms none that is over."""
    standing = [a for a in engagement.assignments if canceled_at(engagement, a.assignment_id) is None]
    return [a for a in standing if a is engagement.assignment or runs_on(engagement, a, now)]


async def unknown_assignments(store: Store, handler: Handler, page: Sequence[Row], until: int) -> list[Fact]:
    """Those made before ``until`` for a job of ours whose engagement, live or over, knows of none."""
    found: list[Fact] = []
    for row in reversed(page):
        job = id_of(row.get("job"))
        for stream in await store.streams_of("job", job) if job else ():
            if stream.startswith("engagement:"):
                found += standing_facts(row, await handler.load(subject(stream)), until)
    return found


async def _concerned(store: Store, handler: Handler, row: dict[str, Any]) -> list[Engagement]:
    """The engagements whose contract still runs that the policy leads to; by its quote where it does not."""
    for kind, id in (("policy", id_of(row.get("id"))), ("quote", id_of(row.get("quote")))):
        streams = await store.streams_of(kind, id) if id else ()
        loaded = [await handler.load(subject(s)) for s in streams if s.startswith("engagement:")]
        if loaded:
            return [engagement for engagement in loaded if not engagement.over]
    return []


class _Asking:
    """Reads what may be gone, or not shown while all else is; that our key is no good is raised."""

    def __init__(self, vendor: Ten99Policy, unread: list[Unread]) -> None:
        self._vendor = vendor
        self._unread = unread
        self._failures = 0

    async def all(self, path: str) -> AsyncIterator[Row]:
        """The rows of a list, none where whom it belongs to is gone."""
        after: str | None = None
        while page := await self._read(path, rows(self._vendor.read, path, after)):
            for row in page:
                yield row
            last = id_of(page[-1].get("id"))
            if len(page) < PAGE or last in (None, after):
                return
            after = last

    async def one(self, path: str) -> Row | None:
        """An object by its path, None where there is none any more; empty where it is not shown."""
        found = await self._read(path, self._vendor.read(path))
        return found if isinstance(found, dict) or found is None else {}

    async def _read(self, path: str, reading: Awaitable[Any]) -> Any:
        """What is read, None where there is none, and ``()`` where it is not shown.

        A failure that the vendor itself tells of may be about this alone; one after the other are not.
        """
        try:
            found = await reading
        except VendorRefused as refused:
            if isinstance(refused, CredentialsRefused) and refused.status != 403:
                raise
            found = self._without(path, refused)
        except VendorUnavailable as failed:
            self._failures += 1
            if failed.status != 500 or not failed.definite or self._failures >= AT_MOST:
                raise
            return self._without(path, failed)
        self._failures = 0
        return found

    def _without(self, path: str, error: VendorRefused | VendorUnavailable) -> Any:
        if error.status == 404:
            return None
        self._unread.append(Unread(TEN99POLICY, f"GET {path}", str(error), error.plain))
        return ()
