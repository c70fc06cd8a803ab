"""No migration stops running traffic or breaks what runs: squawk's rules, and proof that they bite."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from migrations.files import HERE, read

SQUAWK = Path(sys.executable).with_name("squawk")

LEFT_OUT = (
    "prefer-robust-stmts",  # a file that fails changes nothing: the runner wraps it in a transaction
    "require-lock-timeout",  # the runner sets one for every file
    "require-statement-timeout",  # a long build that blocks nobody may take its time
    "prefer-bigint-over-int",  # buckets, versions and attempts stay small
)

KNOWN = {
    # Workers of the version before cannot claim effects then, and wait until they are replaced.
    "0018_vendors.sql": {"ban-drop-function"},
}
"""What is landed and cannot be changed any more. Nothing is added here for a new file."""


def faults(path: Path, *, concurrent: bool = False) -> set[str]:
    """The rules that squawk finds broken in a file."""
    wrapped = "--no-assume-in-transaction" if concurrent else "--assume-in-transaction"
    told = subprocess.run(
        [SQUAWK, "--reporter", "json", "--pg-version", "15", wrapped, "-e", ",".join(LEFT_OUT), path],
        capture_output=True,
        check=False,
    )
    assert told.returncode in (0, 1), told.stderr.decode()
    return {fault["rule_name"] for fault in json.loads(told.stdout)}


@pytest.mark.parametrize("step", read(), ids=lambda step: step.file)
def test_a_migration_is_safe_beside_running_traffic(step) -> None:
    assert faults(HERE / step.file, concurrent=bool(step.concurrent)) == KNOWN.get(step.file, set())


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("CREATE INDEX i ON coverd.inbox (source);", "require-concurrent-index-creation"),
        ("DROP INDEX coverd.inbox_newest;", "require-concurrent-index-deletion"),
        ("ALTER TABLE coverd.inbox ADD COLUMN x int NOT NULL;", "adding-required-field"),
        ("ALTER TABLE coverd.inbox ADD COLUMN x float DEFAULT random();", "adding-field-with-default"),
        ("ALTER TABLE coverd.inbox ALTER COLUMN attempt TYPE bigint;", "changing-column-type"),
        ("ALTER TABLE coverd.inbox ALTER COLUMN type SET NOT NULL;", "adding-not-nullable-field"),
        ("ALTER TABLE coverd.inbox ADD CONSTRAINT c CHECK (attempt > 0);", "constraint-missing-not-valid"),
        ("ALTER TABLE coverd.inbox ADD CONSTRAINT u UNIQUE (source);", "disallowed-unique-constraint"),
        ("ALTER TABLE coverd.inbox DROP COLUMN detail;", "ban-drop-column"),
        ("ALTER TABLE coverd.inbox RENAME COLUMN detail TO more;", "renaming-column"),
        ("ALTER TABLE coverd.inbox RENAME TO letters;", "renaming-table"),
        ("DROP TABLE coverd.cursor;", "ban-drop-table"),
        ("TRUNCATE coverd.waiting CASCADE;", "ban-truncate-cascade"),
    ],
)
def test_what_would_stop_traffic_is_found(tmp_path: Path, sql: str, rule: str) -> None:
    file = tmp_path / "0099_dangerous.sql"
    file.write_text(f"-- Why not.\n{sql}\n")
    assert rule in faults(file)


def test_an_index_built_beside_traffic_passes(tmp_path: Path) -> None:
    file = tmp_path / "0099_index.sql"
    file.write_text(
        "-- Deliveries are found by their source.\n"
        "DROP INDEX CONCURRENTLY IF EXISTS coverd.inbox_source;\n"
        "CREATE INDEX CONCURRENTLY inbox_source ON coverd.inbox (source);\n"
    )
    assert faults(file, concurrent=True) == set()
