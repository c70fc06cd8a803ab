"""What `make audit` looks at is all there is: whatever coverd needs, however far down, is pinned."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PINNED = {
    canonicalize_name(name): pinned
    for name, _, pinned in (
        line.partition("==")
        for line in (Path(__file__).parents[2] / "constraints.txt").read_text().splitlines()
        if line and not line.startswith("#")
    )
}


def needed(name: str, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """What a package that is installed needs beside itself, with the extras that it asks for."""
    for line in requires(name) or ():
        found = Requirement(line)
        if found.marker is None or any(found.marker.evaluate({"extra": extra}) for extra in (*extras, "")):
            yield canonicalize_name(found.name), frozenset(found.extras)


def test_everything_that_is_needed_is_pinned_at_what_is_installed() -> None:
    todo = [("coverd", frozenset({"fast", "dev"}))]
    seen = set(todo)
    while todo:
        name, extras = todo.pop()
        for one in needed(name, extras):
            if one in seen:
                continue
            try:
                assert PINNED.get(one[0]) == version(one[0]), one[0]
            except PackageNotFoundError:
                continue  # for another system
            seen.add(one)
            todo.append(one)
    assert len({name for name, _ in seen}) > 50
