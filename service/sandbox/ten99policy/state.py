"""Everything a sandbox remembers, and how it is written down and read back."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from service.sandbox.ten99policy.answers import Answers
from service.sandbox.ten99policy.table import Row, Table

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class SessionTable(Table):
    """`ias_` and a ULID: 48 bits of milliseconds, 80 of chance (fact sheet 2)."""

    def new_id(self) -> str:
        number = (int(time.time() * 1000) << 80) | random.getrandbits(80)
        digits = [CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5)]
        return f"{self.prefix}_{''.join(digits)}"


@dataclass
class Verdict:
    """A decision ordered in advance: the next `times` assignments or quotes come out like this."""

    result: bool
    message: str
    times: int


class State:
    """Tables of wire objects; `notes` holds what is known about an object and never sent with it."""

    def __init__(self) -> None:
        self.contractors = Table("contractors", "contractor", "cn", indexed=("email",))
        self.entities = Table("entities", "entity", "en")
        self.jobs = Table("jobs", "job", "jb", indexed=("entity",))
        self.quotes = Table("quotes", "quote", "qt", indexed=("contractor", "job"))
        self.sessions = SessionTable("sessions", "session", "ias", indexed=("quote",))
        self.policies = Table("policies", "policy", "pl", indexed=("contractor", "quote"))
        self.assignments = Table("assignments", "assignment", "an", indexed=("contractor", "job"))
        self.invoices = Table("invoices", "invoice", "in", indexed=("contractor", "job"))
        self.certificates = Table("certificates", "certificate", "ci", indexed=("contractor",))
        self.events = Table("events", "event", "ev", id_length=22)
        self.webhook_endpoints = Table("webhook_endpoints", "webhook_endpoint", "whe", id_length=22)
        self.notes: dict[str, Row] = {}
        self.answers = Answers()
        self.assignment_verdicts: list[Verdict] = []
        self.quote_verdicts: list[Verdict] = []
        self.dirty = False

    def tables(self) -> Iterator[Table]:
        return (value for value in vars(self).values() if isinstance(value, Table))

    def note(self, id: str) -> Row:
        return self.notes.setdefault(id, {})

    def seed(self, entities: tuple[tuple[str, str], ...], now: int) -> None:
        for id, name in entities:
            if id not in self.entities.rows:
                self.entities.add(
                    {
                        "id": id,
                        "name": name,
                        "address": None,
                        "coverage_limit": None,
                        "required_coverage": None,
                        "created": now,
                    }
                )

    def clear(self) -> None:
        for table in self.tables():
            table.load(())
        self.notes.clear()
        self.answers.clear()
        self.assignment_verdicts.clear()
        self.quote_verdicts.clear()

    def dump(self, now: float) -> Row:
        return {
            "tables": {table.name: list(table.rows.values()) for table in self.tables()},
            "notes": self.notes,
            "answers": self.answers.dump(now),
            "assignment_verdicts": self.assignment_verdicts,
            "quote_verdicts": self.quote_verdicts,
        }

    def load(self, saved: Row) -> None:
        for table in self.tables():
            table.load(saved["tables"].get(table.name, ()))
        self.notes = saved["notes"]
        self.answers.load(saved["answers"])
        self.assignment_verdicts = [Verdict(**verdict) for verdict in saved["assignment_verdicts"]]
        self.quote_verdicts = [Verdict(**verdict) for verdict in saved["quote_verdicts"]]


def take_verdict(verdicts: list[Verdict]) -> Verdict | None:
    """Use up one ordered decision, if there is one."""
    if not verdicts:
        return None
    verdict = verdicts[0]
    verdict.times -= 1
    if verdict.times <= 0:
        verdicts.pop(0)
    return verdict


def objects(state: State) -> dict[str, Any]:
    return {table.name: list(table.rows.values()) for table in state.tables()}
