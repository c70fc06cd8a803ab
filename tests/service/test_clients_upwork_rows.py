"""Sweeping Upwork: contracts in tens and offers in pages, the same in both dialects (Upwork facts 8.3)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import upwork_driver
from aiohttp import ClientSession
from golden_guide import CONTRACT
from vendor_double import PROOF, TOKEN, Asked, Says, token, upwork

from service.clients.http import VendorRefused, VendorUnavailable
from service.clients.rows import ContractRow, OfferRow, offer_rows
from service.clients.upwork import Upwork
from service.settings import Secret, UpworkSettings

ENDED_AT = 1_900_000_000


@pytest.fixture(autouse=True)
def _no_waiting_for_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pace is proven on its own."""
    monkeypatch.setattr("service.clients.upwork.PER_SECOND", 1e9)


@pytest.fixture(params=["guide", "reference"])
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Upwork, upwork_driver.Upwork]]:
    async with upwork_driver.running(dialect="reference") as running, ClientSession() as session:
        settings = UpworkSettings(
            url=running.base,
            token_url=running.base,
            client_id="sandbox-client",
            client_secret=Secret("sandbox-secret"),
            tenant_id=None,
            dialect=request.param,
            proof=PROOF,
        )
        yield Upwork(session, settings), running


async def test_contracts_are_listed_with_their_ids_and_how_they_stand(sandbox: Any) -> None:
    client, running = sandbox
    made = await running.control("contracts", {"contract": {"id": "9100"}, "freelancer": {"id": "fl_7"}})
    await running.control("contracts/9100/activate")
    await running.control("contracts/9001/end", {"endedAt": ENDED_AT})
    [seeded, hired] = await client.contracts(["9001", "9100", "unheard-of"])
    assert seeded == ContractRow(
        "9001", "CLOSED", ENDED_AT, "19001", "fl_12345", "client_1", modified=seeded.modified
    )
    assert hired == ContractRow(
        "9100", "ACTIVE", None, made["offer"]["id"], "fl_7", "client_1", modified=hired.modified
    )
    assert abs(hired.modified - running.account.clock.now()) < 60


async def test_many_contracts_are_asked_for_in_tens(sandbox: Any) -> None:
    client, running = sandbox
    ids = [str(9100 + number) for number in range(21)]
    for id in ids:
        await running.control("contracts", {"contract": {"id": id}, "offer": False})
    assert [row.contract_id for row in await client.contracts(ids)] == ids
    assert await client.contracts([]) == []
    calls = await running.control("calls", method="GET")
    assert calls["by_route"]["POST /graphql"] == 3


async def test_offers_come_in_pages_to_the_last(sandbox: Any) -> None:
    client, running = sandbox
    for number in range(60):
        await running.control("contracts", {"contract": {"id": str(9100 + number)}, "offer": number < 30})
    first, cursor = await client.offers()
    second, end = await client.offers(cursor)
    assert (len(first), len(second), end) == (50, 11, None)
    assert first[0] == OfferRow(
        "19001", None, "Pending", "fl_12345", "client_1", updated_at=first[0].updated_at
    )
    assert [row.contract_id for row in first[1:31]] == [str(9100 + number) for number in range(30)]
    assert {row.contract_id for row in (*first[31:], *second)} == {None}, "an offer that nobody accepted"


def page(*edges: Any, cursor: Any = "50", more: Any = True) -> dict[str, Any]:
    connection = {"edges": list(edges), "pageInfo": {"endCursor": cursor, "hasNextPage": more}}
    return {"organization": {"clientOffers": connection}}


EDGE = {"node": {"id": "of_1"}}


@pytest.mark.parametrize(
    ("data", "after", "following"),
    [
        (page(EDGE), None, "50"),
        (page(EDGE, more=None), "0", "50"),
        (page(EDGE, more=False), None, None),
        (page(), None, None),
        (page(EDGE), "50", None),
        (page(EDGE, cursor=None), None, None),
        ({"organization": None}, None, None),
    ],
)
def test_the_pages_end_where_upwork_ends_or_repeats_itself(
    data: dict[str, Any], after: str | None, following: str | None
) -> None:
    assert offer_rows(data, after)[1] == following


def test_an_offer_upwork_cannot_show_is_left_out() -> None:
    rows, _ = offer_rows(page({"node": None}, EDGE, "x", {"node": {"offer": {"id": 7}}}), None)
    assert [row.offer_id for row in rows] == ["of_1", "7"]


def said(message: str, classification: str, data: Any = None) -> Says:
    errors = [{"message": message, "extensions": {"classification": classification}}]
    return Says(200, {"data": data, "errors": errors})


async def asking(answer: Says) -> Any:
    def answers(asked: Asked) -> Says:
        return token(1) if asked.path == TOKEN else answer

    async with upwork(answers) as (client, _):
        try:
            return await client.contracts(["9001"])
        except (VendorRefused, VendorUnavailable) as error:
            return error


async def test_what_came_of_a_list_is_taken_though_parts_are_missing() -> None:
    partial = {"contractList": {"contracts": [None, {"id": CONTRACT["id"]}]}}
    [row] = await asking(said("deleted user", "ExecutionAborted", partial))
    assert (row.contract_id, row.status, row.freelancer_id) == ("9001", None, None)


async def test_a_list_nobody_may_read_is_a_refusal_in_upworks_words() -> None:
    error = await asking(said("Authorization failed", "ExecutionAborted", {"contractList": None}))
    assert isinstance(error, VendorRefused)
    assert error.why == "Authorization failed"


async def test_a_list_that_failed_on_the_way_is_worth_another_try() -> None:
    assert isinstance(await asking(said("boom", "INTERNAL_ERROR")), VendorUnavailable)
