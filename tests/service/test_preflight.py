"""A look around, part by part: on paper, a list that may have pages, and what is told first."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from story import WHOLE

from service.preflight.findings import Findings, Hole, listed
from service.preflight.paper import on_paper
from service.preflight.ten99policy import category_codes


def codes(holes: Sequence[Hole]) -> dict[str, bool]:
    return {hole.code: hole.certain for hole in holes}


# On paper.


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, {}),
        ({"clients": {}}, {"clients_none": True}),
        ({"clients": {"org_7": "en_1"}}, {"clients_open": False}),
        ({"categories": {}}, {"categories_none": True}),
        ({"categories": {"Legal": "jc_1"}}, {"categories_open": False}),
        ({"proxy_email_domain": None}, {"email_open": False}),
        ({"coverage_types": ("media",)}, {"coverage_types_apart": False}),
        ({"coverage_types": ("cyber", "general")}, {}),
        ({"coverage_types": ("workers-comp",)}, {"coverage_types_by_state": False}),
        ({"cancel_url": None}, {"way_back_open": False}),
        ({"success_url": "https://your.app/{id}"}, {"placeholder_unknown": False}),
        ({"job_name": "{titel}"}, {"placeholder_unknown": False}),
        ({"job_name": "{id}: {title}"}, {}),
    ],
)
def test_what_the_rules_leave_open_is_known_on_paper(change: Any, found: dict[str, bool]) -> None:
    assert codes(on_paper(replace(WHOLE, **change), "reference")) == found


def test_the_guides_documents_name_no_client() -> None:
    [guide] = on_paper(replace(WHOLE, clients={"org_7": "en_1"}), "guide")
    [reference] = on_paper(replace(WHOLE, clients={"org_7": "en_1"}), "reference")
    assert "the guide's documents name none" in guide.message
    assert "guide" not in reference.message


# Category codes.


@pytest.mark.parametrize("number", [0, 1, 99, 100, 101, 250])
async def test_every_category_code_is_read_page_by_page(number: int) -> None:
    every = [{"category_code": f"jc_{n}", "name": f"No. {n}"} for n in range(number)]
    asked = []

    async def read(path: str) -> Any:
        asked.append(path)
        after = path.partition("starting_after=")[2]
        start = next((n + 1 for n, row in enumerate(every) if row["category_code"] == after), 0)
        return every[start : start + 100]

    assert await category_codes(read) == {row["category_code"]: row["name"] for row in every}
    assert len(asked) == number // 100 + 1


async def test_a_list_without_pages_is_read_but_twice() -> None:
    every = [{"category_code": f"jc_{n}", "name": None} for n in range(130)]

    async def read(path: str) -> Any:
        return every

    assert len(await category_codes(read)) == 130


@pytest.mark.parametrize("said", [None, {}, [], "x", [None, 7, {"name": "no code"}], {"data": "x"}])
async def test_no_shape_of_the_list_is_a_crash(said: Any) -> None:
    async def read(path: str) -> Any:
        return said

    assert await category_codes(read) == {}


# The order.


def test_what_hides_the_rest_comes_first_then_the_file_then_what_most_contracts_meet() -> None:
    def hole(code: str, *contracts: str, certain: bool = True) -> Hole:
        return Hole(code, "", "", certain, contracts)

    found = Findings(
        [
            hole("categories_open", certain=False),
            hole("title_missing", "1"),
            hole("pay_currency", "1", "2"),
            hole("title_missing", "2", "3"),
            hole("entity_unknown"),
            hole("vendor_refused"),
        ]
    )
    assert [hole.code for hole in found.ordered()] == [
        *("vendor_refused", "entity_unknown"),
        *("title_missing", "title_missing", "pay_currency", "categories_open"),
    ]


@pytest.mark.parametrize(
    ("number", "told"), [(0, ""), (2, "0, 1"), (3, "0, 1, 2"), (5, "0, 1, 2 and 2 more")]
)
def test_a_long_list_is_cut_and_says_so(number: int, told: str) -> None:
    assert listed([str(n) for n in range(number)], most=3) == told
