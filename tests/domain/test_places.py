"""Upwork's countries and states become two letters, whichever way they are written."""

import pycountry
import pytest

from domain.places import country_code, region_code


@pytest.mark.parametrize(
    ("country", "code"),
    [
        *[("US", "US"), ("us", "US"), ("USA", "US"), ("U.S.A.", "US"), (" United States ", "US")],
        *[("Germany", "DE"), ("DEU", "DE"), ("Vietnam", "VN"), ("Viet Nam", "VN")],
        *[("South Korea", "KR"), ("Czech Republic", "CZ"), ("United Kingdom", "GB"), ("UK", "GB")],
        *[("Turkey", "TR"), ("Türkiye", "TR"), ("Turkiye", "TR"), ("Russia", "RU"), ("Moldova", "MD")],
        *[("Côte d'Ivoire", "CI"), ("Cote d’Ivoire", "CI"), ("Ivory Coast", "CI"), ("Reunion", "RE")],
        *[("Macedonia", "MK"), ("Brunei", "BN"), ("Cape Verde", "CV"), ("Palestine", "PS")],
        *[("The Bahamas", "BS"), ("Trinidad & Tobago", "TT"), ("St. Lucia", "LC"), ("Macau", "MO")],
        *[("Congo", "CG"), ("Democratic Republic of the Congo", "CD"), ("Republic of the Congo", "CG")],
        *[("Georgia", "GE"), ("British Virgin Islands", "VG"), ("U.S. Virgin Islands", "VI")],
        *[("Korea", None), ("Virgin Islands", None), ("Freedonia", None), ("EN", None)],
        *[("", None), (" ", None), (None, None), ("日本", None), (".", None)],
    ],
)
def test_a_country_is_two_letters_or_left_out(country: str | None, code: str | None) -> None:
    assert country_code(country) == code


def test_every_country_is_found_by_all_its_listed_names_and_codes() -> None:
    fields = ("name", "official_name", "common_name", "alpha_2", "alpha_3")
    for country in pycountry.countries:
        for field in fields:
            name = getattr(country, field, country.alpha_2)
            assert country_code(name) == country.alpha_2, name


@pytest.mark.parametrize(
    ("region", "country", "code"),
    [
        *[("CA", "US", "CA"), ("ca", "United States", "CA"), ("California", "US", "CA")],
        *[("new york", "USA", "NY"), ("D.C.", "US", "DC"), ("District of Columbia", "US", "DC")],
        *[("Georgia", "US", "GA"), ("Georgia", "Georgia", "Georgia"), ("California", None, "California")],
        *[("Bayern", "DE", "Bayern"), ("ON", "CA", "ON"), (" Bay Area ", "US", "Bay Area")],
        *[("", "US", None), (None, "US", None), (None, None, None)],
    ],
)
def test_a_state_is_two_letters_and_any_other_region_as_it_is_called(
    region: str | None, country: str | None, code: str | None
) -> None:
    assert region_code(region, country) == code
