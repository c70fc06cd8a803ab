"""Upwork as coverd reads it: contract, dates, attachments and freelancer, in one request where possible."""

from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
from yarl import URL

from domain.values import Terms
from service.clients.dialects import DIALECTS
from service.clients.fields import dig, id_of
from service.clients.graphql import Graphql, refused
from service.clients.http import TRY_AGAIN, Answer, Http, TooLong, VendorRefused
from service.clients.oauth import Tokens
from service.clients.pace import Pace
from service.clients.rows import (
    CATEGORIES,
    CLIENT_OFFERS,
    CONTRACTS_AT_ONCE,
    CONTRACTS_BY_ID,
    OFFERS_AT_ONCE,
    ContractRow,
    OfferRow,
    contract_rows,
    offer_rows,
)
from service.clock import Clock, epoch, utc_now
from service.settings import UpworkSettings, is_loopback

MAX_ATTACHMENT = 15 * 1024 * 1024
"""Bytes; 1099Policy takes no larger certificate (fact sheet 6.9)."""

PER_SECOND = 10
"""Requests Upwork allows from one address (Upwork facts, section 5)."""

ATTACHMENT = "the attachment"


class Upwork:
    """Reads from Upwork. Raises `VendorUnavailable` (try again) or `VendorRefused` (do not)."""

    def __init__(
        self, session: aiohttp.ClientSession, settings: UpworkSettings, clock: Clock = utc_now
    ) -> None:
        self._home = _origin(URL(settings.url))
        self._http = Http(session, "Upwork")
        self._pace = Pace(1.1 / PER_SECOND)
        self._tokens = Tokens(self._http, settings, self._pace.turn)
        self._graphql = Graphql(self._http, settings, self._tokens, self._pace)
        self._dialect = DIALECTS[settings.dialect]
        self._at_once = list(self._dialect.at_once)
        self._clock = clock

    @property
    def contract_names_freelancer(self) -> bool:
        """Whether a contract can be read for a freelancer that no news has named."""
        return self._dialect.named_at is not None

    async def read(self, engagement_id: str, freelancer_id: str | None) -> Terms:
        """Everything an engagement needs: in one request, or in parts where that is refused.

        Without a ``freelancer_id`` they are whom the contract names, where the dialect shows it.
        """
        if freelancer_id is not None:
            found = await self._read_at_once(engagement_id, freelancer_id)
            if found is not None:
                return found
        elif self._dialect.named_at is None:
            raise refused("EngagementById", "the contract does not name its freelancer")
        return await self._read_apart(engagement_id, freelancer_id)

    async def _read_at_once(self, engagement_id: str, freelancer_id: str) -> Terms | None:
        """None where the parts may still be read one by one."""
        said = self._dialect
        variables = {"contractId": engagement_id, "freelancerId": freelancer_id}
        while self._at_once:
            document = self._at_once[0]
            found = await self._graphql.ask("EngagementById", document, variables)
            unknown = any(fault.invalid_document for fault in found.faults)
            contract = found.record(said.contract)
            if not unknown and (contract or said.named_at is None):
                return self._terms(engagement_id, contract, found.record(said.freelancer), found.words)
            if not unknown and not any(fault.beyond_scope for fault in found.faults):
                return None
            if self._at_once and self._at_once[0] is document:
                del self._at_once[
                    0
                ]  # this server or this key does not know its fields: never ask it so again
        return None

    async def _read_apart(self, engagement_id: str, freelancer_id: str | None) -> Terms:
        said = self._dialect
        contract = await self._gather(said.contract, said.of_contract, engagement_id)
        person = freelancer_id or (id_of(dig(contract, said.named_at)) if said.named_at else None)
        freelancer: dict[str, Any] = {}
        try:
            if person is not None:
                freelancer = await self._gather(said.freelancer, said.of_freelancer, person)
        except VendorRefused as error:
            if said.named_at is None or error.status != 200:
                raise
        return self._terms(engagement_id, contract, freelancer, "")

    async def _gather(self, root: str, documents: Mapping[str, str], id: str) -> dict[str, Any]:
        """What several documents say of one object; faults are fatal only where nothing came."""
        record: dict[str, Any] = {}
        for name, document in documents.items():
            found = await self._graphql.ask(name, document, {"id": id})
            if found.faults and not found.record(root):
                raise refused(name, found.words)
            record |= found.record(root)
        return record

    def _terms(
        self, engagement_id: str, contract: dict[str, Any], freelancer: dict[str, Any], why: str
    ) -> Terms:
        if not contract:
            raise refused("EngagementById", why or f"Upwork shows no contract {engagement_id}")
        if (shown := id_of(contract.get("id"))) not in (None, engagement_id):
            raise refused("EngagementById", f"asked for contract {engagement_id}, it shows contract {shown}")
        return self._dialect.terms(contract, freelancer, epoch(self._clock()))

    async def contracts(self, ids: Sequence[str]) -> list[ContractRow]:
        """These contracts as they stand, in tens; those Upwork does not know are left out.

        Like `offers`, as the reference has it in both dialects (Upwork facts 8.3).
        """
        found: list[ContractRow] = []
        for start in range(0, len(ids), CONTRACTS_AT_ONCE):
            some = list(ids[start : start + CONTRACTS_AT_ONCE])
            rows = contract_rows(await self._list("ContractsById", CONTRACTS_BY_ID, {"ids": some}))
            found += [row for row in rows if row.contract_id in some]
        return found

    async def offers(self, after: str | None = None) -> tuple[list[OfferRow], str | None]:
        """A page of the client's offers, oldest first, and the cursor of the next page, if there is one."""
        page = {"first": OFFERS_AT_ONCE, "after": after}
        return offer_rows(await self._list("ClientOffers", CLIENT_OFFERS, page), after)

    async def categories(self) -> list[tuple[str, str]]:
        """Id and label of each of Upwork's top categories (Upwork facts, section 10)."""
        found = (await self._list("Categories", CATEGORIES, {})).get("ontologyCategories")
        rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
        return [(str(row.get("id")), str(row.get("preferredLabel"))) for row in rows]

    async def _list(self, name: str, document: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        found = await self._graphql.ask(name, document, variables)
        if found.faults and not any(found.data.values()):
            raise refused(name, found.words)
        return found.data

    async def download(self, url: str, allowed_hosts: tuple[str, ...]) -> bytes:
        """An attachment's bytes: from an allowed host only, a PDF of at most 15 MB (guide 4.6).

        Raises `VendorRefused` for anything that must not be fetched or sent on.
        """
        place = self._allowed(url, allowed_hosts)
        answer = await self._fetch(place)
        if answer.status != 200:
            raise self._not_downloaded(answer)
        if not answer.body.startswith(b"%PDF"):
            raise refused(ATTACHMENT, "it is not a PDF", 415)
        return answer.body

    def _allowed(self, url: str, allowed_hosts: tuple[str, ...]) -> URL:
        """The address as the request will use it, so that nothing is read differently in between."""
        try:
            place = URL(url)
        except ValueError:
            raise refused(ATTACHMENT, "its address cannot be read", 400) from None
        host = (place.raw_host or "").lower()
        upwork = not is_loopback(self._home[1] or "") and f".{host}".endswith(".upwork.com")
        listed = host in {allowed.strip().lower() for allowed in allowed_hosts}
        trusted = _origin(place) == self._home or (place.scheme == "https" and (upwork or listed))
        if not trusted or place.raw_user is not None or place.raw_password is not None:
            why = f"its host {host} is not allowed; list it under [attachments] allowed_hosts"
            raise refused(ATTACHMENT, why, 403)
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
            raise refused(ATTACHMENT, "it is larger than 15 MB", 413) from None

    def _not_downloaded(self, answer: Answer) -> Exception:
        why = f"the download answered {answer.status}"
        if answer.status in TRY_AGAIN or answer.status >= 500 or answer.status == 401:
            return self._http.unavailable(ATTACHMENT, why, answer)
        return refused(ATTACHMENT, why, answer.status)


def _origin(place: URL) -> tuple[str, str | None, int | None]:
    return place.scheme, place.raw_host, place.port
