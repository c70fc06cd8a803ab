"""One GraphQL document asked many times over in one request, each time under names of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from graphql import (
    FieldNode,
    NameNode,
    Node,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

_NTH = "nth__"
"""Stands in a template for the `prefix` of each time."""


def prefix(number: int) -> str:
    """What the names of one time begin with: its variables, and the root fields of its answer."""
    return f"r{number}_"


@lru_cache(maxsize=256)
def together(document: str, count: int) -> str:
    """``document``, an operation with fields at its root, asked ``count`` times over.

    >>> print(together("query Q($id: ID!) { user(id: $id) { name } }", 2))
    query Q($r0_id: ID!, $r1_id: ID!) {
    r0_user: user(id: $r0_id) {
      name
    }
    r1_user: user(id: $r1_id) {
      name
    }
    }
    """
    name, variables, fields = _template(document)
    numbers = [prefix(number) for number in range(count)]
    asked = "\n".join(fields.replace(_NTH, nth) for nth in numbers)
    taken = ", ".join(variables.replace(_NTH, nth) for nth in numbers) if variables else ""
    return f"query {name}{f'({taken})' if taken else ''} {{\n{asked}\n}}"


def variables_together(times: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The variables of `together`."""
    return {
        f"{prefix(number)}{name}": value
        for number, variables in enumerate(times)
        for name, value in variables.items()
    }


def share(data: Mapping[str, Any], number: int) -> dict[str, Any]:
    """What ``data`` answers to one time, by the document's own names."""
    mine = prefix(number)
    return {name.removeprefix(mine): value for name, value in data.items() if name.startswith(mine)}


@lru_cache(maxsize=32)
def _template(document: str) -> tuple[str, str, str]:
    """The operation's name, its variables and its root fields; parsing takes milliseconds, so once."""
    assert _NTH not in document
    operation = visit(parse(document, no_location=True).definitions[0], _Renamed())
    assert isinstance(operation, OperationDefinitionNode)
    variables = ", ".join(print_ast(variable) for variable in operation.variable_definitions or ())
    fields = "\n".join(print_ast(_under(field)) for field in operation.selection_set.selections)
    return operation.name.value if operation.name else "", variables, fields


class _Renamed(Visitor):
    def enter_variable(self, node: VariableNode, *_: Any) -> VariableNode:
        return VariableNode(name=NameNode(value=_NTH + node.name.value))


def _under(field: Node) -> FieldNode:
    assert isinstance(field, FieldNode)
    return replace(field, alias=NameNode(value=_NTH + (field.alias or field.name).value))
