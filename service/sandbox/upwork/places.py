"""Countries by code and by name: people carry codes (guide), the reference shows names (fact sheet 6.1)."""

from functools import cache
from typing import Any

import pycountry


@cache
def countries() -> list[dict[str, Any]]:
    return [
        {
            "id": country.numeric,
            "name": getattr(country, "common_name", country.name),
            "twoLetterAbbreviation": country.alpha_2,
            "threeLetterAbbreviation": country.alpha_3,
            "active": True,
        }
        for country in pycountry.countries
    ]


@cache
def _names() -> dict[str, str]:
    return {country["twoLetterAbbreviation"]: country["name"] for country in countries()}


def country_name(code_or_name: Any) -> Any:
    return _names().get(code_or_name, code_or_name) if isinstance(code_or_name, str) else code_or_name
