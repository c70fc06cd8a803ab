"""The window of a quote or an assignment (fact sheet 6.4)."""

from datetime import UTC, datetime

from service.sandbox.ten99policy.refusals import Refusal

DAY = 86_400
DEFAULT_TERM = 30 * DAY


def new_window(now: int, effective: int | None, end: int | None) -> tuple[int, int]:
    """Start and end in epoch seconds; the next day and 30 days when not given."""
    effective = now + DAY if effective is None else effective
    check_start(now, effective)
    return effective, good_end(effective, effective + DEFAULT_TERM if end is None else end)


def check_start(now: int, effective: int) -> None:
    if effective < now:
        raise Refusal("effective_date_invalid", "The effective date must be in the future.")


def good_end(effective: int, end: int) -> int:
    """An end on the day of the start moves to the start of the next day."""
    if end < effective:
        raise Refusal("end_date_invalid", "The end date must be after the effective date.")
    if end > _a_year_after(effective):
        raise Refusal("end_date_invalid", "The end date must be within a year of the effective date.")
    return (end // DAY + 1) * DAY if end // DAY == effective // DAY else end


def _a_year_after(epoch: int) -> float:
    at = datetime.fromtimestamp(epoch, UTC)
    if (at.month, at.day) == (2, 29):
        return at.replace(year=at.year + 1, month=3, day=1).timestamp()
    return at.replace(year=at.year + 1).timestamp()
