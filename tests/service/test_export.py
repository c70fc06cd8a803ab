"""The log taken away as lines of JSON: whole, resumable, and checked offline by whoever holds it."""

import asyncio
import json
import random
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from contracts.given import ADA, Clock, append, neighbours

from domain import events as e
from domain.ids import bucket_of
from projections.runner import Runner
from service.api.feed import cursor_of
from service.audit.check import Checker
from service.audit.export import PAGE, log_header, pages
from service.audit.lines import parse_line
from service.cli.app import app
from service.clock import utc_now
from service.store.chain import event_hash
from service.store.postgres import PostgresStore

STREAMS = [ADA, *neighbours(2), "engagement:naïve-漢字", "freelancer:fl_1"]
NAMES = ("Zoë O'Neill", 'a "quoted" \\ title', "line\nbreak", "emoji 🪶")

Command = Callable[..., Awaitable[tuple[int, bytes]]]


@pytest.fixture
async def store(database_url: str) -> Any:
    store = await PostgresStore.open(database_url, Clock())
    yield store
    await store.close()


@pytest.fixture
def coverd(database_url: str, monkeypatch: Any, capsysbinary: Any) -> Command:
    """Run a command on the test's database: its exit code, and the bytes it put on stdout."""
    monkeypatch.setenv("COVERD_DATABASE_URL", database_url)

    async def run(*words: object) -> tuple[int, bytes]:
        capsysbinary.readouterr()
        code = 0
        try:
            await asyncio.to_thread(app, [*map(str, words)], result_action="return_value")
        except SystemExit as ended:
            code = int(ended.code or 0)
        return code, capsysbinary.readouterr().out

    return run


async def grow(store: PostgresStore, by: int) -> None:
    """Append to the streams in turn, so that they lie interleaved in their buckets."""
    for number in range(by):
        stream = STREAMS[number % len(STREAMS)]
        version = (await store.head(stream)).version
        event = e.OfferAccepted(f"of_{number}", NAMES[number % len(NAMES)], None)
        await store.append(append(event, stream=stream, expected=version))


def faults(*files: bytes) -> list[str]:
    checker = Checker(keep=len(files) > 1)
    return [why for file in files for why in checker.file(file.splitlines(keepends=True))]


async def test_the_whole_log_is_there_and_proves_itself(
    store: PostgresStore, coverd: Command, tmp_path: Path
) -> None:
    await grow(store, 40)
    code, exported = await coverd("export")
    assert code == 0
    header, *events = [json.loads(line) for line in exported.splitlines()]
    assert (header["coverd_export"], header["of"], header["begin"]) == (1, "log", {})
    assert sum(header["end"].values()) == len(events) == 40
    recorded = {r.stream_id: r for s in STREAMS for r in await store.history(s)}
    assert {event["stream_id"] for event in events} == recorded.keys()
    last = next(event for event in reversed(events) if event["stream_id"] == ADA)
    assert last["hash"] == recorded[ADA].hash.hex()
    assert last["data"]["freelancer_id"] in NAMES

    assert faults(exported) == []
    file = tmp_path / "export.jsonl"
    file.write_bytes(exported)
    code, told = await coverd("verify", "--file", file, "--json")
    assert (code, json.loads(told)) == (
        0,
        {"events": 40, "unanchored": 0, "faults": [], "fault_count": 0},
    )


def in_bucket(lines: list[bytes], nth: int) -> int:
    """Where the nth event of the bucket stands that holds several streams."""
    mark = f'"bucket":{bucket_of(ADA)},'.encode()
    return [n for n, line in enumerate(lines) if mark in line][nth]


def changed(lines: list[bytes], nth: int, old: bytes, new: bytes) -> list[bytes]:
    at = in_bucket(lines, nth)
    assert old in lines[at]
    return [*lines[:at], lines[at].replace(old, new, 1), *lines[at + 1 :]]


def rehashed(lines: list[bytes], nth: int) -> list[bytes]:
    """One event changed by somebody who knows how to make its hash right again."""
    at = in_bucket(lines, nth)
    line = changed(lines, nth, b'"actor":"webhook:upwork"', b'"actor":"webhook:nobody"')[at]
    found = parse_line(line)
    right = event_hash(bytes.fromhex(found.previous), found.link).hex()
    return [*lines[:at], line.replace(found.hash.encode(), right.encode()), *lines[at + 1 :]]


def without(lines: list[bytes], nth: int) -> list[bytes]:
    at = in_bucket(lines, nth)
    return [*lines[:at], *lines[at + 1 :]]


def swapped(lines: list[bytes], nth: int) -> list[bytes]:
    at = in_bucket(lines, nth)
    return [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]


ATTACKS = {
    "a letter of the data": (lambda x: changed(x, 3, b'"of_', b'"oF_'), "not what was written"),
    "a space in the data": (lambda x: changed(x, 3, b'{"offer_id"', b'{ "offer_id"'), "not what was written"),
    "another version": (lambda x: changed(x, 0, b'"version":1', b'"version":9'), "not what was written"),
    "another bucket": (lambda x: changed(x, 0, b'"bucket":', b'"bucket":1'), "does not belong"),
    "an event left out": (lambda x: without(x, 5), "stands where"),
    "the first of a stream left out": (lambda x: without(x, 0), "stands where"),
    "two events in another order": (lambda x: swapped(x, 5), "stands where"),
    "the end cut off": (lambda x: x[:-1], "cut off"),
    "an event twice": (lambda x: [*x, x[-1]], "stands where"),
    "an event with a hash that fits": (lambda x: rehashed(x, 0), "does not follow event 1"),
    "no first line": (lambda x: x[1:], "not that of an export"),
    "another first line": (lambda x: [x[0].replace(b'"end"', b'"fin"'), *x[1:]], "not that of an export"),
    "a line that is none": (lambda x: changed(x, 4, b'"data":', b'"dita":'), "no line of an export"),
    "nothing at all": (lambda x: [], "not that of an export"),
}


async def test_whoever_changes_an_export_is_found_out(store: PostgresStore, coverd: Command) -> None:
    await grow(store, 25)
    _, exported = await coverd("export")
    lines = exported.splitlines(keepends=True)
    assert faults(b"".join(lines)) == []
    found = {what: faults(b"".join(attack(lines))) for what, (attack, _) in ATTACKS.items()}
    for what, (_, said) in ATTACKS.items():
        assert any(said in why for why in found[what]), (what, found[what])


async def test_a_change_in_the_database_itself_is_found_in_the_export(
    store: PostgresStore, coverd: Command, database_url: str, tmp_path: Path
) -> None:
    await grow(store, 25)
    owner = await asyncpg.connect(database_url)
    await owner.execute(
        'UPDATE coverd.event SET data = \'{"offer_id":"of_other"}\' WHERE stream_id = $1 AND version = 2',
        ADA,
    )
    await owner.close()
    file = tmp_path / "export.jsonl"
    assert (await coverd("export", "--output", file))[0] == 0
    code, told = await coverd("verify", "--file", file, "--json")
    assert code == 1
    assert [f"{ADA}@2" in why for why in json.loads(told)["faults"]] == [True]
    assert (await coverd("verify"))[0] == 1


async def test_an_export_that_was_broken_off_goes_on_and_ends_the_same(
    store: PostgresStore, coverd: Command, tmp_path: Path
) -> None:
    await grow(store, 30)
    whole = tmp_path / "whole.jsonl"
    await coverd("export", "--output", whole)
    assert (await coverd("export", "--output", whole))[0] == 1, "nothing is overwritten"
    expected = whole.read_bytes()
    await grow(store, 5)  # meanwhile the log grows: not part of the export that was begun
    first = expected.index(b"\n") + 1
    cuts = [first, first + 1, len(expected) - 1, len(expected)]
    for cut in (*cuts, *random.Random(1).sample(range(first, len(expected)), 12)):
        begun = tmp_path / f"cut-{cut}.jsonl"
        begun.write_bytes(expected[:cut])
        assert (await coverd("export", "--output", begun, "--resume"))[0] == 0
        assert begun.read_bytes() == expected, cut


async def test_one_that_never_got_its_first_line_begins_anew(
    store: PostgresStore, coverd: Command, tmp_path: Path
) -> None:
    await grow(store, 5)
    begun = tmp_path / "begun.jsonl"
    begun.write_bytes(b'{"coverd_exp')
    assert (await coverd("export", "--output", begun, "--resume"))[0] == 0
    assert faults(begun.read_bytes()) == []
    other = tmp_path / "other.txt"
    other.write_bytes(b"a letter\nto somebody\n")
    assert (await coverd("export", "--output", other, "--resume"))[0] == 1


async def test_later_exports_follow_earlier_ones_and_their_joint_is_checked(
    store: PostgresStore, coverd: Command, tmp_path: Path
) -> None:
    files = [tmp_path / f"{number}.jsonl" for number in range(3)]
    for number, file in enumerate(files):
        await grow(store, 12)
        after = ["--after", files[number - 1]] if number else []
        assert (await coverd("export", "--output", file, *after))[0] == 0
    parts = [file.read_bytes() for file in files]

    assert faults(*parts) == []
    assert any("does not follow" in why for why in faults(parts[0], parts[2]))
    checker = Checker()
    assert list(checker.file(parts[2].splitlines(keepends=True))) == []
    assert checker.told.unanchored == len(STREAMS)
    forged = b"".join(rehashed(parts[1].splitlines(keepends=True), 1))
    assert any("does not follow" in why for why in faults(parts[0], forged, parts[2]))
    assert (await coverd("verify", *(w for f in files for w in ("--file", f))))[0] == 0


async def test_one_bucket_or_a_place_in_the_log_can_be_asked_for(
    store: PostgresStore, coverd: Command
) -> None:
    await grow(store, 30)
    _, exported = await coverd("export")
    lines = [json.loads(line) for line in exported.splitlines()[1:]]
    bucket = lines[0]["bucket"]
    _, one = await coverd("export", "--bucket", bucket)
    assert [json.loads(line) for line in one.splitlines()[1:]] == [x for x in lines if x["bucket"] == bucket]
    assert faults(one) == []
    place = lines[7]
    _, rest = await coverd("export", "--cursor", f"{place['bucket']}:{place['position']}")
    assert [json.loads(line) for line in rest.splitlines()[1:]] == lines[8:]
    assert faults(rest) == []
    for strange in ("nonsense", f"{place['bucket']}:99999"):
        assert (await coverd("export", "--cursor", strange))[0] == 1


async def test_the_feed_goes_on_where_its_readers_are(
    store: PostgresStore, coverd: Command, database_url: str
) -> None:
    await grow(store, 30)
    await Runner(store._pool).caught_up()
    _, exported = await coverd("export", "--of", "feed")
    header, *events = [json.loads(line) for line in exported.splitlines()]
    assert [event["cursor"] for event in events] == [cursor_of(n) for n in range(1, 31)]
    assert (header["begin"], header["end"]) == (cursor_of(0), cursor_of(30))
    assert faults(exported) == []
    _, rest = await coverd("export", "--of", "feed", "--cursor", cursor_of(20))
    assert rest.splitlines()[1:] == exported.splitlines()[21:]
    assert faults(rest) == []
    lines = exported.splitlines(keepends=True)
    assert any("missing or moved" in why for why in faults(b"".join([*lines[:9], *lines[10:]])))
    assert any("cut off" in why for why in faults(b"".join(lines[:-1])))
    assert (await coverd("export", "--of", "feed", "--cursor", cursor_of(31)))[0] == 1


async def test_no_more_than_a_page_is_held_however_long_the_log(store: PostgresStore) -> None:
    version = 0
    for _ in range(3):
        await store.append(append(*[e.JobCreated(f"jb_{n}") for n in range(400)], expected=version))
        version += 400
    async with store._pool.acquire() as conn:
        header = await log_header(conn, utc_now, {})
        sizes = [page.count(b"\n") async for page in pages(conn, header)]
    assert sizes == [1, PAGE, PAGE, 200]


async def test_verifying_the_database_is_written_down(store: PostgresStore, coverd: Command) -> None:
    await grow(store, 10)
    assert (await coverd("verify"))[0] == 0
    (told,) = await store.operations("verify")
    assert told.result == {"events": 10, "buckets": len(set(map(bucket_of, STREAMS))), "faults": 0}
    assert told.actor.startswith("command:")


async def test_whoever_trusts_no_program_of_ours_can_check_with_a_few_lines(
    store: PostgresStore, coverd: Command, tmp_path: Path
) -> None:
    handbook = (Path(__file__).parents[2] / "docs/operations.md").read_text()
    (script,) = re.findall(r"^```python\n(.*?)^```$", handbook, re.M | re.S)
    check = tmp_path / "check.py"
    check.write_text(script)
    await grow(store, 25)
    _, exported = await coverd("export")
    lines = exported.splitlines(keepends=True)
    contents = {what: attack(lines) for what, (attack, _) in ATTACKS.items()}

    async def exit_code(name: str, content: list[bytes]) -> int:
        file = tmp_path / name.replace(" ", "-")
        file.write_bytes(b"".join(content))
        started = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", str(check), str(file)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        return await started.wait()

    assert await exit_code("untouched", lines) == 0
    found = {what: await exit_code(what, content) for what, content in contents.items()}
    assert {what for what, code in found.items() if code == 0} == set()
