"""`copy.replace` as it is from Python 3.13 on: values and events are structs, commands are not."""

import dataclasses
from typing import Any, TypeVar

import msgspec

_Value = TypeVar("_Value")


def replace(value: _Value, /, **changes: Any) -> _Value:
    """A copy with these fields changed."""
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(value, **changes)
    return dataclasses.replace(value, **changes)  # type: ignore[type-var]
