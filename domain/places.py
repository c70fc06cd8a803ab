"""Countries and states as 1099Policy has them, two letters each, from what Upwork calls them."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pycountry

_EVERYDAY = {
    "uk": "GB",
    "great britain": "GB",
    "uae": "AE",
    "us": "US",
    "usa": "US",
    "brunei": "BN",
    "burma": "MM",
    "cape verde": "CV",
    "east timor": "TL",
    "ivory coast": "CI",
    "macau": "MO",
    "macedonia": "MK",
    "russia": "RU",
    "saint martin": "MF",
    "sint maarten": "SX",
    "swaziland": "SZ",
    "turkey": "TR",
    "vatican": "VA",
    "vatican city": "VA",
}
"""Names in everyday use that the ISO 3166 tables do not list."""


def country_code(country: str | None) -> str | None:
    """Two letters for a country's code or English name; None when it isn't one (it is optional).

    1099Policy's ``country`` is two letters (fact sheet 2); Upwork's is a code in the guide and a name in the
    reference (Upwork facts 6.1). Names are compared without accents, marks and case.
    """
    name = (country or "").strip()
    return _codes().get(name.upper()) or _named().get(_folded(name))


def region_code(region: str | None, country: str | None) -> str | None:
    """A state of the United States as its two letters; any other region stays as it is called."""
    name = (region or "").strip()
    state = _states().get(_folded(name)) if country_code(country) == "US" else None
    return state or name or None


def _folded(name: str) -> str:
    """Without accents, marks, case and a leading "the"; "&" as "and", "St." as "Saint"."""
    apart = unicodedata.normalize("NFKD", name.replace("&", " and ")).casefold().replace(".", "")
    plain = "".join(c for c in apart if not unicodedata.combining(c))
    words = ["saint" if word == "st" else word for word in re.sub(r"[\W_]+", " ", plain).split()]
    return " ".join(words[1:] if words[:1] == ["the"] else words)


@cache
def _codes() -> Mapping[str, str]:
    each = pycountry.countries
    return {code: country.alpha_2 for country in each for code in (country.alpha_2, country.alpha_3)}


@cache
def _named() -> Mapping[str, str]:
    """What is listed comes first, then everyday use, then a name turned round that is one country's alone."""
    listed, turned = {}, defaultdict(set)
    for country in pycountry.countries:
        for name in _names(country):
            listed[_folded(name)] = country.alpha_2
            for other in _turned(name):
                turned[_folded(other)].add(country.alpha_2)
    alone = {name: min(codes) for name, codes in turned.items() if len(codes) == 1}
    return {**alone, **_EVERYDAY, **listed}


def _names(country: Any) -> Iterator[str]:
    fields = ("name", "official_name", "common_name")
    return (name for field in fields if (name := getattr(country, field, None)))


def _turned(name: str) -> tuple[str, str]:
    """ "Moldova, Republic of" is also "Moldova", and "Republic of Moldova"."""
    first, _, rest = re.sub(r"\(.*?\)", "", name).partition(", ")
    return first, f"{rest} {first}"


@cache
def _states() -> Mapping[str, str]:
    states = [state for state in pycountry.subdivisions if state.country_code == "US"]
    names = {state.code[3:]: state.name for state in states}
    return {word: code for code, name in names.items() for word in (_folded(name), code.lower())}
