"""What a configuration leaves open, found before traffic does: on paper, at 1099Policy, and at Upwork."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from urllib.parse import quote

import structlog

from domain.errors import CoverdError
from domain.mapping import map_engagement
from domain.rules import Rules, fold
from domain.values import Hold
from service.clients.http import VendorRefused, VendorUnavailable
from service.clients.rows import CONTRACTS_AT_ONCE, OfferRow
from service.clients.ten99policy import Ten99Policy
from service.clients.upwork import Upwork
from service.config import Config
from service.metrics import Metrics

log = structlog.get_logger("coverd.config")

SHOWN = 20
"""How many of the contracts that meet one hole are named."""


@dataclass(frozen=True, slots=True)
class Hole:
    """What will be held or refused, and the fix; ``contracts`` are Upwork's ids of those that meet it now.

    ``certain`` is False for what depends on traffic that may never come.
    """

    code: str
    message: str
    fix: str
    certain: bool = True
    contracts: tuple[str, ...] = ()


@dataclass(slots=True)
class Findings:
    """``asked`` says of each vendor what it was asked, or why it could not be."""

    holes: list[Hole] = field(default_factory=list)
    asked: dict[str, str] = field(default_factory=dict)


def on_paper(rules: Rules) -> list[Hole]:
    """What the rules alone leave to chance."""
    gaps = {
        "clients_open": (
            "*" not in rules.clients,
            'No "*" under [clients]: engagements of clients that are not listed will wait for a person.',
            'List every client, or add "*" under [clients].',
        ),
        "categories_open": (
            "*" not in rules.categories,
            'No "*" under [categories]: engagements in categories not listed there will wait for a person.',
            'List every category you hire in, or add "*" under [categories].',
        ),
        "email_open": (
            not rules.proxy_email_domain,
            "No proxy_email_domain: freelancers whose e-mail Upwork keeps to itself will wait for a person.",
            "Set proxy_email_domain under [contractor].",
        ),
        "way_back_open": (
            not rules.success_url or not rules.cancel_url,
            "No success_url and cancel_url: freelancers are not led back from the application session.",
            "Set both under [session].",
        ),
    }
    return [Hole(code, message, fix, certain=False) for code, (open_, message, fix) in gaps.items() if open_]


async def at_1099policy(client: Ten99Policy, rules: Rules) -> list[Hole]:
    """Category codes and entities that 1099Policy does not know (fact sheet 6.2 and 6.10).

    Raises `VendorUnavailable` or `VendorRefused`, the latter for a key that is not accepted.
    """
    return [*await unknown_codes(client, rules), *await _unknown_entities(client, rules)]


async def unknown_codes(client: Ten99Policy, rules: Rules) -> list[Hole]:
    """Category codes that are not among ``GET /category_codes``; certain to be refused in the reference
    dialect, for the guide's symbolic names are in no list of the vendor's (fact sheet section 10, row 6)."""
    listed = _rows(await client.read("/category_codes"))
    known = {str(row.get("category_code")): str(row.get("name")) for row in listed}
    told = ", ".join(f"{code} ({name})" for code, name in islice(known.items(), SHOWN)) or "none"
    return [
        Hole(
            "category_code_unknown",
            f'[categories] "{category}" leads to {code}, which 1099Policy does not list.',
            f"Use one of its codes: {told}.",
            certain=client.dialect == "reference",
        )
        for category, code in rules.categories.items()
        if code not in known
    ]


async def _unknown_entities(client: Ten99Policy, rules: Rules) -> list[Hole]:
    holes = []
    for entity in dict.fromkeys(rules.clients.values()):
        try:
            await client.read(f"/entities/{quote(entity, safe='')}")
        except VendorRefused as refused:
            if refused.status not in (400, 404):
                raise
            led = ", ".join(client_id for client_id, to in rules.clients.items() if to == entity)
            holes.append(
                Hole(
                    "entity_unknown",
                    f"[clients] leads {led} to {entity}, which is no entity at 1099Policy.",
                    "Correct the id, or create the entity at 1099Policy first.",
                )
            )
    return holes


async def at_upwork(client: Upwork, rules: Rules, most: int) -> tuple[list[Hole], int]:
    """Map the contracts that run or are about to, at most so many, and gather the holds they would meet; and
    how many were read. Nothing personal is kept."""
    met: dict[str, list[str]] = defaultdict(list)
    words: dict[str, Hold] = {}
    read = 0
    async for offer in _open_contracts(client):
        if read >= most:
            break
        read += 1
        assert offer.contract_id is not None
        for hold in await _holds(client, offer, rules):
            met[hold.code].append(offer.contract_id)
            words.setdefault(hold.code, hold)
    ordered = sorted(met, key=lambda code: (-len(met[code]), code))
    return [Hole(c, words[c].message, words[c].fix, True, tuple(met[c])) for c in ordered], read


async def _open_contracts(client: Upwork) -> AsyncIterator[OfferRow]:
    """Accepted offers whose contract is not over, page by page."""
    after: str | None = None
    while True:
        rows, after = await client.offers(after)
        accepted = [row for row in rows if row.contract_id]
        for start in range(0, len(accepted), CONTRACTS_AT_ONCE):
            some = accepted[start : start + CONTRACTS_AT_ONCE]
            found = await client.contracts([str(row.contract_id) for row in some])
            over = {row.contract_id for row in found if row.status == "CLOSED"}
            for row in some:
                if row.contract_id not in over:
                    yield row
        if after is None:
            return


async def _holds(client: Upwork, offer: OfferRow, rules: Rules) -> Sequence[Hold]:
    assert offer.contract_id is not None
    try:
        terms = await client.read(offer.contract_id, offer.freelancer_id)
    except VendorRefused as refused:
        fix = "See that the key may read this contract and its freelancer (Upwork's scopes)."
        return [Hold("contract_unreadable", f"Upwork does not show the contract: {refused.plain}", fix)]
    freelancer = offer.freelancer_id or terms.freelancer_id
    if freelancer is None:
        fix = "Name the freelancer in the webhook, or read contracts in the reference dialect."
        return [Hold("freelancer_missing", "Upwork names no freelancer for the contract.", fix)]
    client_id = offer.client_id or terms.client_id
    return map_engagement(offer.contract_id, freelancer, client_id, terms, None, rules).holds


async def unmapped_categories(client: Upwork, rules: Rules) -> list[Hole]:
    """Upwork's own top categories that nothing maps; none of them where there is a default."""
    if "*" in rules.categories:
        return []
    mapped = {fold(name) for name in rules.categories}
    missing = [
        label
        for id, label in await client.categories()
        if fold(label) not in mapped and fold(id) not in mapped
    ]
    if not missing:
        return []
    return [
        Hole(
            "categories_unmapped",
            f"Nothing maps these categories of Upwork as a whole: {'; '.join(missing)}.",
            "Add those you hire in under [categories], by label or id.",
            certain=False,
        )
    ]


async def look_around(
    rules: Rules, ten99policy: Ten99Policy | None, upwork: Upwork | None, most: int
) -> Findings:
    """Everything there is to find. A vendor that is None is not asked; one that fails is a hole itself."""
    found = Findings(on_paper(rules))
    if ten99policy is not None:
        try:
            found.holes += await at_1099policy(ten99policy, rules)
            found.asked["1099policy"] = "category codes and entities"
        except (VendorRefused, VendorUnavailable) as error:
            _unanswered(found, "1099policy", error)
    if upwork is not None:
        try:
            holes, read = await at_upwork(upwork, rules, most)
            found.holes += holes
            found.asked["upwork"] = f"{read} contract{'' if read == 1 else 's'} that run or are about to"
        except (VendorRefused, VendorUnavailable) as error:
            _unanswered(found, "upwork", error)
        else:
            found.holes += await _categories_if_shown(upwork, rules)
    return found


async def _categories_if_shown(upwork: Upwork, rules: Rules) -> list[Hole]:
    """A key needs a scope of its own to see them: without it nothing is said."""
    try:
        return await unmapped_categories(upwork, rules)
    except (VendorRefused, VendorUnavailable):
        return []


async def warn_on_change(
    config: Callable[[], Config], client: Ten99Policy, metrics: Metrics, seconds: float
) -> None:
    """Check the category codes at the start and after each change of the configuration, for ever: what is
    unknown is warned of and counted. A vendor that does not answer is asked again after ``seconds``."""
    checked: Config | None = None
    while True:
        now = config()
        if now is not checked:
            try:
                holes = [hole for hole in await unknown_codes(client, now.rules) if hole.certain]
            except (VendorRefused, VendorUnavailable):
                pass
            else:
                checked = now
                metrics.config_holes.set(len(holes))
                for hole in holes:
                    log.warning(hole.message, code=hole.code, fix=hole.fix)
        await asyncio.sleep(seconds)


def _unanswered(found: Findings, vendor: str, error: CoverdError) -> None:
    name = {"1099policy": "1099Policy", "upwork": "Upwork"}[vendor]
    refused = isinstance(error, VendorRefused)
    found.asked[vendor] = f"{'refused' if refused else 'no answer'}: {error}"
    if refused:
        fix = "Check the key in the settings, what it may read, and the dialect that is set."
        found.holes.append(Hole("vendor_refused", f"{name} does not let itself be asked: {error}", fix))
    else:
        fix = "Check the URL in the settings, and that the vendor can be reached from here."
        found.holes.append(Hole("vendor_unanswered", f"{name} does not answer: {error}", fix))


def _rows(found: Any) -> list[Mapping[str, Any]]:
    rows = found.get("data") if isinstance(found, Mapping) else found
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
