"""The root fields of both schemas: what each query looks up."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from service.sandbox.upwork import guide_views, people_views, places, reference_views
from service.sandbox.upwork.account import UpworkAccount
from service.sandbox.upwork.records import Contract
from service.sandbox.upwork.seed import ORGANIZATION_ID, settle_window

PAGE_CAP = 50
LIST_CAP = 10
Info = GraphQLResolveInfo


@dataclass(frozen=True)
class Asking:
    """One request's context: `origin` is how the caller reached us, `tenant` the organization it named."""

    account: UpworkAccount
    origin: str
    tenant: str | None = None

    def visible(self) -> list[Contract]:
        """A wrong tenant gives empty lists, not an error (fact sheet 3)."""
        everything = self.account.state.contracts.values()
        if self.tenant in (None, "", ORGANIZATION_ID):
            return list(everything)
        return [each for each in everything if each.client_id == self.tenant]


def wrong_value() -> GraphQLError:
    """A bad argument or a page over the cap (fact sheet 4)."""
    extensions = {"classification": "ExecutionAborted", "code": "VJCA-6"}
    return GraphQLError("Input parameter provided has incorrect value", extensions=extensions)


def not_found(what: str) -> GraphQLError:
    return GraphQLError(f"{what} not found", extensions={"classification": "ExecutionAborted"})


def contract(info: Info, id: str) -> dict[str, Any] | None:
    asking: Asking = info.context
    found = asking.account.contract(id)
    if found is None:
        return None
    legacy = reference_views.legacy_view(found, asking.account.state)
    return {**legacy, **guide_views.contract_view(found, asking.origin)}


def freelancer(info: Info, id: str) -> dict[str, Any] | None:
    found = info.context.account.state.freelancers.get(id)
    return found and guide_views.freelancer_view(found)


def contract_details(info: Info, id: str, date: str | None = None) -> dict[str, Any]:
    asking: Asking = info.context
    found = asking.account.contract(id)
    if found is None:
        raise not_found("Contract")
    return reference_views.details_view(found, asking.account.state, asking.origin, date)


def contract_by_term(info: Info, termId: str, date: str | None = None) -> dict[str, Any]:
    return contract_details(info, termId, date)


def contract_list(info: Info, ids: list[str] | None = None) -> dict[str, Any]:
    """Unknown ids are left out."""
    asking: Asking = info.context
    if len(ids or ()) > LIST_CAP:
        raise wrong_value()
    visible = {each.id for each in asking.visible()}
    found = [asking.account.contract(id) for id in ids or () if id in visible]
    state, origin = asking.account.state, asking.origin
    return {"contracts": [reference_views.details_view(each, state, origin) for each in found if each]}


def user_details(info: Info, id: str) -> dict[str, Any]:
    found = info.context.account.state.freelancers.get(id)
    if found is None:
        raise not_found("User")
    return people_views.user_view(found)


def offer(info: Info, id: str) -> dict[str, Any] | None:
    account: UpworkAccount = info.context.account
    found = next((each for each in account.state.contracts.values() if each.offer_id == id), None)
    if found is None:
        return None
    settle_window(found, account.clock)
    return reference_views.offer_view(found, account.state)


def organization(info: Info) -> dict[str, Any]:
    asking: Asking = info.context
    return {**people_views.organization_view(asking.tenant or ORGANIZATION_ID), "clientOffers": client_offers}


def client_offers(
    info: Info,
    offerByClientFilter: dict[str, Any] | None = None,
    sortAttribute: Any = None,
    pagination: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Rows oldest first; a row's cursor is its place counted from 1, so `after: "0"` is the beginning."""
    asking: Asking = info.context
    first, after = _page(pagination or {})
    rows = [row for row in asking.visible() if _wanted(row, offerByClientFilter or {})]
    for row in rows[after : after + first]:
        settle_window(row, asking.account.clock)
    edges = [
        {"cursor": str(place), "node": reference_views.offer_row(row, asking.account.state, asking.origin)}
        for place, row in enumerate(rows[after : after + first], start=after + 1)
    ]
    page = {"endCursor": edges[-1]["cursor"] if edges else None, "hasNextPage": after + first < len(rows)}
    return {"totalCount": len(rows), "edges": edges, "pageInfo": page}


def _page(pagination: dict[str, Any]) -> tuple[int, int]:
    first, after = pagination.get("first", 10), pagination.get("after") or "0"
    if not 1 <= first <= PAGE_CAP or not after.isdecimal():
        raise wrong_value()
    return first, int(after)


def _wanted(row: Contract, asked: dict[str, Any]) -> bool:
    people, kinds = asked.get("freelancerId_any"), asked.get("offerType_any")
    states = (asked.get("commonFilter") or {}).get("states_any")
    return (
        (people is None or row.freelancer_id in people)
        and (kinds is None or reference_views.row_type(row) in kinds)
        and (states is None or reference_views.row_state(row) in states)
    )


def company_selector(info: Info) -> dict[str, Any]:
    clients = (each.client_id for each in info.context.account.state.contracts.values())
    ids = dict.fromkeys([ORGANIZATION_ID, *(id for id in clients if id is not None)])
    return {"items": [people_views.selector_item(id) for id in ids]}


ROOTS: dict[str, Callable[..., Any]] = {
    "contract": contract,
    "freelancer": freelancer,
    "contractDetails": contract_details,
    "contractByTerm": contract_by_term,
    "contractList": contract_list,
    "userDetails": user_details,
    "user": lambda info: people_views.account_user(),
    "organization": organization,
    "companySelector": company_selector,
    "offer": offer,
    "countries": lambda info: places.countries(),
    "ontologyCategories": lambda info: people_views.categories_view(),
}
