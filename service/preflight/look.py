"""A look around: the file on paper, then each vendor, whatever the other one does."""

from domain.rules import Rules
from service.clients.http import VendorRefused, VendorUnavailable
from service.clients.ten99policy import Ten99Policy
from service.preflight.dry_run import DryRun
from service.preflight.findings import Findings
from service.preflight.paper import on_paper
from service.preflight.ten99policy import unknown_codes, unknown_entities
from service.settings import Dialect
from service.sources import TEN99POLICY, UPWORK


async def look_around(
    rules: Rules, dialect: Dialect, ten99policy: Ten99Policy | None, dry_run: DryRun | None
) -> Findings:
    """Everything there is to find, ``dialect`` being that in which Upwork is read. A vendor that is None is
    not asked; one that fails is a hole itself."""
    found = Findings(on_paper(rules, dialect))
    if ten99policy is not None:
        await _at_1099policy(found, ten99policy, rules)
    if dry_run is not None:
        await _at_upwork(found, dry_run)
    return found


async def _at_1099policy(found: Findings, client: Ten99Policy, rules: Rules) -> None:
    try:
        found.holes += await unknown_codes(client, rules)
        found.holes += await unknown_entities(client, rules)
        found.asked[TEN99POLICY] = "category codes and entities"
    except (VendorRefused, VendorUnavailable) as error:
        found.unanswered(TEN99POLICY, error)


async def _at_upwork(found: Findings, dry_run: DryRun) -> None:
    try:
        await dry_run.run()
        found.asked[UPWORK] = dry_run.told()
        found.holes += await dry_run.categories()
    except (VendorRefused, VendorUnavailable) as error:
        found.unanswered(UPWORK, error, f" after {dry_run.told()}" if dry_run.read else "")
    found.holes += dry_run.holes()
