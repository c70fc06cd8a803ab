"""What the configuration names and 1099Policy does not know: category codes and entities."""

from collections.abc import Mapping
from urllib.parse import quote

from domain.rules import Rules
from service.clients.fields import text
from service.clients.http import VendorRefused
from service.clients.pages import PAGE, Read, rows
from service.clients.ten99policy import Ten99Policy
from service.preflight.findings import Hole, listed


async def unknown_codes(client: Ten99Policy, rules: Rules) -> list[Hole]:
    """Codes that are not among ``GET /category_codes``; certain to be refused in the reference dialect, for
    the guide's symbolic names are in no list of the vendor's (fact sheet section 10, row 6).

    Raises `VendorUnavailable` or `VendorRefused`, the latter for a key that is not accepted.
    """
    known = await category_codes(client.read)
    told = listed(f"{code} ({name})" for code, name in known.items())
    fix = (
        f"Use one of its codes: {told}."
        if known
        else "Have categories approved at 1099Policy: it lists none."
    )
    return [
        Hole(
            "category_code_unknown",
            f"[categories] leads {_leading(rules.categories, code)}, which 1099Policy does not list.",
            fix,
            certain=client.dialect == "reference",
        )
        for code in dict.fromkeys(rules.categories.values())
        if code not in known
    ]


async def category_codes(read: Read) -> dict[str, str]:
    """Every code and its name, page by page: whether this list has pages is not documented, as all others
    have (fact sheet 3 and 6.10)."""
    known: dict[str, str] = {}
    after: str | None = None
    while True:
        page = await rows(read, "/category_codes", after)
        found = {
            code: text(row.get("name")) or "" for row in page if (code := text(row.get("category_code")))
        }
        new = found.keys() - known.keys()
        known |= found
        after = list(found)[-1] if found else None
        if not new or len(page) < PAGE:
            return known


async def unknown_entities(client: Ten99Policy, rules: Rules) -> list[Hole]:
    """Entities that cannot be read by their id (fact sheet 6.2). Raises as `unknown_codes` does."""
    holes = []
    for entity in dict.fromkeys(rules.clients.values()):
        try:
            await client.read(f"/entities/{quote(entity, safe='')}")
        except VendorRefused as refused:
            if refused.status not in (400, 404):
                raise
            holes.append(
                Hole(
                    "entity_unknown",
                    f"[clients] leads {_leading(rules.clients, entity)}, which is no entity at 1099Policy.",
                    "Correct the id, or create the entity at 1099Policy first.",
                )
            )
    return holes


def _leading(mapping: Mapping[str, str], where: str) -> str:
    names = listed(f'"{name}"' for name, to in mapping.items() if to == where)
    return f"{names} to {where}"
