"""All replicas use one access token, fetched by one of them, and a copy of the database does not tell it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from contracts.given import Clock
from vendor_double import PROOF, TOKEN, Asked, Says, Vendor, token, vendor

from service.clients.http import CredentialsRefused, Http
from service.clients.oauth import Tokens
from service.ports import Store
from service.settings import Secret, UpworkSettings
from service.store.memory import MemoryStore
from service.store.postgres import PostgresStore
from service.vendors.tokens import SharedToken, Vault
from service.vendors.tokens import Token as Held

DAY = 86_400


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "postgres"])
async def stores(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[list[Store]]:
    """What two replicas have: the same store, by connections of their own."""
    if request.param == "memory":
        yield [MemoryStore(clock)] * 2
        return
    url = request.getfixturevalue("database_url")
    opened = [await PostgresStore.open(url, clock, connections=2) for _ in range(2)]
    yield list(opened)
    for store in opened:
        await store.close()


async def soon(_seconds: float) -> None:
    """Look again at once."""
    await asyncio.sleep(0)


async def at_once() -> None:
    """Every turn is there."""


@asynccontextmanager
async def replicas(
    stores: list[Store], clock: Clock, secret: str = "sandbox-secret", **more: Any
) -> AsyncIterator[tuple[list[Tokens], Vendor]]:
    numbers = iter(range(1, 1000))
    async with vendor(lambda _: token(next(numbers), **more)) as (double, session):
        settings = UpworkSettings(
            url=double.base,
            token_url=double.base,
            client_id="sandbox-client",
            client_secret=Secret(secret),
            tenant_id=None,
            dialect="guide",
            proof=PROOF,
        )

        def made(store: Store) -> Tokens:
            shared = SharedToken(store, "sandbox-client", settings.client_secret, clock, soon)
            return Tokens(Http(session, "Upwork"), settings, at_once, clock, shared)

        yield [made(store) for store in stores], double


async def everybody(tokens: list[Tokens]) -> set[str]:
    return set(await asyncio.gather(*(one.access() for one in tokens for _ in range(4))))


async def test_two_replicas_fetch_one_token_and_one_more_when_it_runs_out(
    stores: list[Store], clock: Clock
) -> None:
    async with replicas(stores, clock) as (tokens, double):
        assert await everybody(tokens) == {"oauth2v2_1"}
        clock.move(DAY - 61)
        assert await everybody(tokens) == {"oauth2v2_1"}
        clock.move(1)
        assert await everybody(tokens) == {"oauth2v2_2"}
    assert len(double.to(TOKEN)) == 2


async def test_a_token_that_was_refused_is_renewed_once_for_all(stores: list[Store], clock: Clock) -> None:
    async with replicas(stores, clock) as (tokens, double):
        await everybody(tokens)
        for one in tokens:
            one.spoiled("oauth2v2_1")
        assert await everybody(tokens) == {"oauth2v2_2"}
        tokens[0].spoiled("oauth2v2_1")
        assert await everybody(tokens) == {"oauth2v2_2"}
    assert len(double.to(TOKEN)) == 2


async def test_a_restart_takes_the_token_over(stores: list[Store], clock: Clock) -> None:
    async with replicas(stores, clock) as (tokens, _):
        await everybody(tokens)
    async with replicas(stores, clock) as (tokens, double):
        assert await everybody(tokens) == {"oauth2v2_1"}
    assert double.to(TOKEN) == []


async def test_the_refresh_token_is_shared_too(stores: list[Store], clock: Clock) -> None:
    async with replicas(stores, clock, refresh_token="oauth2v2_again") as (tokens, double):
        await tokens[0].access()
        clock.move(DAY)
        await tokens[1].access()
    assert b"refresh_token=oauth2v2_again" in double.to(TOKEN)[1].body


async def test_a_new_client_secret_fetches_anew(stores: list[Store], clock: Clock) -> None:
    async with replicas(stores, clock) as (tokens, _):
        await everybody(tokens)
    async with replicas(stores, clock, secret="rotated") as (tokens, double):
        await everybody(tokens)
    assert len(double.to(TOKEN)) == 1


async def test_a_refusal_is_told_and_leaves_the_turn_to_the_next(stores: list[Store], clock: Clock) -> None:
    async with replicas(stores, clock) as (tokens, double):
        double._otherwise = refusing(iter([Says(401, {"error": "invalid_client"})]))
        with pytest.raises(CredentialsRefused, match="invalid_client"):
            await tokens[0].access()
        assert await tokens[1].access() == "oauth2v2_7"


def refusing(first: Iterator[Says]) -> Any:
    def answer(_: Asked) -> Says:
        return next(first, token(7))

    return answer


async def test_a_copy_of_the_database_does_not_tell_the_token(database_url: str, clock: Clock) -> None:
    store = await PostgresStore.open(database_url, clock, connections=1)
    async with replicas([store], clock, refresh_token="oauth2v2_again") as (tokens, _):
        await everybody(tokens)
    await store.close()
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch("SELECT t::text AS said, sealed FROM coverd.oauth_token t")
    await connection.close()
    (row,) = rows
    for secret in ("oauth2v2", "sandbox-secret", "sandbox-client"):
        assert secret not in row["said"]
        assert secret.encode() not in row["sealed"]
        assert secret.encode().hex() not in row["said"]


def test_what_is_sealed_opens_with_the_same_secret_alone() -> None:
    held = Held("oauth2v2_1", None, datetime(2026, 5, 4, tzinfo=UTC))
    sealed = Vault(Secret("one")).seal(held)
    assert Vault(Secret("one")).open(sealed, held.until) == held
    assert Vault(Secret("other")).open(sealed, held.until) is None
    assert Vault(Secret("one")).open(sealed[:-1] + b"x", held.until) is None
