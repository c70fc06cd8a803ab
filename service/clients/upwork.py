"""Upwork as coverd reads it: contract, dates, attachments and freelancer, in one request where possible."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from domain.values import Terms
from service.clients.documents import COMBINED, GUIDE_DOCUMENTS, terms_of_guide
from service.clients.fields import dig
from service.clients.http import TRY_AGAIN, Answer, Http, TooLong, VendorRefused, words
from service.clients.oauth import Tokens
from service.clients.pace import Pace
from service.clients.rows import (
    CLIENT_OFFERS,
    CONTRACTS_AT_ONCE,
    CONTRACTS_BY_ID,
    OFFERS_AT_ONCE,
    ContractRow,
    OfferRow,
    contract_rows,
    offer_rows,
)
from service.settings import UpworkSettings, is_loopback

MAX_ATTACHMENT = 15 * 1024 * 1024
"""Bytes; 1099Policy takes no larger certificate (fact sheet 6.9)."""

PER_SECOND = 10
"""Requests Upwork allows from one address (Upwork facts, section 5)."""

ATTACHMENT = "the attachment"


@dataclass(frozen=True, slots=True)
class GraphqlFault:
    """One entry of ``errors``: its words and the server's classification."""

    message: str
    classification: str | None

    @property
    def invalid_document(self) -> bool:
        return self.classification in ("ValidationError", "InvalidSyntax")

    @property
    def passing(self) -> bool:
        """The server failed while it gathered the data: what is missing may be there next time."""
        return self.classification in ("DataFetchingException", "INTERNAL_ERROR")


class Upwork:
    """Reads from Upwork. Raises `VendorUnavailable` (try again) or `VendorRefused` (do not)."""

    def __init__(self, session: aiohttp.ClientSession, settings: UpworkSettings) -> None:
        self._settings = settings
        self._home = _origin(URL(settings.url))
        self._http = Http(session, "Upwork")
        self._pace = Pace(1.1 / PER_SECOND)
        self._tokens = Tokens(self._http, settings, self._pace.turn)
        self._combined = list(COMBINED)

    async def read(self, engagement_id: str, freelancer_id: str) -> Terms:
        """Everything an engagement needs: one document, or the guide's four where it is refused."""
        variables = {"contractId": engagement_id, "freelancerId": freelancer_id}
        while self._combined:
            document = self._combined[0]
            data, faults = await self._ask("EngagementById", document, variables)
            if not any(fault.invalid_document for fault in faults):
                return self._terms(engagement_id, freelancer_id, data, faults)
            if self._combined and self._combined[0] is document:
                del self._combined[0]  # this server does not know its fields: never ask it so again
        return await self._read_apart(engagement_id, freelancer_id)

    async def _read_apart(self, engagement_id: str, freelancer_id: str) -> Terms:
        contract: dict[str, Any] = {}
        freelancer: dict[str, Any] = {}
        for name, document in GUIDE_DOCUMENTS.items():
            about = freelancer_id if name == "FreelancerById" else engagement_id
            data, faults = await self._ask(name, document, {"id": about})
            self._refuse(name, data, faults)
            contract |= _record(data, "contract")
            freelancer |= _record(data, "freelancer")
        return self._terms(engagement_id, freelancer_id, {"contract": contract, "freelancer": freelancer}, [])

    async def contracts(self, ids: Sequence[str]) -> list[ContractRow]:
        """These contracts as they stand, in tens; those Upwork does not know are left out.

        Like `offers`, as the reference has it in both dialects (Upwork facts 8.3).
        """
        found: list[ContractRow] = []
        for start in range(0, len(ids), CONTRACTS_AT_ONCE):
            some = list(ids[start : start + CONTRACTS_AT_ONCE])
            found += contract_rows(await self._list("ContractsById", CONTRACTS_BY_ID, {"ids": some}))
        return found

    async def offers(self, after: str | None = None) -> tuple[list[OfferRow], str | None]:
        """A page of the client's offers, oldest first, and the cursor of the next page, if there is one."""
        page = {"first": OFFERS_AT_ONCE, "after": after}
        return offer_rows(await self._list("ClientOffers", CLIENT_OFFERS, page), after)

    async def _list(self, name: str, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        data, faults = await self._ask(name, document, variables)
        if faults and not any(data.values()):
            raise self._refused(name, "; ".join(f.message for f in faults), 200)
        return data

    def _terms(
        self, engagement_id: str, freelancer_id: str, data: Mapping[str, Any], faults: list[GraphqlFault]
    ) -> Terms:
        contract = _record(data, "contract")
        if not contract:
            said = "; ".join(f.message for f in faults) or f"Upwork shows no contract {engagement_id}"
            raise self._refused("EngagementById", said, 200)
        return terms_of_guide(contract, _record(data, "freelancer"))

    def _refuse(self, name: str, data: Mapping[str, Any], faults: list[GraphqlFault]) -> None:
        """Partial data is normal (Upwork facts, section 4): faults are fatal only where nothing came."""
        if faults and not _record(data, "contract") and not _record(data, "freelancer"):
            raise self._refused(name, "; ".join(f.message for f in faults), 200)

    def _refused(self, what: str, why: str, status: int) -> VendorRefused:
        return VendorRefused(vendor="Upwork", what=what, why=words(why), status=status)

    async def _ask(
        self, name: str, document: str, variables: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[GraphqlFault]]:
        body = {"query": document, "variables": dict(variables), "operationName": name}
        answer = await self._send(body)
        if answer.status == 401:
            answer = await self._send(body)
        found = answer.json if isinstance(answer.json, dict) else None
        if answer.status != 200 or found is None:
            why = f"{answer.status} {words(str((found or {}).get('message') or 'without a reason'))}"
            if answer.status in TRY_AGAIN or answer.status >= 500 or found is None:
                raise self._http.unavailable(name, why, answer)
            raise self._refused(name, why, answer.status)
        faults = _faults(found)
        for fault in faults:
            if fault.passing:
                raise self._http.unavailable(name, words(fault.message), answer)
        data = found.get("data")
        return data if isinstance(data, dict) else {}, faults

    async def _send(self, body: dict[str, Any]) -> Answer:
        token = await self._tokens.access()
        headers = {"Authorization": f"Bearer {token}"}
        if self._settings.tenant_id:
            headers["X-Upwork-API-TenantId"] = self._settings.tenant_id
        await self._pace.turn()
        answer = await self._http.send("POST", f"{self._settings.url}/graphql", headers=headers, json=body)
        if answer.status == 401:
            self._tokens.spoiled(token)
        return answer

    async def download(self, url: str, allowed_hosts: tuple[str, ...]) -> bytes:
        """An attachment's bytes: from an allowed host only, a PDF of at most 15 MB (guide 4.6).

        Raises `VendorRefused` for anything that must not be fetched or sent on.
        """
        place = self._allowed(url, allowed_hosts)
        answer = await self._fetch(place)
        if answer.status != 200:
            raise self._not_downloaded(answer)
        if not answer.body.startswith(b"%PDF"):
            raise self._refused(ATTACHMENT, "it is not a PDF", 415)
        return answer.body

    def _allowed(self, url: str, allowed_hosts: tuple[str, ...]) -> URL:
        """The address as the request will use it, so that nothing is read differently in between."""
        try:
            place = URL(url)
        except ValueError:
            raise self._refused(ATTACHMENT, "its address cannot be read", 400) from None
        host = (place.raw_host or "").lower()
        upwork = not is_loopback(self._home[1] or "") and f".{host}".endswith(".upwork.com")
        listed = host in {allowed.strip().lower() for allowed in allowed_hosts}
        trusted = _origin(place) == self._home or (place.scheme == "https" and (upwork or listed))
        if not trusted or place.raw_user is not None or place.raw_password is not None:
            why = f"its host {host} is not allowed; list it under [attachments] allowed_hosts"
            raise self._refused(ATTACHMENT, why, 403)
        return place

    async def _fetch(self, place: URL) -> Answer:
        """The token goes to Upwork's own origin alone; refused once, it is renewed once."""
        if _origin(place) != self._home:
            return await self._get(place, {})
        token = await self._tokens.access()
        answer = await self._get(place, {"Authorization": f"Bearer {token}"})
        if answer.status != 401:
            return answer
        self._tokens.spoiled(token)
        return await self._get(place, {"Authorization": f"Bearer {await self._tokens.access()}"})

    async def _get(self, place: URL, headers: Mapping[str, str]) -> Answer:
        await self._pace.turn()
        try:
            return await self._http.send(
                "GET", str(place), headers=headers, what=ATTACHMENT, longest=MAX_ATTACHMENT
            )
        except TooLong:
            raise self._refused(ATTACHMENT, "it is larger than 15 MB", 413) from None

    def _not_downloaded(self, answer: Answer) -> Exception:
        why = f"the download answered {answer.status}"
        if answer.status in TRY_AGAIN or answer.status >= 500 or answer.status == 401:
            return self._http.unavailable(ATTACHMENT, why, answer)
        return self._refused(ATTACHMENT, why, answer.status)


def _origin(place: URL) -> tuple[str, str | None, int | None]:
    return place.scheme, place.raw_host, place.port


def _record(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = data.get(name)
    return found if isinstance(found, dict) else {}


def _faults(found: Mapping[str, Any]) -> list[GraphqlFault]:
    errors = found.get("errors")
    return [
        GraphqlFault(
            str(error.get("message") or "an error without words"), dig(error, "extensions.classification")
        )
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict)
    ]
