"""The 1099Policy API as coverd uses it (guide sections 4.1 to 4.7), in both dialects."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp

from domain.effects import CreateAssignment, CreateQuote, RecordInvoice
from domain.values import ContractorDraft, JobDraft
from service.clients.fields import dig, render
from service.clients.http import (
    TRY_AGAIN,
    Answer,
    CredentialsRefused,
    Http,
    Leave,
    Unusable,
    VendorRefused,
    VendorUnavailable,
    always,
    words,
)
from service.clients.vendor_clock import VendorClock
from service.clock import Clock, utc_now
from service.settings import Ten99PolicySettings


@dataclass(frozen=True, slots=True)
class Dialect:
    """Header names and field paths. The guide prints one shape, the vendor's reference another."""

    idempotency_header: str
    environment_always: bool
    contractor: Mapping[str, str]
    job: Mapping[str, str]
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Where the engagement id goes on quote, session, assignment and certificate, if anywhere."""


GUIDE = Dialect(
    idempotency_header="Idempotency-Key",
    environment_always=False,
    contractor={
        "first_name": "contact.first_name",
        "last_name": "contact.last_name",
        "email": "contact.email",
        "country": "address.country",
        "region": "address.region",
        "city": "address.city",
        "freelancer_id": "custom_metadata.upwork_freelancer_id",
    },
    job={
        "name": "name",
        "description": "description",
        "entity": "entity",
        "category_code": "category_code",
        "wage": "wage",
        "wage_type": "wage_type",
        "region": "region",
        "engagement_id": "custom_metadata.engagement_id",
    },
    metadata={"engagement_id": "custom_metadata.engagement_id"},
)

REFERENCE = Dialect(
    idempotency_header="Ten99Policy-Idempotent-Key",
    environment_always=True,
    contractor={
        "first_name": "first_name",
        "last_name": "last_name",
        "email": "email",
        "country": "address.country",
        "region": "address.region",
        "city": "address.locality",
        "freelancer_id": "custom_metadata.upwork_freelancer_id",
    },
    job={**GUIDE.job, "region": "address.region"},
)

CANCEL = "/assignments/cancel"

DIALECTS = {"guide": GUIDE, "reference": REFERENCE}


class Ten99Policy:
    """Every call coverd makes. Each raises `VendorUnavailable` (try again) or `VendorRefused` (do not)."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        settings: Ten99PolicySettings,
        clock: Clock = utc_now,
        leave: Leave = always,
    ) -> None:
        self._http = Http(session, "1099Policy", leave)
        self.clock = VendorClock(clock)
        self._base = f"{settings.url}/api/v1"
        self.dialect = settings.dialect
        self._dialect = DIALECTS[settings.dialect]
        self._headers = {"Authorization": f"Bearer {settings.api_key.reveal()}"}
        if self._dialect.environment_always or settings.environment == "production":
            self._headers["Ten99Policy-Environment"] = settings.environment

    @property
    def ahead_by(self) -> float:
        """Seconds by which the vendor's clock runs ahead of ours, by the Date of its latest answer."""
        return self.clock.ahead_by

    async def tell_time(self, *, anew: bool = False) -> None:
        """See to it that the vendor's clock is known: ask for anything where it has not answered yet, or
        ``anew`` in any case. One that cannot be reached, or is paused, is taken to have our time."""
        if anew or not self.clock.is_known:
            with suppress(VendorUnavailable, VendorRefused):
                await self._get("/events", {"limit": "1"})

    async def find_contractor(self, email: str) -> dict[str, Any] | None:
        """The contractor with exactly this e-mail (fact sheet 6.1), if there is one."""
        found = await self._get("/contractors", {"email": email})
        return next((c for c in _rows(found) if email.casefold() in _emails(c) and _is_id(c.get("id"))), None)

    async def create_contractor(self, freelancer_id: str, draft: ContractorDraft, key: str) -> dict[str, Any]:
        values = {
            "first_name": draft.first_name,
            "last_name": draft.last_name,
            "email": draft.email,
            "country": draft.country,
            "region": draft.region,
            "city": draft.city,
            "freelancer_id": freelancer_id,
        }
        person = draft.first_name, draft.last_name, f"{draft.first_name} {draft.last_name}"
        return await self._post("/contractors", render(self._dialect.contractor, values), key, person)

    async def policies_of(self, contractor_id: str) -> list[dict[str, Any]]:
        """The contractor's policies, newest first."""
        return _rows(await self._get(f"/contractors/{_part(contractor_id)}/policies"))

    async def policy(self, policy_id: str) -> dict[str, Any]:
        return await self._get_object(f"/policies/{_part(policy_id)}")

    async def create_job(
        self, engagement_id: str, draft: JobDraft, key: str, *, send_region: bool
    ) -> dict[str, Any]:
        values = {
            "name": draft.name,
            "description": draft.description,
            "entity": draft.entity,
            "category_code": draft.category_code,
            "wage": draft.wage,
            "wage_type": draft.wage_type,
            "region": draft.region if send_region else None,
            "engagement_id": engagement_id,
        }
        return await self._post("/jobs", render(self._dialect.job, values), key)

    async def create_quote(
        self, quote: CreateQuote, key: str, *, effective_date: int, end_date: int
    ) -> dict[str, Any]:
        body = {
            "contractor": quote.contractor_id,
            "job": quote.job_id,
            "coverage_type": list(quote.coverage_types),
            "effective_date": effective_date,
            "end_date": end_date,
            **self._metadata(quote.engagement_id),
        }
        return await self._post("/quotes", body, key)

    async def open_session(
        self, engagement_id: str, quote_id: str, urls: Mapping[str, str], key: str
    ) -> dict[str, Any]:
        """``urls``: success_url and cancel_url, where configured."""
        body = {"quote": quote_id, **urls, **self._metadata(engagement_id)}
        return await self._post("/apply/sessions", body, key)

    async def create_assignment(
        self, assignment: CreateAssignment, key: str, *, effective_date: int, end_date: int
    ) -> dict[str, Any]:
        body = {
            "contractor": assignment.contractor_id,
            "job": assignment.job_id,
            "effective_date": effective_date,
            "end_date": end_date,
            "coverage_type": list(assignment.coverage_types),
            **self._metadata(assignment.engagement_id),
        }
        return await self._post("/assignments", body, key)

    async def cancel_assignments(self, job_id: str, key: str) -> dict[str, Any]:
        """Cancel what was assigned for a job; only before it starts (fact sheet 6.7)."""
        body = {"job_id": job_id, "reason": "client_request"}
        return await self._post(CANCEL, body, key)

    async def shorten_assignment(self, assignment_id: str, end_date: int) -> dict[str, Any]:
        return await self._call("PUT", f"/assignments/{_part(assignment_id)}", json={"end_date": end_date})

    async def upload_certificate(
        self, engagement_id: str, contractor_id: str, file_name: str, content: bytes, key: str
    ) -> dict[str, Any]:
        """Multipart upload of a PDF (guide 4.6)."""
        form = aiohttp.FormData(quote_fields=False)  # names as browsers send them (RFC 7578)
        form.add_field("certificate", content, filename=_line(file_name), content_type="application/pdf")
        form.add_field("contractor", contractor_id)
        if self._dialect.metadata:
            form.add_field("custom_metadata[engagement_id]", engagement_id)
        headers = {self._dialect.idempotency_header: key}
        named = _line(file_name), file_name
        return await self._call("POST", "/files/certificates", form=form, headers=headers, unsaid=named)

    async def create_invoice(self, invoice: RecordInvoice, key: str) -> dict[str, Any]:
        body = {
            "contractor": invoice.contractor_id,
            "job": invoice.job_id,
            "gross_pay": invoice.gross_pay,
            "paycycle_startdate": invoice.paycycle_startdate,
            "paycycle_enddate": invoice.paycycle_enddate,
        }
        return await self._post("/invoices", body, key)

    async def read(self, path: str) -> Any:
        """Any object or list, by its path under ``/api/v1``."""
        return await self._get(path)

    async def register_webhook(self, url: str, key: str) -> dict[str, Any]:
        """Ask for every event to be sent to ``url``; the answer holds the endpoint's secret."""
        return await self._post("/webhook_endpoints", {"url": url, "description": "coverd"}, key)

    def _metadata(self, engagement_id: str) -> dict[str, Any]:
        return render(self._dialect.metadata, {"engagement_id": engagement_id})

    async def _post(
        self, path: str, body: dict[str, Any], key: str, unsaid: Collection[str] = ()
    ) -> dict[str, Any]:
        headers = {self._dialect.idempotency_header: key}
        return await self._call("POST", path, json=body, headers=headers, unsaid=unsaid)

    async def _get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        return self._checked("GET", path, await self._send("GET", path, params=params)).json

    async def _get_object(self, path: str) -> dict[str, Any]:
        return self._object("GET", path, await self._send("GET", path))

    async def _call(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        return self._object(method, path, await self._send(method, path, **sent))

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **sent: Any
    ) -> Answer:
        answer = await self._http.send(
            method, self._base + path, headers={**self._headers, **(headers or {})}, **sent
        )
        self.clock.read(answer.headers)
        return answer

    def _object(self, method: str, path: str, answer: Answer) -> dict[str, Any]:
        found = self._checked(method, path, answer).json
        needs_id = method != "PUT" and path != CANCEL
        if not isinstance(found, dict) or (needs_id and not _is_id(found.get("id"))):
            why = "it is no object with an id"
            raise Unusable(vendor="1099Policy", what=f"{method} {path}", why=why, status=answer.status)
        return found

    def _checked(self, method: str, path: str, answer: Answer) -> Answer:
        what = f"{method} {path}"
        if 200 <= answer.status < 300:
            if answer.json is None:
                raise self._http.unavailable(what, "the answer is not JSON", answer)
            return answer
        code, why = vendor_words(answer)
        not_theirs = "text/html" in answer.headers.get("Content-Type", "")
        if answer.status in TRY_AGAIN or answer.status >= 500 or code == "idempotency" or not_theirs:
            error = self._http.unavailable(what, f"{answer.status} {why}", answer)
            error.definite = answer.status >= 500 and code is not None
            raise error
        refusal = CredentialsRefused if answer.status in (401, 403) else VendorRefused
        raise refusal(
            vendor="1099Policy", what=what, why=f"{answer.status} {why}", status=answer.status, code=code
        )


def vendor_words(answer: Answer) -> tuple[str | None, str]:
    """``error_code`` and the message in words (fact sheet, section 4); never a body that isn't theirs."""
    body = answer.json if isinstance(answer.json, dict) else {}
    code = body.get("error_code")
    message = body.get("message")
    if isinstance(message, dict):
        message = ", ".join(f"{field}: {text}" for field, text in message.items())
    said = words(" ".join(str(part) for part in (code, message) if part), unsaid=answer.unsaid)
    return (code if isinstance(code, str) else None), said or "without a reason"


def _emails(contractor: Mapping[str, Any]) -> set[str]:
    """Folded: the vendor may keep an address in lower case."""
    found = (contractor.get("email"), dig(contractor, "contact.email"))
    return {email.casefold() for email in found if isinstance(email, str)}


def _is_id(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool) and bool(value)


def _line(file_name: str) -> str:
    """A file's name as a header can carry it."""
    return "".join(char if char.isprintable() else "_" for char in file_name)


def _part(id: str) -> str:
    """An id as one segment of a path."""
    return quote(id, safe="")


def _rows(found: Any) -> list[dict[str, Any]]:
    rows = found.get("data", []) if isinstance(found, Mapping) else found
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
