"""Reads that wait for a turn together go in one request; each is told what it would have been told alone."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from golden_guide import CONTRACT, FREELANCER
from graphql_double import Fault, Resolve, answered, roots
from vendor_double import TOKEN, Asked, Says, Vendor, token, upwork

from domain.values import Terms
from service.clients.aliases import together
from service.clients.documents import COMBINED, terms_of_guide
from service.clients.gathering import MOST
from service.clients.http import Crowded, VendorRefused, VendorUnavailable
from service.clients.upwork import Upwork


class Turns:
    """Nobody has a turn until the test gives some away."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(0)
        self.failing: Exception | None = None

    async def __call__(self) -> None:
        await self._free.acquire()
        if self.failing is not None:
            raise self.failing

    def give(self, turns: int) -> None:
        for _ in range(turns):
            self._free.release()


def known(field: str, id: str) -> Any:
    """Every contract is there, and every freelancer."""
    return CONTRACT | {"id": id} if field == "contract" else FREELANCER | {"id": id}


def server(resolve: Resolve = known, *, nullable: bool = True) -> Callable[[Asked], Says]:
    def answer(asked: Asked) -> Says:
        return token(1) if asked.path == TOKEN else answered(asked.json, resolve, nullable=nullable)

    return answer


@asynccontextmanager
async def waiting(
    answer: Callable[[Asked], Says], ids: list[str], dialect: str = "guide", failures: int = 0
) -> AsyncIterator[tuple[list["asyncio.Task[Terms]"], Vendor, Turns, Upwork]]:
    """A client with a token, and so many reads that wait for a turn."""
    turns = Turns()
    async with upwork(answer, turn=turns, dialect=dialect) as (client, vendor):
        turns.give(2)
        await client.read("1", "fl_1")
        vendor.asked.clear()
        reads = [asyncio.create_task(client.read(id, f"fl_{id}", failures=failures)) for id in ids]
        await _settled()
        yield reads, vendor, turns, client
        for read in reads:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)


async def _settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def ids(count: int) -> list[str]:
    return [str(9001 + n) for n in range(count)]


def sizes(vendor: Vendor) -> list[int]:
    """How many contracts each request asked for."""
    return [sum(field.startswith("contract") for _, field, _ in roots(asked.json)) for asked in vendor.asked]


async def outcomes(reads: "list[asyncio.Task[Terms]]") -> list[Terms | BaseException]:
    return await asyncio.gather(*reads, return_exceptions=True)


def terms(id: str) -> Terms:
    return terms_of_guide(known("contract", id), known("freelancer", f"fl_{id}"))


async def test_reads_that_wait_together_are_one_request_and_each_gets_its_own() -> None:
    async with waiting(server(), ids(MOST)) as (reads, vendor, turns, _):
        turns.give(1)
        assert await outcomes(reads) == [terms(id) for id in ids(MOST)]
    assert sizes(vendor) == [MOST]
    assert vendor.asked[0].json["operationName"] == "EngagementById"


async def test_one_request_carries_no_more_than_25() -> None:
    async with waiting(server(), ids(2 * MOST + 3)) as (reads, vendor, turns, _):
        turns.give(3)
        assert await outcomes(reads) == [terms(id) for id in ids(2 * MOST + 3)]
    assert sorted(sizes(vendor)) == [3, MOST, MOST]
    assert max(Counter(id for asked in vendor.asked for _, _, id in roots(asked.json)).values()) == 1


async def test_a_lone_read_is_asked_at_once_as_the_document_stands() -> None:
    async with waiting(server(), []) as (_, vendor, turns, client):
        turns.give(1)
        assert await client.read("9001", "fl_9001") == terms("9001")
    assert [asked.json["query"] for asked in vendor.asked] == [COMBINED[0]]


async def test_a_free_turn_is_taken_by_the_first_and_waits_for_no_company() -> None:
    async with waiting(server(), ["9001"]) as (reads, vendor, turns, client):
        turns.give(1)
        await reads[0]
        later = [asyncio.create_task(client.read(id, "fl_1")) for id in ("9002", "9003")]
        await _settled()
        turns.give(1)
        await asyncio.gather(*later)
    assert sizes(vendor) == [1, 2]


async def test_an_error_is_told_to_whom_it_is_about_alone() -> None:
    def gone(field: str, id: str) -> Any:
        return Fault("contract is gone") if (field, id) == ("contract", "9002") else known(field, id)

    async with waiting(server(gone), ids(4)) as (reads, vendor, turns, _):
        turns.give(1)
        found = await outcomes(reads)
    assert isinstance(found[1], VendorRefused)
    assert found[1].why == "contract is gone"
    assert [found[0], found[2], found[3]] == [terms("9001"), terms("9003"), terms("9004")]
    assert sizes(vendor) == [4]


async def test_what_the_server_failed_to_gather_is_asked_again_for_whom_it_failed_alone() -> None:
    def failing(field: str, id: str) -> Any:
        return Fault("boom", "DataFetchingException") if id == "fl_9002" else known(field, id)

    async with waiting(server(failing), ids(3)) as (reads, _, turns, _):
        turns.give(1)
        found = await outcomes(reads)
    assert isinstance(found[1], VendorUnavailable)
    assert [found[0], found[2]] == [terms("9001"), terms("9003")]


async def test_partial_data_with_the_contract_is_enough_in_company_too() -> None:
    def deleted(field: str, id: str) -> Any:
        return Fault("deleted user") if id == "fl_9001" else known(field, id)

    async with waiting(server(deleted), ids(2)) as (reads, _, turns, _):
        turns.give(1)
        assert await outcomes(reads) == [terms_of_guide(known("contract", "9001"), {}), terms("9002")]


async def test_an_error_without_a_path_is_told_to_all() -> None:
    def answer(asked: Asked) -> Says:
        if asked.path == TOKEN:
            return token(1)
        found = answered(asked.json, known).json
        if len(roots(asked.json)) > 2:
            found = {"data": dict.fromkeys(found["data"]), "errors": [{"message": "no contracts today"}]}
        return Says(200, found)

    async with waiting(answer, ids(3)) as (reads, vendor, turns, _):
        turns.give(1)
        found = await outcomes(reads)
    assert [getattr(one, "why", None) for one in found] == ["no contracts today"] * 3
    assert sizes(vendor) == [3]


REFERENCE_CONTRACT = {"id": "9001", "title": "Frontend Developer", "freelancer": {"id": "fl_1"}}


async def test_where_one_failure_leaves_no_data_the_others_are_asked_again_without_it() -> None:
    """Neither root of the reference may be null: one contract that is gone empties the whole answer."""

    def gone(field: str, id: str) -> Any:
        if id == "9003":
            return Fault("Contract not found")
        return REFERENCE_CONTRACT | {"id": id} if field == "contractDetails" else {"id": id, "name": "Ava N."}

    answer = server(gone, nullable=False)
    async with waiting(answer, ids(MOST), dialect="reference") as (reads, vendor, turns, _):
        turns.give(20)
        found = await outcomes(reads)
    assert isinstance(found[2], VendorRefused)
    assert found[2].why == "Contract not found"
    assert all(isinstance(one, Terms) for n, one in enumerate(found) if n != 2)
    assert sorted(sizes(vendor)) == [1, 12, 12, 25], "the last alone is the poison, read apart"


def refusing(poison: str, says: Says) -> Callable[[Asked], Says]:
    """Refuses a request as a whole where the poison is in it."""

    def answer(asked: Asked) -> Says:
        if asked.path == TOKEN:
            return token(1)
        return says if any(id == poison for _, _, id in roots(asked.json)) else answered(asked.json, known)

    return answer


COMPLEX = Says(200, {"errors": [{"message": "too complex", "extensions": {"classification": "Aborted"}}]})


@pytest.mark.parametrize("says", [Says(400, {"message": "no"}), Says(413, {"message": "no"}), COMPLEX])
@pytest.mark.parametrize("poison", ["9001", "9002", "9025"])
async def test_a_request_refused_for_one_of_many_is_split_until_that_one_stands_alone(
    says: Says, poison: str
) -> None:
    async with waiting(refusing(poison, says), ids(MOST)) as (reads, vendor, turns, _):
        turns.give(100)
        found = await outcomes(reads)
    assert [id for id, one in zip(ids(MOST), found, strict=True) if isinstance(one, VendorRefused)] == [
        poison
    ]
    assert sum(isinstance(one, Terms) for one in found) == MOST - 1
    assert len(vendor.asked) < MOST


async def test_an_answer_too_long_for_many_is_asked_for_in_smaller_parts() -> None:
    def long(field: str, id: str) -> Any:
        return known(field, id) | ({"description": "x" * 400_000} if field == "contract" else {})

    async with waiting(server(long), ids(MOST)) as (reads, vendor, turns, _):
        turns.give(100)
        assert all(isinstance(one, Terms) for one in await outcomes(reads))
    assert sizes(vendor)[0] == MOST


async def test_a_server_that_takes_fewer_at_once_is_found_out_and_not_tried_again_and_again() -> None:
    def answer(asked: Asked) -> Says:
        if asked.path == TOKEN:
            return token(1)
        return COMPLEX if len(roots(asked.json)) > 2 * 7 else answered(asked.json, known)

    async with waiting(answer, ids(MOST)) as (reads, vendor, turns, client):
        turns.give(100)
        await asyncio.gather(*reads)
        vendor.asked.clear()
        more = await asyncio.gather(*(client.read(id, f"fl_{id}") for id in ids(70)))
    assert more == [terms(id) for id in ids(70)]
    assert sizes(vendor) == [7] * 10, "halved to 6, which fitted, and so one more"


async def test_a_document_the_server_does_not_know_is_found_out_by_one_for_all() -> None:
    """`COMBINED` asks for the currency first, which the guide's own documents leave out."""

    def answer(asked: Asked) -> Says:
        if asked.path == TOKEN:
            return token(1)
        unknown = {"message": "no currency", "extensions": {"classification": "ValidationError"}}
        if "currency" in asked.json["query"] and learned:
            return Says(200, {"errors": [unknown]})
        return answered(asked.json, known)

    learned: list[int] = []
    async with waiting(answer, ids(MOST)) as (reads, vendor, turns, _):
        learned.append(1)
        turns.give(3)
        assert await outcomes(reads) == [terms(id) for id in ids(MOST)]
    assert sizes(vendor) == [MOST, 1, MOST]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_passing_failure_of_the_request_is_everybodys(status: int) -> None:
    async with waiting(server(), ids(3)) as (reads, vendor, turns, _):
        vendor.will(Says(status, {"message": "busy"}, headers={"Retry-After": "9"}))
        turns.give(1)
        found = await outcomes(reads)
    assert [getattr(one, "retry_after", None) for one in found] == [9, 9, 9]
    assert sizes(vendor) == [3]


async def test_who_failed_before_is_asked_with_fewer_others_and_at_last_alone() -> None:
    for failures, most in ((0, 25), (1, 12), (2, 6), (3, 3), (4, 1), (99, 1)):
        async with waiting(server(), ids(12), failures=failures) as (reads, vendor, turns, _):
            turns.give(12)
            await asyncio.gather(*reads)
        assert max(sizes(vendor)) == min(most, 12)


async def test_a_refused_token_is_renewed_once_for_all_that_were_asked_together() -> None:
    async with waiting(server(), ids(5)) as (reads, vendor, turns, _):
        vendor.will(Says(401, {"message": "Authentication failed"}))
        turns.give(3)
        assert await outcomes(reads) == [terms(id) for id in ids(5)]
    assert [asked.path for asked in vendor.asked] == ["/graphql", TOKEN, "/graphql"]


async def test_where_no_turn_comes_in_time_all_are_sent_away() -> None:
    async with waiting(server(), ids(3)) as (reads, vendor, turns, client):
        turns.failing = Crowded(vendor="Upwork", what="a turn", why="none left")
        turns.give(1)
        assert [type(one) for one in await outcomes(reads)] == [Crowded] * 3
        turns.failing = None
        turns.give(1)
        assert await client.read("9001", "fl_9001") == terms("9001")
    assert sizes(vendor) == [1]


async def test_who_gives_up_takes_nobody_along_and_leaves_nothing_behind() -> None:
    async with waiting(server(), ids(3)) as (reads, vendor, turns, client):
        reads[0].cancel()
        await _settled()
        turns.give(1)
        found = await outcomes(reads)
        assert found[1:] == [terms("9002"), terms("9003")]
        last = asyncio.create_task(client.read("9004", "fl_1"))
        await _settled()
        last.cancel()
        await asyncio.gather(last, return_exceptions=True)
        await _settled()
        assert [task for task in asyncio.all_tasks() if task.get_name() == "upwork-reads"] == []
    assert len(vendor.asked) == 1


async def test_parts_are_gathered_too_where_everything_at_once_is_beyond_the_scope() -> None:
    def user_is_beyond(field: str, id: str) -> Any:
        words = "The client or token doesn't have enough oauth2 permissions/scopes to access: [User.email]"
        return Fault(words) if field == "userDetails" and learned else REFERENCE_CONTRACT | {"id": id}

    learned: list[int] = []
    answer = server(user_is_beyond, nullable=False)
    async with waiting(answer, ids(10), dialect="reference") as (reads, vendor, turns, _):
        learned.append(1)
        turns.give(3)
        found = await outcomes(reads)
    assert all(isinstance(one, Terms) for one in found)
    assert [len(roots(asked.json)) for asked in vendor.asked] == [20, 10, 10]


TWICE = """query Q($r0_id: ID!, $r0_n: Int = 3, $r1_id: ID!, $r1_n: Int = 3) {
r0_user: user(id: $r0_id) {
  name(most: $r0_n)
}
r0_us: organization {
  id
}
r1_user: user(id: $r1_id) {
  name(most: $r1_n)
}
r1_us: organization {
  id
}
}"""


def test_a_document_asked_twice_has_names_of_its_own_for_each_time() -> None:
    document = "query Q($id: ID!, $n: Int = 3) { user(id: $id) { name(most: $n) } us: organization { id } }"
    assert together(document, 2) == TWICE
