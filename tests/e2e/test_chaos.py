"""The short form of `make chaos`: one engagement of each kind, a handful of faults, the books in order."""

from pathlib import Path

import pytest
from chaos.run import Plan, run


@pytest.mark.slow
async def test_nothing_is_lost_and_nothing_is_doubled(tmp_path: Path) -> None:
    report = await run(Plan(seed=7, engagements=13, faults=9, every=1.0), tmp_path)
    assert report.complaints == []
    assert (report.right, report.doubled) == (13, 0)
    assert report.stored == report.accepted > 13
    assert len(report.recoveries) >= 3, "something was really broken"
