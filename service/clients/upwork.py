"""Upwork as coverd reads it: contract, dates, attachments and freelancer, in one request where possible."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import aiohttp

from domain.values import Terms
from service.clients.attachments import Downloads
from service.clients.dialects import DIALECTS
from service.clients.fields import dig, id_of
from service.clients.gathering import MOST, Gathering
from service.clients.graphql import Graphql, Question, refused
from service.clients.http import Http, Leave, VendorRefused, always
from service.clients.oauth import Tokens
from service.clients.pace import Pace
from service.clients.rows import (
    CATEGORIES,
    CLIENT_OFFERS,
    CONTRACTS_AT_ONCE,
    CONTRACTS_BY_ID,
    OFFERS_AT_ONCE,
    CategoryRow,
    ContractRow,
    OfferRow,
    category_rows,
    contract_rows,
    offer_rows,
)
from service.clock import Clock, epoch, utc_now
from service.settings import UpworkSettings
from service.vendors.tokens import SharedToken

PER_SECOND = 10
"""Requests Upwork allows from one address (Upwork facts, section 5)."""


class Upwork:
    """Reads from Upwork. Raises `VendorUnavailable` (try again) or `VendorRefused` (do not)."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        settings: UpworkSettings,
        clock: Clock = utc_now,
        outside: aiohttp.ClientSession | None = None,
        turn: Callable[[], Awaitable[None]] | None = None,
        shared: SharedToken | None = None,
        leave: Leave = always,
    ) -> None:
        """``outside`` is the session for hosts other than Upwork's own; see `service.clients.outside`.

        ``turn`` waits for the turn to ask; without one the limit of a second is kept for this client alone.
        ``shared`` keeps the access token for other processes too.
        """
        self._http = Http(session, "Upwork", leave)
        turn = turn or Pace(1.1 / PER_SECOND).turn
        self._tokens = Tokens(self._http, settings, turn, clock, shared)
        self._graphql = Graphql(self._http, settings, self._tokens, turn)
        self.reads = Gathering(self._graphql)
        self._downloads = Downloads(settings.url, self._http, outside or session, self._tokens, turn)
        self._dialect = DIALECTS[settings.dialect]
        self._at_once = list(self._dialect.at_once)
        self._clock = clock

    @property
    def contract_names_freelancer(self) -> bool:
        """Whether a contract can be read for a freelancer that no news has named."""
        return self._dialect.named_at is not None

    async def read(self, engagement_id: str, freelancer_id: str | None, *, failures: int = 0) -> Terms:
        """Everything an engagement needs: in one request, or in parts where that is refused.

        Without a ``freelancer_id`` they are whom the contract names, where the dialect shows it. Under load
        one request carries the reads of many; after each of its ``failures`` this one is asked with half as
        many others, so that what the server cannot bear fails alone in the end.
        """
        most = max(1, MOST >> failures)
        if freelancer_id is not None:
            found = await self._read_at_once(engagement_id, freelancer_id, most)
            if found is not None:
                return found
        elif self._dialect.named_at is None:
            raise refused("EngagementById", "the contract does not name its freelancer")
        return await self._read_apart(engagement_id, freelancer_id, most)

    async def _read_at_once(self, engagement_id: str, freelancer_id: str, most: int) -> Terms | None:
        """None where the parts may still be read one by one."""
        said = self._dialect
        variables = {"contractId": engagement_id, "freelancerId": freelancer_id}
        while self._at_once:
            document = self._at_once[0]
            found = await self.reads.ask(Question("EngagementById", document, variables), most)
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

    async def _read_apart(self, engagement_id: str, freelancer_id: str | None, most: int) -> Terms:
        said = self._dialect
        contract = await self._record(said.contract, said.of_contract, engagement_id, most)
        person = freelancer_id or (id_of(dig(contract, said.named_at)) if said.named_at else None)
        freelancer: dict[str, Any] = {}
        try:
            if person is not None:
                freelancer = await self._record(said.freelancer, said.of_freelancer, person, most)
        except VendorRefused as error:
            if said.named_at is None or error.status != 200:
                raise
        return self._terms(engagement_id, contract, freelancer, "")

    async def _record(self, root: str, documents: Mapping[str, str], id: str, most: int) -> dict[str, Any]:
        """What several documents say of one object; faults are fatal only where nothing came."""
        record: dict[str, Any] = {}
        for name, document in documents.items():
            found = await self.reads.ask(Question(name, document, {"id": id}), most)
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

    async def categories(self) -> tuple[CategoryRow, ...]:
        """Upwork's top categories, each with its own."""
        return category_rows(await self._list("Categories", CATEGORIES, {}))

    async def _list(self, name: str, document: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        found = await self._graphql.ask(Question(name, document, variables))
        if found.faults and not any(found.data.values()):
            raise refused(name, found.words)
        return found.data

    async def download(self, url: str, allowed_hosts: tuple[str, ...]) -> bytes:
        """An attachment's bytes; see `Downloads.fetch`."""
        return await self._downloads.fetch(url, allowed_hosts)
