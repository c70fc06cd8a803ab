"""An assignment as 1099Policy shows it now, in whatever order its news came."""

from msgspec.structs import replace

from domain.state import Assignment, AssignmentNews, Engagement
from domain.values import Window


def noted(s: Engagement, assignment_id: str, news: AssignmentNews) -> Engagement:
    """The engagement that has heard this of an assignment, which need not be on record yet."""
    told = sorted((*s.assignment_news.get(assignment_id, ()), news), key=_place)
    return replace(s, assignment_news={**s.assignment_news, assignment_id: tuple(told)})


def _place(news: AssignmentNews) -> tuple[int, int, int, int]:
    dates = news.window or Window(0, 0)
    return news.said_at, dates.starts_at, dates.ends_at, news.version


def canceled_at(s: Engagement, assignment_id: str) -> int | None:
    """From when on it covers no more: the earliest date said, for none can be undone (fact sheet 6.7)."""
    told = s.assignment_news.get(assignment_id, ())
    return min((n.canceled_at for n in told if n.canceled_at is not None), default=None)


def dates_of(s: Engagement, made: Assignment) -> Window:
    """Its dates as the vendor showed them last."""
    shown = [n.window for n in s.assignment_news.get(made.assignment_id, ()) if n.window is not None]
    return shown[-1] if shown else Window(made.effective_date, made.end_date)


def window_of(s: Engagement, made: Assignment) -> Window:
    """When it covers: its dates, until it was cancelled. Empty where it was cancelled before its start."""
    dates, canceled = dates_of(s, made), canceled_at(s, made.assignment_id)
    return dates if canceled is None else Window(dates.starts_at, min(dates.ends_at, canceled))


def term_of(s: Engagement, starts_at: int) -> int:
    """How many terms went before the one that an assignment starting then was made for: its answer may come
    after a renewal."""
    return next((n for n, term in enumerate(s.earlier) if starts_at < term.window.ends_at), len(s.earlier))


def is_news(s: Engagement, assignment_id: str, starts_at: int) -> bool:
    """Whether the term it is for has no assignment yet."""
    place = term_of(s, starts_at)
    made = s.earlier[place].assignment if place < len(s.earlier) else s.assignment
    return made is None and all(known.assignment_id != assignment_id for known in s.assignments)


def assigned(s: Engagement, made: Assignment) -> Engagement:
    """The engagement whose term has this assignment."""
    place = term_of(s, made.effective_date)
    if place == len(s.earlier):
        return replace(s, assignment=made)
    term = replace(s.earlier[place], assignment=made)
    return replace(s, earlier=(*s.earlier[:place], term, *s.earlier[place + 1 :]))


def runs_on(s: Engagement, made: Assignment, at: int) -> bool:
    """Whether it stands at the vendor beyond ``at``: what is cancelled can be ended no more."""
    return canceled_at(s, made.assignment_id) is None and at < dates_of(s, made).ends_at


def proofs(s: Engagement, made: Assignment) -> tuple[int, ...]:
    """The events that say when it covers."""
    return made.created_by, *(n.version for n in s.assignment_news.get(made.assignment_id, ()))
