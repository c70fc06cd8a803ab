"""What 1099Policy shows of assignments, against what engagements show. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from domain.assignments import canceled_at, dates_of, is_news
from domain.state import Assignment, Engagement
from domain.values import Window
from service.clients.fields import id_of, instant
from service.poll.facts import Fact

Row = Mapping[str, Any]


def assignment_facts(row: Row, engagement: Engagement, made: Assignment, now: int) -> Iterator[Fact]:
    """That this assignment covers no more, or its dates, where the engagement shows otherwise."""
    if id_of(row.get("id")) != made.assignment_id:
        return
    known = canceled_at(engagement, made.assignment_id)
    if row.get("cancelled") is True:
        yield from _cancelled(row, made.assignment_id, known, now)
        return
    void = _void(row)
    if void is not None:
        yield from _cancelled(_as_cancelled(row, void), made.assignment_id, known, now)
        return
    starts, ends = instant(row.get("effective_date")), instant(row.get("end_date"))
    if starts is None or ends is None or Window(starts, ends) == dates_of(engagement, made):
        return
    latest = max((n.said_at for n in engagement.assignment_news.get(made.assignment_id, ())), default=0)
    said = f"dates:{starts}:{ends}:{latest}"
    changed = _fact(row, made.assignment_id, said, "assignment.changed", max(now, latest), None)
    yield replace(changed, webhook=False)


def deleted_facts(engagement: Engagement, made: Assignment, now: int) -> Iterator[Fact]:
    """That this assignment, of which the vendor knows nothing any more, is cancelled."""
    known = canceled_at(engagement, made.assignment_id)
    row = _as_cancelled({"id": made.assignment_id}, "deleted")
    yield from _cancelled(row, made.assignment_id, known, now)


def _void(row: Row) -> str | None:
    """Why it covers nothing though nobody cancelled it (fact sheet 6.7), None where it covers or cannot be
    read: only a plain no is a no."""
    if row.get("bind") is False:
        return "not bound"
    return "not eligible" if _result(row.get("eligible")) is False else None


def _as_cancelled(row: Row, reason: str) -> Row:
    """As the vendor shows one that it cancels now."""
    return {**row, "cancelled": True, "cancellation_date": None, "cancellation_reason": reason}


def _cancelled(row: Row, id: str, known: int | None, now: int) -> Iterator[Fact]:
    dated = instant(row.get("cancellation_date"))
    if known is None or (dated is not None and dated < known):
        said_at = dated if dated is not None and dated <= now else None
        said = f"cancelled:{'' if dated is None else dated}"
        at = now if said_at is None else said_at
        yield _fact(row, id, said, "assignment.cancelled", at, said_at)


def standing_facts(row: Row, engagement: Engagement, until: int) -> Iterator[Fact]:
    """That an assignment stands for this engagement which it does not know: the answer to our call was lost.

    One made after ``until`` may still be answered; one that is not bound, or not eligible, covers nothing.
    """
    id, created = id_of(row.get("id")), instant(row.get("created"))
    starts, ends = instant(row.get("effective_date")), instant(row.get("end_date"))
    eligible = row.get("eligible") is None or _result(row["eligible"]) is True
    covers = row.get("bind") is not False and eligible
    theirs = id_of(row.get("contractor")) in (None, engagement.contractor_id)
    if id is None or starts is None or ends is None or not covers or not theirs:
        return
    if (created is None or created <= until) and is_news(engagement, id, starts):
        at = until if created is None else created
        yield _fact(row, id, "standing", "assignment.standing", at, created)
        if row.get("cancelled") is True:
            yield from _cancelled(row, id, None, at)


def _result(eligible: Any) -> Any:
    """What it says under ``result``, or plainly."""
    return eligible.get("result") if isinstance(eligible, dict) else eligible


def _fact(row: Row, id: str, said: str, type: str, at: int, said_at: int | None) -> Fact:
    data = {**row, "object": "assignment"}
    body = {"id": f"poll:assignment:{id}:{said}", "type": type, "created": at, "data": data}
    return Fact("1099policy", body, id, said_at)
