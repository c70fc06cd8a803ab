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


_WORK = (
    Work(
        "Frontend Developer",
        "Build dashboard UI and integrate GraphQL APIs",
        "Web, Mobile & Software Dev",
        "75.00",
    ),
    Work("iOS Engineer", "Ship the offline mode of a field app", "Mobile Development", "88.50"),
    Work("Data Analyst", "Model churn and report it monthly", "Data Science & Analytics", "62.00"),
    Work("Brand Designer", "Redraw the mark and write the style guide", "Branding & Logo Design", "70.00"),
    Work("DevOps Engineer", "Move the build to reproducible images", "IT & Networking", "95.00"),
    Work("Technical Writer", "Rewrite the API guide with worked examples", "Writing", "54.25"),
    Work("Bookkeeper", "Close the books every month", "Accounting & Bookkeeping", "48.00"),
    Work("Structural Engineer", "Check drawings of a timber hall", "Civil & Structural", "110.00"),
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
