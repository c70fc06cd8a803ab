"""Log lines are JSON, go to stderr, and name no person and no secret."""

import asyncio
import json
import logging
import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from aiohttp import BadContentDispositionHeader
from logs_of_tests import logging_left_as_it_was

from service.logs import PERSONAL, set_up


@pytest.fixture(autouse=True)
def _left_as_it_was() -> Iterator[None]:
    with logging_left_as_it_was():
        yield


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    out, err = capsys.readouterr()
    assert out == "", "stdout is for data"
    return [json.loads(line) for line in err.splitlines()]


def test_a_line_is_json_with_its_level_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(json=True)
    structlog.get_logger("t").info("effect done", step="quote", attempt=2)
    [line] = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "effect done", "level": "info", "step": "quote", "attempt": 2}


def test_lines_that_inform_are_written_together_at_the_next_turn_and_in_order(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up(json=True)
    log = structlog.get_logger("t")

    async def two_turns() -> None:
        log.info("a")
        log.info("b")
        assert lines(capsys) == []
        await asyncio.sleep(0)
        assert [line["event"] for line in lines(capsys)] == ["a", "b"]
        log.info("c")
        log.warning("d")
        assert [line["event"] for line in lines(capsys)] == ["c", "d"], "a warning waits for nothing"
        log.info("e")

    for _ in range(2):
        asyncio.run(two_turns())
        assert [line["event"] for line in lines(capsys)] == ["e"], "nothing is left at the end"


@pytest.mark.parametrize("field", sorted(PERSONAL))
def test_what_names_a_person_or_opens_a_door_is_left_out(
    field: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(json=True)
    structlog.get_logger("t").warning("x", **{field: "Ava Nguyen"}, engagement_id="9001")
    structlog.get_logger("t").warning("x", inner={"deep": {field: "Ava Nguyen"}, "id": "9001"})
    structlog.get_logger("t").warning("x", many=[{field: "Ava Nguyen", "id": "9001"}, ({field: "Ava"},)])
    flat, nested, listed = lines(capsys)
    assert field not in flat
    assert flat["engagement_id"] == "9001"
    assert nested["inner"] == {"deep": {}, "id": "9001"}
    assert listed["many"] == [{"id": "9001"}, [{}]]


def test_what_was_logged_is_not_changed_for_who_logged_it(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(json=True)
    mine = {"email": "ava@example.com"}
    structlog.get_logger("t").warning("x", inner=mine)
    assert lines(capsys)[0]["inner"] == {}
    assert mine == {"email": "ava@example.com"}


def test_lines_of_libraries_have_the_same_shape(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(json=True)
    logging.getLogger("asyncpg").warning("lost %s", "connection", extra={"email": "ava@example.com"})
    [line] = lines(capsys)
    assert (line["event"], line["level"]) == ("lost connection", "warning")
    assert "ava@example.com" not in json.dumps(line)


class Vendors(Exception):
    plain = "1099Policy POST /jobs: 422"


def test_an_exception_is_told_by_kind_and_place_and_not_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    """Its message and the lines of code around it may quote what people sent."""
    set_up(json=True)
    try:
        try:
            raise Vendors("no job for ava@example.com")
        except Vendors:
            raise KeyError("ava@example.com") from ValueError("Ava Nguyen")
    except KeyError:
        structlog.get_logger("t").exception("failed")
        logging.getLogger("aiohttp.client").exception("failed too")
    shown = lines(capsys)
    for line in shown:
        assert re.fullmatch(
            r"KeyError at service/test_logs.py:\d+ test_an_[a-z_]+; after ValueError at ", line["exception"]
        )
    assert "ava" not in json.dumps(shown).lower()


def test_what_an_exception_says_for_the_log_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(json=True)
    try:
        raise Vendors("no job for ava@example.com")
    except Vendors:
        structlog.get_logger("t").exception("failed")
    [line] = lines(capsys)
    assert line["exception"].startswith("Vendors (1099Policy POST /jobs: 422) at ")


def test_of_an_exception_nobody_awaited_only_the_fact_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(json=True)
    words = "Task exception was never retrieved\nfuture: <Task exception=KeyError('ava@example.com')>"
    logging.getLogger("asyncio").error(words)
    assert lines(capsys)[0]["event"] == "Task exception was never retrieved"


async def test_what_a_library_says_comes_after_what_we_said_before_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up(json=True)
    structlog.get_logger("t").info("ours")
    logging.getLogger("asyncio").warning("theirs")
    assert [line["event"] for line in lines(capsys)] == ["ours", "theirs"]


def test_chatty_libraries_speak_from_warnings_up(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(json=True)
    for name in ("transitions", "transitions.core", "aiohttp.access", "asyncio"):
        logging.getLogger(name).info("chatter")
        logging.getLogger(name).warning("news")
    assert [line["event"] for line in lines(capsys)] == ["news"] * 4


def test_quiet_means_warnings_only(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(json=True, quiet=True)
    structlog.get_logger("t").info("chatter")
    structlog.get_logger("t").warning("news")
    assert [line["event"] for line in lines(capsys)] == ["news"]


def test_set_up_twice_says_everything_once(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(json=True)
    set_up(json=True)
    structlog.get_logger("t").info("once")
    assert len(lines(capsys)) == 1


def test_what_is_no_terminal_gets_json(capsys: pytest.CaptureFixture[str]) -> None:
    set_up()
    structlog.get_logger("t").info("for machines")
    assert lines(capsys)[0]["event"] == "for machines"


def test_the_raw_lines_of_requests_that_cannot_be_parsed_are_never_logged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up(json=True)
    logging.getLogger("aiohttp.server").error("Error handling request: Authorization: Bearer s3cr3t")
    assert "s3cr3t" not in capsys.readouterr().err


def test_a_librarys_warning_is_told_without_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        set_up(json=True)
        warnings.warn('odd: filename="Ava Nguyen.pdf"', RuntimeWarning, stacklevel=1)
        warnings.warn("Ava Nguyen.pdf", BadContentDispositionHeader, stacklevel=1)
    [line] = lines(capsys)
    assert line["kind"] == "RuntimeWarning"
    assert line["at"].startswith("service/test_logs.py:")
    assert "Ava" not in str(line)
