"""The README's drawing of an engagement's life is the table's own."""

from pathlib import Path

import pytest

from domain import diagram
from domain.lifecycle import LIVE, TABLE, Row

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_shows_the_current_life(capsys: pytest.CaptureFixture[str]) -> None:
    assert diagram.main(["--check", str(README)]) == 0
    assert capsys.readouterr() == ("", "")


def test_every_move_is_drawn_and_nothing_else() -> None:
    drawn = set()
    for line in diagram.diagram().splitlines():
        edge, _, events = line.strip().partition(" : ")
        if events:
            source, dest = edge.split(" --> ")
            sources = LIVE if source == diagram.ANY else ["unseen" if source == "[*]" else source]
            drawn |= {Row(event, s, dest) for event in events.split(", ") for s in sources}
    assert drawn == {row for row in TABLE if row.dest}


def test_a_stale_drawing_fails_the_check_and_says_what_to_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "README.md"
    page.write_text(diagram.block().replace("quoted", "priced"), "utf-8")
    assert diagram.main(["--check", str(page)]) == 1
    assert "make diagram" in capsys.readouterr().err


def test_a_page_without_a_drawing_is_stale(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("# coverd\n", "utf-8")
    assert diagram.main(["--check", str(page)]) == 1


def test_writing_replaces_the_block_and_leaves_the_rest_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(
        f"# coverd\n\n{diagram.BEGIN}\nan old drawing\n{diagram.FINISH}\n\nMore — ünïcode.\n", "utf-8"
    )
    assert diagram.main(["--write", str(page)]) == 0
    assert page.read_text("utf-8") == f"# coverd\n\n{diagram.block()}\n\nMore — ünïcode.\n"
    assert diagram.main(["--check", str(page)]) == 0


def test_writing_adds_the_block_to_a_page_that_has_none(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("# coverd\n", "utf-8")
    diagram.main(["--write", str(page)])
    once = page.read_text("utf-8")
    diagram.main(["--write", str(page)])
    assert once == page.read_text("utf-8") == f"# coverd\n\n{diagram.block()}\n"


def test_without_an_option_it_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert diagram.main([]) == 0
    assert capsys.readouterr().out == diagram.diagram() + "\n"
