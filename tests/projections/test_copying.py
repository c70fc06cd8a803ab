"""COPY keeps every value as it is, whatever is in it."""

from typing import Any

from projections.copying import copy_into

ODD = (
    "plain",
    "",
    "a\tb",
    "a\nb\r",
    "back\\slash",
    "\\N",
    "\\t",
    "tN",
    "Ünï — 漢",
    '{"a": "\\n\\\\"}',
    "\x01\x7f",
)


async def test_every_value_is_kept_as_it_is(owner: Any) -> None:
    await owner.execute("CREATE TABLE coverd.odd (a text, b text, c text)")
    rows = [(value, None, value) for value in ODD]

    await copy_into(owner, "odd", ("a", "b", "c"), rows)

    assert [tuple(row) for row in await owner.fetch("SELECT a, b, c FROM coverd.odd")] == rows


async def test_nothing_to_copy_asks_nothing(owner: Any) -> None:
    await copy_into(owner, "there is no such table", ("a",), [])
