"""Both vendors in this process: ids follow from the engagement, deeds are counted, keys are honoured."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from replacing import replace
from story import COI, FRONTEND

from domain.effects import CreateAssignment, CreateQuote, RecordInvoice
from domain.values import ContractorDraft, JobDraft, Terms
from service.clients.http import VendorRefused, VendorUnavailable
from service.clients.vendor_clock import VendorClock
from service.clock import utc_now

Call = tuple[str, str]
"""Whom it is for (an engagement or a freelancer), and which of the client's methods."""


@dataclass(frozen=True)
class Record:
    """A policy at 1099Policy from this instant on, as its API shows it."""

    since: int
    shown: Mapping[str, Any]


@dataclass(frozen=True)
class Facts:
    """What is so at the vendors, whatever anybody was told of it.

    ``policies``: each policy's records, oldest first. ``assigned``: under which policy an assignment for
    an engagement comes. ``canceled``: from when on 1099Policy shows it as cancelled, and from which date.
    ``with_certificate``: the engagements that have one attached.
    """

    policies: Mapping[str, Sequence[Record]]
    assigned: Mapping[str, str]
    canceled: Mapping[str, tuple[int, int]]
    with_certificate: frozenset[str]


async def nothing() -> None:
    return None


class Vendors:
    """What the two clients share: the count of deeds, the stored answers, and the trouble to make.

    ``trouble`` says of each call whether it fails ``before`` the deed, ``after`` it, or not at all;
    ``meanwhile`` is what happens elsewhere while a call is in flight.
    """

    def __init__(self, facts: Facts, now: Callable[[], int]) -> None:
        self.facts = facts
        self.now = now
        self.done: Counter[Call] = Counter()
        self.trouble: Callable[[Call], str | None] = lambda _call: None
        self.meanwhile: Callable[[], Awaitable[None]] = nothing
        self._answers: dict[str, Any] = {}

    async def answer(self, call: Call, found: Callable[[], Any], key: str | None = None) -> Any:
        """A deed is done, and counted, once a key; a reading has no key and counts each time."""
        await self.meanwhile()
        trouble = self.trouble(call)
        if trouble == "before":
            raise VendorUnavailable(vendor="double", what=call[1], why="it cannot be reached")
        if key is None:
            said = found()
            self.done[call] += trouble is None
        else:
            if key not in self._answers:
                self._answers[key] = found()
                self.done[call] += 1
            said = self._answers[key]
        if trouble == "after":
            raise VendorUnavailable(vendor="double", what=call[1], why="the answer was lost")
        return said


class UpworkDouble:
    def __init__(self, vendors: Vendors) -> None:
        self._vendors = vendors

    async def read(self, engagement_id: str, freelancer_id: str, *, failures: int) -> Terms:
        attached = engagement_id in self._vendors.facts.with_certificate
        coi = replace(COI, id=f"at_{engagement_id}", url=f"https://upwork.example/{engagement_id}")
        terms = replace(FRONTEND, attachments=(coi,) if attached else ())
        found: Terms = await self._vendors.answer((engagement_id, "read"), lambda: terms)
        return found

    async def download(self, url: str, allowed_hosts: tuple[str, ...]) -> bytes:
        engagement_id = url.rpartition("/")[2]
        content = b"%PDF " + engagement_id.encode()
        found: bytes = await self._vendors.answer((engagement_id, "download"), lambda: content)
        return found


class Ten99PolicyDouble:
    clock = VendorClock(utc_now)
    ahead_by = 0.0
    """Seconds by which the vendor's clock is ahead of ours."""

    async def tell_time(self, *, anew: bool = False) -> None:
        """It is known."""

    def __init__(self, vendors: Vendors) -> None:
        self._vendors = vendors
        self._contractors: dict[str, dict[str, Any]] = {}
        self._assignments: dict[str, dict[str, Any]] = {}

    async def find_contractor(self, email: str) -> dict[str, Any] | None:
        call = email.partition("@")[0], "find_contractor"
        found: dict[str, Any] | None = await self._vendors.answer(call, lambda: self._contractors.get(email))
        return found

    async def create_contractor(self, freelancer_id: str, draft: ContractorDraft, key: str) -> dict[str, Any]:
        def make() -> dict[str, Any]:
            return self._contractors.setdefault(draft.email, {"id": f"cn_{freelancer_id}"})

        return await self._made(freelancer_id, "create_contractor", make, key)

    async def policies_of(self, contractor_id: str) -> list[dict[str, Any]]:
        """Those that an application has led to, even where news of others came before their time."""
        now = [self._shown(policy_id) for policy_id in self._vendors.facts.policies]
        theirs = [
            dict(policy)
            for policy in now
            if policy
            and policy["contractor"] == contractor_id
            and self._vendors.done[policy["quote"].removeprefix("qt_"), "open_session"]
        ]
        call = contractor_id.removeprefix("cn_"), "policies_of"
        found: list[dict[str, Any]] = await self._vendors.answer(call, lambda: theirs)
        return found

    async def policy(self, policy_id: str) -> dict[str, Any]:
        found = await self._vendors.answer((policy_id, "policy"), lambda: self._shown(policy_id))
        assert found is not None, f"{policy_id} is read before it was issued"
        return dict(found)

    def _shown(self, policy_id: str) -> Mapping[str, Any] | None:
        records = self._vendors.facts.policies[policy_id]
        return next((r.shown for r in reversed(records) if r.since <= self._vendors.now()), None)

    async def create_job(
        self, engagement_id: str, draft: JobDraft, key: str, *, send_region: bool
    ) -> dict[str, Any]:
        return await self._made(engagement_id, "create_job", lambda: {"id": f"jb_{engagement_id}"}, key)

    async def create_quote(
        self, quote: CreateQuote, key: str, *, effective_date: int, end_date: int
    ) -> dict[str, Any]:
        made = {
            "id": f"qt_{quote.engagement_id}",
            "effective_date": effective_date,
            "end_date": end_date,
        }
        return await self._made(quote.engagement_id, "create_quote", lambda: made, key)

    async def open_session(
        self, engagement_id: str, quote_id: str, urls: Mapping[str, str], key: str
    ) -> dict[str, Any]:
        made = {"id": f"ias_{engagement_id}", "url": f"https://apply.example/{engagement_id}"}
        return await self._made(engagement_id, "open_session", lambda: made, key)

    async def create_assignment(
        self, assignment: CreateAssignment, key: str, *, effective_date: int, end_date: int
    ) -> dict[str, Any]:
        engagement_id = assignment.engagement_id
        made = {
            "id": f"an_{engagement_id}",
            "job": assignment.job_id,
            "policy": self._vendors.facts.assigned[engagement_id],
            "effective_date": effective_date,
            "end_date": end_date,
            "eligible": {"result": True, "message": ""},
        }

        def make() -> dict[str, Any]:
            return self._assignments.setdefault(engagement_id, made)

        return await self._made(engagement_id, "create_assignment", make, key)

    async def read(self, path: str) -> Any:
        """One assignment, or the list of a job's."""
        place = urlsplit(path)
        job = parse_qs(place.query).get("job", [""])[0]
        engagement_id = (job or place.path.rpartition("/")[2]).partition("_")[2]
        row = self._assignments.get(engagement_id)
        shown = row and {**row, **self._cancellation(engagement_id)}
        rows = [shown] if shown and "starting_after" not in place.query else []
        found = rows if job else shown
        return await self._vendors.answer((engagement_id, "read_assignments"), lambda: found)

    def _cancellation(self, engagement_id: str) -> dict[str, Any]:
        since, canceled_at = self._vendors.facts.canceled.get(engagement_id, (None, None))
        if since is None or since > self._vendors.now():
            return {"cancelled": False}
        return {"cancelled": True, "cancellation_date": canceled_at}

    async def cancel_assignments(self, job_id: str, key: str) -> dict[str, Any]:
        return await self._over(job_id.removeprefix("jb_"), "cancel_assignments", key)

    async def shorten_assignment(self, assignment_id: str, end_date: int) -> dict[str, Any]:
        """A PUT has no key: it may be sent again, to the same effect."""
        engagement_id = assignment_id.removeprefix("an_")
        return await self._over(engagement_id, "shorten_assignment", f"{assignment_id} {end_date}")

    async def _over(self, engagement_id: str, method: str, key: str) -> dict[str, Any]:
        """What is cancelled already cannot be ended (fact sheet 6.7)."""
        if self._cancellation(engagement_id)["cancelled"]:
            await self._vendors.meanwhile()
            raise VendorRefused(vendor="double", what=method, why="it is cancelled", status=400)
        return await self._made(engagement_id, method, dict, key)

    async def upload_certificate(
        self, engagement_id: str, contractor_id: str, file_name: str, content: bytes, key: str
    ) -> dict[str, Any]:
        return await self._made(
            engagement_id, "upload_certificate", lambda: {"id": f"crt_{engagement_id}"}, key
        )

    async def create_invoice(self, invoice: RecordInvoice, key: str) -> dict[str, Any]:
        return await self._made(invoice.job_id, "create_invoice", lambda: {"id": f"in_{invoice.key}"}, key)

    async def _made(
        self, subject: str, method: str, make: Callable[[], dict[str, Any]], key: str
    ) -> dict[str, Any]:
        found: dict[str, Any] = await self._vendors.answer((subject, method), make, key)
        return found
