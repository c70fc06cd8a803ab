"""A display name is split where there is no doubt, and waits for a person where there is one."""

import pytest

from domain.names import split_name
from domain.values import Hold, Person


@pytest.mark.parametrize(
    ("shown", "first", "last"),
    [
        ("Ava Nguyen", "Ava", "Nguyen"),
        ("  Ava   Nguyen ", "Ava", "Nguyen"),
        ("Nguyen, Ava", "Ava", "Nguyen"),
        ("Ava M. Nguyen", "Ava M.", "Nguyen"),
        ("Siobhán O'Connor", "Siobhán", "O'Connor"),
        ("Aoife O’Brien", "Aoife", "O’Brien"),
        ("Mary-Jane Watson-Parker", "Mary-Jane", "Watson-Parker"),
        ("Ludwig van der Berg", "Ludwig", "van der Berg"),
        ("Juan de la Vega", "Juan", "de la Vega"),
        ("Van Nguyen", "Van", "Nguyen"),
        ("Đorđe Petrović", "Đorđe", "Petrović"),
        ("José Núñez", "José", "Núñez"),
        ("Ng Li", "Ng", "Li"),
        ("Jane St. John", "Jane", "St. John"),
        ("José García y López", "José", "García y López"),
        ("Nguyen, Ava M.", "Ava M.", "Nguyen"),
    ],
)
def test_a_display_name_splits_where_there_is_no_doubt(shown: str, first: str, last: str) -> None:
    assert split_name(Person(display_name=shown)) == (first, last)


@pytest.mark.parametrize(
    "shown",
    [
        *("Madonna", "Jane S.", "Jane S", "J. Smith", "J.R. Smith", "A. N.", "Mary Ann S.", "Jane Sm."),
        *("Ludwig van B.", "Jane de la S.", "Jane O'N.", "Jean-Luc P", "Ava N. G.", "Ana e Silva"),
        *("李小龙", "Анна Иванова", "محمد علي", "Nguyễn Văn An"),
        *("Acme Software", "Blue Sky Design", "Smith Partners", "Nguyen Pty Ltd", "Muster GmbH"),
        *("Acme Inc.", "Bright Pixel Studio", "Smith & Daughters", "Ward Consulting"),
        *("Dr. Jane Smith", "John Smith Jr.", "Ava Nguyen, PMP", "Ava (Avie) Nguyen"),
        *("van der Berg", "Van der Berg", "de la Cruz"),
        *(
            "Jane and John Doe",
            "Ava Nguyen | React Developer",
            "Ava Nguyen 🚀",
            "ava_nguyen dev",
            "Ava Nguyen 2",
        ),
    ],
)
def test_a_display_name_that_leaves_a_doubt_waits_for_a_person(shown: str) -> None:
    split = split_name(Person(display_name=shown))
    assert isinstance(split, Hold)
    assert split.code == "name_unclear"


@pytest.mark.parametrize("shown", [None, "", "   "])
def test_no_name_at_all_is_its_own_hold(shown: str | None) -> None:
    split = split_name(Person(display_name=shown))
    assert isinstance(split, Hold)
    assert split.code == "name_missing"


def test_an_explicit_first_and_last_name_win_over_the_display_name() -> None:
    person = Person(display_name="Bright Pixel Studio", first_name=" Ava  Mai ", last_name=" Nguyen ")
    assert split_name(person) == ("Ava Mai", "Nguyen")


@pytest.mark.parametrize(
    ("first", "last"),
    [
        *[("小龙", "李"), ("민준", "김"), ("Анна", "Иванова"), ("محمد", "علي")],
        *[("Ava M.", "Nguyen"), ("John", "Smith Jr."), ("Ludwig", "van der Berg"), ("Jo", "Ng")],
    ],
)
def test_explicit_names_need_no_splitting_in_any_script(first: str, last: str) -> None:
    assert split_name(Person(display_name="Somebody E.", first_name=first, last_name=last)) == (first, last)


@pytest.mark.parametrize(
    ("first", "last"), [("Jane", "S."), ("Jane", "van S."), ("Jane", ""), (None, "Smith"), ("J", "Smith")]
)
def test_half_an_explicit_name_is_none(first: str | None, last: str | None) -> None:
    assert split_name(Person(display_name="Ava Nguyen", first_name=first, last_name=last)) == (
        "Ava",
        "Nguyen",
    )


def test_an_accent_written_as_two_characters_is_the_same_name() -> None:
    assert split_name(Person(display_name="Jose\u0301 Diaz")) == ("José", "Diaz")
