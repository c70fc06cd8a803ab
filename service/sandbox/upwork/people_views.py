"""People, organizations and categories as the reference shows them."""

from typing import Any

from service.sandbox.upwork.categories import Entry, by_label, tree
from service.sandbox.upwork.places import country_name
from service.sandbox.upwork.records import Contract, Freelancer
from service.sandbox.upwork.seed import CLIENT_ID, ORGANIZATION_ID, ORGANIZATION_NAME


def user_view(freelancer: Freelancer) -> dict[str, Any]:
    """PiiUser, ContractUser and GenericUser at once: the schema picks the fields each has."""
    first, last = freelancer.first_name, freelancer.last_name
    return {
        "id": freelancer.id,
        "nid": freelancer.id,
        "rid": freelancer.id,
        "name": f"{first} {last[0]}." if first and last else (first or freelancer.display_name),
        "firstName": first,
        "lastName": last,
        "email": freelancer.email,
        "location": _location(freelancer.location),
    }


def _location(location: Any) -> dict[str, Any] | None:
    if not isinstance(location, dict):
        return None
    return {
        "countryName": country_name(location.get("country")),
        "stateCode": location.get("region"),
        "cityName": location.get("locality"),
    }


def account_user() -> dict[str, Any]:
    """Whose key it is: the hiring manager of the sandbox's organization."""
    number = "1181921839933591500"
    return {"id": number, "nid": "sandboxmanager", "rid": number, "name": "Sam M.", "firstName": "Sam"}


def organization_view(id: str) -> dict[str, Any]:
    name = ORGANIZATION_NAME if id in (ORGANIZATION_ID, CLIENT_ID) else f"Client {id}"
    return {"id": id, "rid": id, "legacyId": id, "name": name}


def client_view(contract: Contract) -> dict[str, Any] | None:
    return None if contract.client_id is None else organization_view(contract.client_id)


def selector_item(id: str) -> dict[str, Any]:
    return {
        "title": organization_view(id)["name"],
        "organizationId": id,
        "organizationRid": id,
        "typeTitle": "Client",
    }


def classification_view(contract: Contract) -> dict[str, Any]:
    """A label may name a top category or one below it; a name nobody knows is passed on without an id."""
    name = contract.category and contract.category.get("name")
    entry = by_label().get(name) if isinstance(name, str) else None
    if entry is None:
        return {"category": None if name is None else {"name": str(name)}, "subCategory": None}
    top, sub = (entry.parent, entry) if entry.parent else (entry, None)
    return {"category": _entry_view(top), "subCategory": sub and _entry_view(sub)}


def categories_view() -> list[dict[str, Any]]:
    return [
        {**_entry_view(top), "subcategories": [_entry_view(sub) for sub in subs]}
        for top, subs in tree().items()
    ]


def _entry_view(entry: Entry) -> dict[str, Any]:
    """Job postings call the label `name`, the ontology `preferredLabel` (fact sheet 6.1)."""
    return {
        "id": entry.id,
        "name": entry.label,
        "preferredLabel": entry.label,
        "slug": entry.slug,
        "ontologyId": entry.ontology_id,
        "subcategories": [],
        "services": [],
    }
