"""The filters of the list, as its form sends them."""

from dataclasses import asdict, dataclass
from typing import get_args
from urllib.parse import urlencode

from aiohttp import web

from domain.lifecycle import ENDED, LIVE
from service.api.problems import Problem
from service.api.reading import only
from service.web.lists import Covered

LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader asked for; ``attention`` "yes" leaves only what waits for a person."""

    state: str | None = None
    covered: Covered | None = None
    q: str | None = None
    attention: str | None = None
    cursor: str | None = None

    @property
    def any(self) -> bool:
        return any((self.state, self.covered, self.q, self.attention))

    def with_(self, **changed: str) -> str:
        """The link to the first page under these filters and the ``changed`` ones."""
        kept = {name: value for name, value in asdict(self).items() if value and name != "cursor"}
        return "/?" + urlencode({**kept, **changed})


def filters_of(request: web.Request) -> Filters:
    """Read the query; empty fields, as a form sends them, ask for nothing. Raises `Problem` 400."""
    only(request, "state", "covered", "q", "attention", "cursor")
    given = {name: value.strip() or None for name, value in request.query.items()}
    state, covered, q = given.get("state"), given.get("covered"), given.get("q")
    if state is not None and state not in (*LIVE, ENDED):
        raise Problem(400, f"The state must be one of {', '.join((*LIVE, ENDED))}.")
    if covered is not None and covered not in get_args(Covered):
        raise Problem(400, "Covered must be true, false or null (unknown).")
    if q is not None and (len(q) > LONGEST_ID or "\x00" in q):
        raise Problem(400, f"An id to find may have {LONGEST_ID} characters.")
    if given.get("attention") not in (None, "yes"):
        raise Problem(400, "Attention can only be yes.")
    return Filters(state, covered, q, given.get("attention"), given.get("cursor"))  # type: ignore[arg-type]
