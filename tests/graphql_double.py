"""Answers GraphQL documents as a server would that knows nothing but objects by id: aliases and all."""

from collections.abc import Callable
from typing import Any

from graphql import FieldNode, OperationDefinitionNode, VariableNode, parse
from vendor_double import Says


class Fault(Exception):
    """What a server says where a field fails."""

    def __init__(self, words: str, classification: str = "ExecutionAborted") -> None:
        super().__init__(words)
        self.classification = classification


Resolve = Callable[[str, str], Any]
"""The object at a root field by its id; a `Fault` becomes an error with the field's path."""


def roots(body: Any) -> list[tuple[str, str, str]]:
    """The root fields of a request: the name in the answer, the field, and the id it is asked for."""
    (operation,) = parse(body["query"]).definitions
    assert isinstance(operation, OperationDefinitionNode)
    found = []
    for field in operation.selection_set.selections:
        assert isinstance(field, FieldNode)
        (id,) = field.arguments
        assert isinstance(id.value, VariableNode)
        shown = (field.alias or field.name).value
        found.append((shown, field.name.value, body["variables"][id.value.name.value]))
    return found


def answered(body: Any, resolve: Resolve, *, nullable: bool = True) -> Says:
    """``nullable``: whether a root field may be null; else the first that fails is all there is to tell."""
    data: dict[str, Any] = {}
    errors = []
    for shown, field, id in roots(body):
        data[shown] = resolve(field, id)
        if isinstance(fault := data[shown], Fault):
            data[shown] = None
            extensions = {"classification": fault.classification}
            errors.append({"message": str(fault), "path": [shown], "extensions": extensions})
    if errors and not nullable:
        return Says(200, {"data": None, "errors": errors[:1]})
    return Says(200, {"data": data} | ({"errors": errors} if errors else {}))
