"""The error table of `coverd config check`: a vendor that does not answer is a hole itself, never a yes."""

import pytest
from replicas import CONFIG
from vendor_errors.questions import ROWS
from vendor_errors.rows import Row
from vendor_errors.stages import Stage, stage_of

from domain.values import KnownContractor
from service.clients.pace import Pace
from service.preflight.dry_run import DryRun
from service.preflight.look import look_around

HOLES = {
    "no answer": ("vendor_unanswered", True),
    "a refusal": ("vendor_refused", True),
    "an unknown entity": ("entity_unknown", True),
    "a note": ("categories_unseen", False),
}
"""The hole that each fate is told as, and whether it is certain."""


async def nobody(_freelancer_id: str) -> KnownContractor:
    return KnownContractor()


async def armed(stage: Stage) -> None:
    stage.armed = True


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_what_becomes_of_a_question(row: Row) -> None:
    async with stage_of(row, armed) as stage:
        desk = stage.replica.worker._desk
        dry_run = DryRun(desk.upwork, CONFIG.rules(), 5, nobody, Pace(0.0))
        found = await look_around(CONFIG.rules(), "guide", desk.ten99policy, dry_run)
        assert stage.hits, "the call was made"
        code, certain = HOLES[row.fate]
        (hole,) = [hole for hole in found.holes if hole.code == code]
        assert hole.certain == certain
        assert not any(stage.ledger.made.values())
