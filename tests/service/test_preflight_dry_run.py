"""The dry run over Upwork's contracts, also where Upwork fails midway, and its categories beside ours."""

from collections.abc import Sequence
from typing import Any

import pytest
from replacing import replace
from story import FRONTEND, WHOLE

from domain.rules import Rules
from domain.values import KnownContractor, Person, Terms
from service.clients.http import VendorRefused, VendorUnavailable
from service.clients.pace import Pace
from service.clients.rows import CategoryRow, ContractRow, OfferRow
from service.preflight.categories import beside
from service.preflight.dry_run import DryRun, nobody
from service.preflight.findings import Hole
from service.preflight.look import look_around


def codes(holes: Sequence[Hole]) -> dict[str, bool]:
    return {hole.code: hole.certain for hole in holes}


class Lists:
    """Upwork's lists and contracts, in memory; ``fails`` is the request that is not answered, from 1."""

    def __init__(
        self, pages: list[list[OfferRow]], terms: dict[str, Terms], fails: int | None = None
    ) -> None:
        self.pages = pages
        self.terms = terms
        self.fails = fails
        self.requests = 0
        self.closed: set[str] = set()

    def _ask(self) -> None:
        self.requests += 1
        if self.requests == self.fails:
            raise VendorUnavailable(vendor="Upwork", what="a list", why="503", status=503)

    async def offers(self, after: str | None) -> tuple[list[OfferRow], str | None]:
        self._ask()
        at = int(after or 0)
        return self.pages[at], str(at + 1) if at + 1 < len(self.pages) else None

    async def contracts(self, ids: Sequence[str]) -> list[ContractRow]:
        self._ask()
        assert len(ids) <= 10
        state = {id: "CLOSED" if id in self.closed else "ACTIVE" for id in ids}
        return [ContractRow(id, state[id], None, None, None, None, None) for id in ids]

    async def read(self, engagement_id: str, freelancer_id: str | None) -> Terms:
        self._ask()
        if engagement_id not in self.terms:
            raise VendorRefused(vendor="Upwork", what="EngagementById", why="Jane Doe may not", status=200)
        return self.terms[engagement_id]

    async def categories(self) -> tuple[CategoryRow, ...]:
        raise VendorRefused(vendor="Upwork", what="Categories", why="no scope", status=200)


def offer(contract_id: str | None, freelancer_id: str | None = "fl_1", number: str = "1") -> OfferRow:
    return OfferRow(f"offer_{number}_{contract_id}", contract_id, "Active", freelancer_id, None, None)


def named(display_name: str) -> Terms:
    return replace(FRONTEND, person=Person(display_name=display_name))


def dry_run(lists: Lists, most: int = 100, rules: Rules = WHOLE, known: Any = nobody) -> DryRun:
    return DryRun(lists, rules, most, known, Pace(0))  # type: ignore[arg-type]


async def test_only_accepted_offers_whose_contract_is_not_over_are_read_each_once() -> None:
    again = offer("1", number="2")
    lists = Lists(
        [[offer("1"), offer(None), offer("2")], [again, offer("3")]], {"1": FRONTEND, "3": FRONTEND}
    )
    lists.closed = {"2"}
    run = dry_run(lists)
    await run.run()
    assert (run.read, run.more, run.holes()) == (2, False, [])


@pytest.mark.parametrize(("most", "read", "more"), [(0, 0, True), (1, 1, True), (2, 2, False), (3, 2, False)])
async def test_no_more_contracts_are_read_than_asked_for(most: int, read: int, more: bool) -> None:
    run = dry_run(Lists([[offer("1"), offer("2")]], {"1": FRONTEND, "2": FRONTEND}), most)
    await run.run()
    assert (run.read, run.more) == (read, more)


async def test_contracts_that_meet_the_same_hold_stand_together_and_name_nobody() -> None:
    terms = {"1": named("Madonna"), "2": named("Cher"), "3": named("Ava Nguyen")}
    run = dry_run(Lists([[offer("1"), offer("2"), offer("3")]], terms))
    await run.run()
    [hole] = run.holes()
    assert (hole.code, hole.contracts, hole.certain) == ("name_unclear", ("1", "2"), True)


async def test_a_contract_that_cannot_be_read_or_names_nobody_is_a_hole_and_the_rest_goes_on() -> None:
    terms = {"2": replace(FRONTEND, freelancer_id=None), "3": named("Cher")}
    run = dry_run(Lists([[offer("1"), offer("2", freelancer_id=None), offer("3")]], terms))
    await run.run()
    found = {hole.code: hole for hole in run.holes()}
    assert set(found) == {"contract_unreadable", "freelancer_missing", "name_unclear"}
    assert "Jane Doe" not in found["contract_unreadable"].message


async def test_who_is_known_here_already_needs_no_name() -> None:
    async def known(freelancer_id: str) -> KnownContractor:
        return {
            "fl_decided": KnownContractor(first_name="Madonna", last_name="Ciccone"),
            "fl_made": KnownContractor("cn_1"),
        }.get(freelancer_id, KnownContractor())

    offers = [offer("1", "fl_decided"), offer("2", "fl_made"), offer("3", "fl_new")]
    run = dry_run(Lists([offers], dict.fromkeys("123", named("Madonna"))), known=known)
    await run.run()
    assert [hole.contracts for hole in run.holes()] == [("3",)]


async def test_a_term_over_a_year_keeps_nothing_from_being_made() -> None:
    assert FRONTEND.starts_at is not None
    long = replace(FRONTEND, ends_at=FRONTEND.starts_at + 400 * 86_400)
    run = dry_run(Lists([[offer("1")]], {"1": long}))
    await run.run()
    assert codes(run.holes()) == {"term_over_a_year": False}


async def test_what_was_found_until_upwork_failed_is_told_with_how_far_it_came() -> None:
    pages = [[offer("1")], [offer("2")]]
    lists = Lists(pages, {"1": named("Cher"), "2": named("Madonna")}, fails=4)
    found = await look_around(WHOLE, "reference", None, dry_run(lists))
    assert [hole.code for hole in found.ordered()] == ["vendor_unanswered", "name_unclear"]
    assert found.asked["upwork"].startswith("no answer after 1 contract that runs")


async def test_a_key_without_the_scope_for_categories_is_told_of_it() -> None:
    found = await look_around(WHOLE, "reference", None, dry_run(Lists([[]], {})))
    assert codes(found.holes) == {"categories_unseen": False}
    assert "no contract runs" in found.asked["upwork"]


# Categories.

TREE = (
    CategoryRow("1", "Legal", (CategoryRow("11", "Public Law"), CategoryRow("12", "Finance & Tax Law"))),
    CategoryRow("2", "Writing"),
)


@pytest.mark.parametrize(
    ("mapped", "unmapped", "unlisted"),
    [
        (["Legal", "Writing"], None, None),
        (["1", "2"], None, None),
        (["legal", "WRITING"], None, None),
        (["Public Law", "finance and tax law", "Writing"], None, None),
        (["Public Law", "Writing"], "Legal", None),
        (["Legal"], "Writing", None),
        (["*"], None, None),
        (["*", "Lawyers"], None, "Lawyers"),
        ([], "Legal; Writing", None),
    ],
)
def test_upworks_categories_stand_beside_those_that_are_mapped(
    mapped: list[str], unmapped: str | None, unlisted: str | None
) -> None:
    holes = {
        hole.code: hole for hole in beside(TREE, replace(WHOLE, categories=dict.fromkeys(mapped, "jc_1")))
    }
    told = {code: hole.message.rpartition(": ")[2].rstrip(".") for code, hole in holes.items()}
    wanted = {"categories_unmapped": unmapped, "categories_unlisted": unlisted}
    assert told == {code: names for code, names in wanted.items() if names}
