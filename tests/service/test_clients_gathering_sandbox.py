"""Reads gathered into one request, at a server that executes GraphQL: the sandbox, in both dialects."""

import asyncio

import pytest
from upwork_driver import Upwork as Sandbox
from upwork_driver import running
from vendor_double import PROOF

from domain.values import Terms
from service.clients.gathering import MOST
from service.clients.http import VendorRefused
from service.clients.upwork import Upwork
from service.settings import Secret, UpworkSettings


def client_of(sandbox: Sandbox, dialect: str) -> Upwork:
    settings = UpworkSettings(
        url=sandbox.base,
        token_url=sandbox.base,
        client_id="sandbox-client",
        client_secret=Secret("sandbox-secret"),
        tenant_id=None,
        dialect="reference" if dialect == "reference" else "guide",
        proof=PROOF,
    )
    return Upwork(sandbox.http, settings, turn=at_once)


async def at_once() -> None:
    """Every turn is there."""


async def contracts(sandbox: Sandbox, count: int) -> list[tuple[str, str]]:
    """So many contracts, by their ids and those of their freelancers, each with a name of its own."""
    made = []
    for number in range(count):
        freelancer = {"displayName": f"Ava {number}", "location": {"country": "US", "region": "CA"}}
        work = {"contract": {"title": f"Work {number}"}, "freelancer": freelancer}
        shown = await sandbox.control("contracts", work)
        made.append((shown["contract"]["id"], shown["freelancer"]["id"]))
    return made


def asked(sandbox: Sandbox) -> int:
    return int(sandbox.account.calls.by_route["POST /graphql"])


@pytest.mark.parametrize("dialect", ["guide", "reference"])
async def test_gathered_or_one_by_one_the_terms_are_the_same(dialect: str) -> None:
    async with running(dialect=dialect) as sandbox:
        wanted = await contracts(sandbox, MOST)
        apart = [await client_of(sandbox, dialect).read(*one) for one in wanted]
        sandbox.account.calls.forget()
        client = client_of(sandbox, dialect)
        assert await asyncio.gather(*(client.read(*one) for one in wanted)) == apart
        assert len({terms.title for terms in apart}) == MOST
        assert asked(sandbox) == 1


@pytest.mark.parametrize("dialect", ["guide", "reference"])
async def test_a_contract_that_is_unknown_keeps_no_other_from_being_read(dialect: str) -> None:
    async with running(dialect=dialect) as sandbox:
        wanted = await contracts(sandbox, MOST - 1)
        client = client_of(sandbox, dialect)
        sandbox.account.calls.forget()
        found = await asyncio.gather(
            *(client.read(*one) for one in [*wanted[:7], ("404", wanted[0][1]), *wanted[7:]]),
            return_exceptions=True,
        )
        assert isinstance(found.pop(7), VendorRefused)
        assert all(isinstance(one, Terms) for one in found)
        assert asked(sandbox) == (1 if dialect == "guide" else 4)


async def test_documents_that_a_server_does_not_know_are_found_out_by_few() -> None:
    async with running(dialect="guide") as sandbox:
        wanted = await contracts(sandbox, MOST)
        client = client_of(sandbox, "reference")
        sandbox.account.calls.forget()
        found = await asyncio.gather(*(client.read(*one) for one in wanted), return_exceptions=True)
        assert all(isinstance(one, VendorRefused) for one in found)
        assert asked(sandbox) == 4, "each of two documents by all and then by one"
