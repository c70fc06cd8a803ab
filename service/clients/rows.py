"""What a sweep of Upwork finds: contracts by id and the client's offers, as the reference lists both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.clients.fields import dig, id_of, instant, rows_at, text

CONTRACTS_AT_ONCE = 10
"""Ids that ``contractList`` takes (Upwork facts, section 5)."""
OFFERS_AT_ONCE = 50
"""Rows of one page of ``clientOffers``."""

CONTRACTS_BY_ID = """query ContractsById($ids: [ID!]) {
  contractList(ids: $ids) {
    contracts {
      id
      status
      modifyDate
      endDate
      offerId
      freelancer { id }
      clientOrganization { id }
    }
  }
}"""

CLIENT_OFFERS = """query ClientOffers($first: Int!, $after: String) {
  organization {
    clientOffers(pagination: { first: $first, after: $after }) {
      edges {
        cursor
        node {
          id
          state
          lastUpdatedDateTime
          company { id }
          freelancer { id }
          offer { id }
          contractDetails { id }
        }
      }
      pageInfo { endCursor hasNextPage }
    }
  }
}"""

CATEGORIES = """query Categories {
  ontologyCategories {
    id
    preferredLabel
    subcategories {
      id
      preferredLabel
    }
  }
}"""


@dataclass(frozen=True, slots=True)
class ContractRow:
    """A contract as a list shows it. ``status``: ACTIVE · PAUSED · CLOSED, None before it starts.

    Times are epoch seconds. ``ended_at`` is None unless it is CLOSED.
    """

    contract_id: str
    status: str | None
    ended_at: int | None
    offer_id: str | None
    freelancer_id: str | None
    client_id: str | None
    modified: int | None


@dataclass(frozen=True, slots=True)
class OfferRow:
    """An offer as the client's list shows it. ``state``: Pending · Active · Paused · Ended.

    ``contract_id`` is there once the offer is accepted (Upwork facts, section 7).
    """

    offer_id: str
    contract_id: str | None
    state: str | None
    freelancer_id: str | None
    client_id: str | None
    updated_at: int | None


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """One of Upwork's categories by id and label, and those ``below`` it (Upwork facts, section 10)."""

    id: str
    label: str
    below: tuple["CategoryRow", ...] = ()


def category_rows(data: Mapping[str, Any], path: str = "ontologyCategories") -> tuple[CategoryRow, ...]:
    """Those that have an id."""
    return tuple(
        CategoryRow(id, text(row.get("preferredLabel")) or "", category_rows(row, "subcategories"))
        for row in rows_at(data, path)
        if (id := id_of(row.get("id")))
    )


def contract_rows(data: Mapping[str, Any]) -> list[ContractRow]:
    """Rows that are null, as in partial data, are left out."""
    return [
        ContractRow(
            contract_id=id,
            status=(status := text(row.get("status"))),
            ended_at=instant(row.get("endDate")) if status == "CLOSED" else None,
            offer_id=id_of(row.get("offerId")),
            freelancer_id=id_of(dig(row, "freelancer.id")),
            client_id=id_of(dig(row, "clientOrganization.id")),
            modified=instant(row.get("modifyDate")),
        )
        for row in rows_at(data, "contractList.contracts")
        if (id := id_of(row.get("id")))
    ]


def offer_rows(data: Mapping[str, Any], after: str | None) -> tuple[list[OfferRow], str | None]:
    """One page, and the cursor of the next: None at the end, and where Upwork repeats itself."""
    connection = dig(data, "organization.clientOffers")
    edges = rows_at(connection, "edges")
    rows = [row for edge in edges if (row := _offer_row(edge.get("node")))]
    cursor = text(dig(connection, "pageInfo.endCursor"))
    more = edges and cursor != after and dig(connection, "pageInfo.hasNextPage") is not False
    return rows, cursor if more else None


def _offer_row(node: Any) -> OfferRow | None:
    offer_id = id_of(dig(node, "offer.id")) or id_of(dig(node, "id"))
    if offer_id is None:
        return None
    return OfferRow(
        offer_id=offer_id,
        contract_id=id_of(dig(node, "contractDetails.id")),
        state=text(dig(node, "state")),
        freelancer_id=id_of(dig(node, "freelancer.id")),
        client_id=id_of(dig(node, "company.id")),
        updated_at=instant(dig(node, "lastUpdatedDateTime")),
    )
