"""A dry run: the contracts that run at Upwork, mapped as engagements would be."""

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from domain.mapping import FREELANCER_MISSING, NAMING, OVER_A_YEAR, map_engagement
from domain.rules import Rules
from domain.values import Hold, KnownContractor
from service.clients.http import VendorRefused, VendorUnavailable
from service.clients.pace import Pace
from service.clients.rows import CONTRACTS_AT_ONCE, OfferRow
from service.clients.upwork import Upwork
from service.preflight.categories import beside
from service.preflight.findings import Hole

Known = Callable[[str], Awaitable[KnownContractor]]
"""What is known here of a freelancer, by Upwork's id."""


async def nobody(freelancer_id: str) -> KnownContractor:
    return KnownContractor()


class DryRun:
    """Maps the contracts that run or are about to as engagements would be, at most ``most``.

    Nothing personal is kept: only holds, and the ids of the contracts that would meet them.
    """

    def __init__(self, client: Upwork, rules: Rules, most: int, known: Known, pace: Pace) -> None:
        self._client = client
        self._rules = rules
        self._most = most
        self._known = known
        self._pace = pace
        self._met: dict[Hold, list[str]] = defaultdict(list)
        self.read = 0
        self.more = False
        """Whether there are contracts that were not read."""

    async def run(self) -> None:
        """Raises `VendorUnavailable` or `VendorRefused`; what was found until then is kept."""
        async for contract_id, offer in self._open():
            if self.read >= self._most:
                self.more = True
                return
            for hold in await self._holds(contract_id, offer):
                self._met[hold].append(contract_id)
            self.read += 1

    def holes(self) -> list[Hole]:
        return [
            Hole(hold.code, hold.message, hold.fix, hold != OVER_A_YEAR, tuple(contracts))
            for hold, contracts in self._met.items()
        ]

    async def categories(self) -> list[Hole]:
        """Upwork's categories beside those that are mapped; a key sees them with a scope of its own (Upwork
        facts, section 9)."""
        await self._pace.turn()
        try:
            return beside(await self._client.categories(), self._rules)
        except (VendorRefused, VendorUnavailable) as error:
            message = f"Upwork does not show its list of categories: {error.plain}."
            fix = "Give the key the scope pub-ontology:read:all to have [categories] compared with it."
            return [Hole("categories_unseen", message, fix, certain=False)]

    def told(self) -> str:
        """How far it came, in words."""
        if self.read == 0:
            return "no contract runs or is about to, as far as this key and tenant can see"
        more = ", and there are more (--contracts)" if self.more else ""
        one = self.read == 1
        return (
            f"{self.read} {'contract that runs or is' if one else 'contracts that run or are'} about to{more}"
        )

    async def _open(self) -> AsyncIterator[tuple[str, OfferRow]]:
        """Accepted offers whose contract is not over, page by page, each contract once."""
        after: str | None = None
        seen: set[str] = set()
        while True:
            await self._pace.turn()
            rows, after = await self._client.offers(after)
            new = {row.contract_id: row for row in rows if row.contract_id and row.contract_id not in seen}
            seen |= new.keys()
            ids = list(new)
            for start in range(0, len(ids), CONTRACTS_AT_ONCE):
                for id in await self._running(ids[start : start + CONTRACTS_AT_ONCE]):
                    yield id, new[id]
            if after is None:
                return

    async def _running(self, ids: Sequence[str]) -> list[str]:
        await self._pace.turn()
        over = {row.contract_id for row in await self._client.contracts(ids) if row.status == "CLOSED"}
        return [id for id in ids if id not in over]

    async def _holds(self, contract_id: str, offer: OfferRow) -> Sequence[Hold]:
        await self._pace.turn()
        try:
            terms = await self._client.read(contract_id, offer.freelancer_id)
        except VendorRefused as refused:
            fix = "See that the key may read this contract and its freelancer (Upwork's scopes)."
            return [Hold("contract_unreadable", f"Upwork does not show the contract: {refused.plain}.", fix)]
        freelancer = offer.freelancer_id or terms.freelancer_id
        if freelancer is None:
            return [FREELANCER_MISSING]
        known = await self._known(freelancer)
        decided = (known.first_name, known.last_name) if known.first_name and known.last_name else None
        client_id = offer.client_id or terms.client_id
        mapped = map_engagement(contract_id, freelancer, client_id, terms, decided, self._rules)
        return [hold for hold in mapped.holds if known.contractor_id is None or hold.code not in NAMING]
