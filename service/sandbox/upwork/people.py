"""Plausible freelancers and work for contracts that are made without them."""

from dataclasses import dataclass

_FIRST = (
    "Maya Liam Priya Noah Sofia Ethan Grace Mateo Chloe Owen Nadia Caleb Elena Isaac Ruby Andre Hannah "
    "Miguel Tessa Victor Leah Dominic Paige Omar Julia Derek Camila Felix Naomi Grant Ingrid Marcus Renee "
    "Simon Daniela Wesley Farah Colin Abigail Jonah"
)
_LAST = (
    "Okafor Brooks Raman Castillo Lindqvist Harper Delgado Whitaker Kim Ferraro Osborne Patel Navarro "
    "Schmidt Bennett Haddad Sullivan Moreno Tanaka Whitfield Reyes Novak Campbell Ibrahim Larsen Monroe "
    "Vasquez Doyle Fischer Abbott Mendoza Carver Petrov Sinclair Nakamura Bishop Romero Hayes Kowalski Dalton"
)
_PLACES = (
    ("TX", "Austin"),
    ("NY", "Brooklyn"),
    ("WA", "Seattle"),
    ("IL", "Chicago"),
    ("CO", "Denver"),
    ("GA", "Atlanta"),
    ("OR", "Portland"),
    ("MA", "Boston"),
    ("FL", "Tampa"),
    ("NC", "Raleigh"),
    ("AZ", "Phoenix"),
    ("MN", "Minneapolis"),
    ("TN", "Nashville"),
    ("UT", "Salt Lake City"),
    ("PA", "Pittsburgh"),
    ("CA", "San Diego"),
    ("MI", "Ann Arbor"),
    ("WI", "Madison"),
    ("NM", "Santa Fe"),
)


@dataclass(frozen=True)
class Person:
    first_name: str
    last_name: str
    location: dict[str, str]


@dataclass(frozen=True)
class Work:
    title: str
    description: str
    category: str
    hourly: str


SOFTWARE = "Web, Mobile & Software Dev"
"""The category of every made-up contract: the guide's own, which its example maps."""

_WORK = (
    Work("Frontend Developer", "Build dashboard UI and integrate GraphQL APIs", SOFTWARE, "75.00"),
    Work("iOS Engineer", "Ship the offline mode of a field app", SOFTWARE, "88.50"),
    Work("Backend Developer", "Model churn and report it monthly", SOFTWARE, "62.00"),
    Work("Web Designer", "Redraw the mark and write the style guide", SOFTWARE, "70.00"),
    Work("Build Engineer", "Move the build to reproducible images", SOFTWARE, "95.00"),
    Work("QA Engineer", "Test the API guide's worked examples", SOFTWARE, "54.25"),
    Work("Shop Developer", "Connect the books to the web shop", SOFTWARE, "48.00"),
    Work("Game Developer", "Draw the timber hall in three dimensions", SOFTWARE, "110.00"),
)


def person(number: int) -> Person:
    """The n-th person, from 0; the first 1,600 have different names."""
    firsts, lasts = _FIRST.split(), _LAST.split()
    first = firsts[number % len(firsts)]
    last = lasts[(number * 7 + number // len(firsts)) % len(lasts)]
    region, city = _PLACES[number % len(_PLACES)]
    return Person(first, last, {"country": "US", "region": region, "locality": city})


def work(number: int) -> Work:
    return _WORK[number % len(_WORK)]
