"""Amounts: exact decimals in, JSON numbers (guide) or Money texts (reference) out. Never binary floats."""

from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from service.sandbox.upwork.records import Pay

# Beyond this many places an amount is no money and is passed on as it came.
MOST_PLACES = 30


def decimal_of(amount: Any) -> Decimal | None:
    """The exact decimal of a JSON number or of decimal text; None for anything else."""
    if isinstance(amount, bool) or not isinstance(amount, int | float | str):
        return None
    try:
        read = Decimal(str(amount))
    except InvalidOperation:
        return None
    return read if read.is_finite() and abs(read.adjusted()) < MOST_PLACES else None


def as_json_number(amount: Any) -> Any:
    """`75.00` stays 75.00 on the wire; what is no number is passed on unchanged."""
    read = decimal_of(amount)
    return amount if read is None else orjson.Fragment(format(read, "f"))


def as_money(pay: Pay | None) -> dict[str, Any] | None:
    """The reference's Money: rawValue "75.00", displayValue "$75.00" (fact sheet 5)."""
    if pay is None or pay.amount is None:
        return None
    read = decimal_of(pay.amount)
    if read is None:
        raw = str(pay.amount)
        return {"rawValue": raw, "currency": pay.currency, "displayValue": raw}
    raw = format(read, "f") if -int(read.as_tuple().exponent) > 2 else format(read, ".2f")
    mark = "$" if pay.currency == "USD" else f"{pay.currency} "
    return {"rawValue": raw, "currency": pay.currency, "displayValue": f"{mark}{raw}"}
