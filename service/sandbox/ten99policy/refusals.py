"""Every way the API says no: a status, an `error_code` and a `message` (fact sheet 4)."""

from typing import Any

import orjson


class Refusal(Exception):
    """An error answer. `stored` ones replay under their idempotency key; failed validations do not."""

    def __init__(
        self, code: str, message: str | dict[str, str], status: int = 400, stored: bool = False
    ) -> None:
        super().__init__(code, message)
        self.code, self.message, self.status, self.stored = code, message, status, stored

    def body(self) -> bytes:
        return error_body(self.code, self.message)


def error_body(code: str, message: str | dict[str, str]) -> bytes:
    return orjson.dumps({"message": message, "error_code": code})


def invalid(**fields: str) -> Refusal:
    """Failed validation, one text a field."""
    return Refusal("invalid_input", fields)


def business(code: str, message: str) -> Refusal:
    """A refusal after the request was understood: it is stored with its key like any other answer."""
    return Refusal(code, message, stored=True)


def not_found(thing: str, id: str) -> Refusal:
    return Refusal("resource_not_found", f"No such {thing}: {id}", status=404)


def unknown_reference(thing: str, value: Any) -> Refusal:
    """An id inside a body that names nothing: `invalid_<thing>_id`."""
    return Refusal(f"invalid_{thing}_id", f"No such {thing}: {value}")


# What an ordered `status:N` fault and the routes that do not exist answer with.
CODES = {
    400: "bad_request",
    401: "invalid_api_key",
    403: "insufficient_permissions",
    404: "resource_not_found",
    405: "bad_request",
    409: "idempotency",
    413: "invalid_file_size",
    429: "rate_limit",
}


def code_for(status: int) -> str:
    return CODES.get(status, "general_error" if status >= 500 else "bad_request")
