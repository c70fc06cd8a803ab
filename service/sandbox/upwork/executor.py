"""Runs GraphQL requests against the schema of a dialect and writes errors as Upwork does (fact sheet 4)."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    build_schema,
    execute_sync,
    parse,
    specified_rules,
    validate,
)

from service.sandbox.upwork.options import Dialect
from service.sandbox.upwork.roots import ROOTS, Asking

_HERE = Path(__file__).parent
_FILES: dict[Dialect, tuple[str, ...]] = {
    "both": ("contract", "reference", "guide"),
    "guide": ("contract", "guide"),
    "reference": ("contract", "reference"),
}
# graphql-java's names of validation errors, by what our library says.
_KINDS = (
    ("MissingFieldArgument", re.compile(r"^Argument .* is required")),
    ("UnknownArgument", re.compile(r"^Unknown argument")),
    ("UnknownType", re.compile(r"^Unknown type")),
    ("UndefinedFragment", re.compile(r"^Unknown fragment")),
    ("UndefinedVariable", re.compile(r"^Variable .* is not defined")),
    ("UnusedVariable", re.compile(r"^Variable .* is never used")),
    ("SubselectionRequired", re.compile(r"must have a selection of subfields")),
    ("SubselectionNotAllowed", re.compile(r"must not have a selection")),
    ("FieldsConflict", re.compile(r"^Fields .* conflict")),
)
_NO_FIELD = re.compile(r"^Cannot query field '(?P<field>\w+)' on type '(?P<type>\w+)'")


class Executor:
    """Builds its schema once and keeps parsed and checked documents by their text."""

    def __init__(self, dialect: Dialect) -> None:
        self._schema = _schema(dialect)
        self._checked = lru_cache(maxsize=512)(self._check)

    def run(self, asking: Asking, query: str, variables: Any, operation: str | None) -> dict[str, Any]:
        """The whole response body. Errors of the request itself come without `data`."""
        document = self._checked(query)
        if isinstance(document, list):
            return {"errors": document}
        result = execute_sync(
            self._schema,
            document,
            root_value=ROOTS,
            context_value=asking,
            variable_values=variables,
            operation_name=operation,
        )
        if not result.errors:
            return {"data": result.data}
        if not any(
            error.path for error in result.errors
        ):  # nothing ran: the variables or the operation's name
            return {"errors": [_shown(error, "ValidationError") for error in result.errors]}
        return {"errors": [_shown(error, "ExecutionAborted") for error in result.errors], "data": result.data}

    def _check(self, query: str) -> DocumentNode | list[dict[str, Any]]:
        try:
            document = parse(query)
        except GraphQLError as error:
            return [_shown(error, "InvalidSyntax")]
        faults = validate(self._schema, document, specified_rules, hide_suggestions=True)
        return [_shown(fault, "ValidationError") for fault in faults] or document


def refusal(message: str, classification: str = "ValidationError") -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"classification": classification}}]}


def _schema(dialect: Dialect) -> GraphQLSchema:
    return build_schema("\n".join((_HERE / f"{name}.graphql").read_text("utf-8") for name in _FILES[dialect]))


def _shown(error: GraphQLError, classification: str) -> dict[str, Any]:
    """`message`, `locations`, `path` where there is one, and `extensions.classification`."""
    message = _validation_text(error.message) if classification == "ValidationError" else error.message
    shown: dict[str, Any] = {"message": message}
    if error.locations:
        shown["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path:
        shown["path"] = error.path
    shown["extensions"] = {"classification": classification, **(error.extensions or {})}
    return shown


def _validation_text(message: str) -> str:
    missing = _NO_FIELD.match(message)
    if missing:
        text = f"Field '{missing['field']}' in type '{missing['type']}' is undefined"
        return f"Validation error of type FieldUndefined: {text}"
    kind = next((kind for kind, pattern in _KINDS if pattern.search(message)), "WrongType")
    return f"Validation error of type {kind}: {message}"
