"""The address object, in the reference's words and the guide's (`city` for `locality`)."""

from service.sandbox.ten99policy.fields import Fields
from service.sandbox.ten99policy.options import Dialect
from service.sandbox.ten99policy.table import Row

MEMBERS = ("line1", "line2", "locality", "region", "postalcode", "country")


def read_address(fields: Fields, dialect: Dialect, region_required: bool = False) -> None:
    """Puts `address` into the found values: six members, null where missing, and `city` if sent."""
    given = fields.body.get("address")
    if given is None:
        if "address" in fields.body:
            fields.found["address"] = None
        return
    if not isinstance(given, dict):
        fields.wrong["address"] = "must be an object"
        return
    foreign = {"reference": "city", "guide": "locality"}.get(dialect)
    if foreign in given:
        fields.wrong[f"address.{foreign}"] = "is not a field of an address"
    if region_required and not given.get("region"):
        fields.wrong["address.region"] = "is required"
    fields.found["address"] = _normal(fields, given)


def _normal(fields: Fields, given: Row) -> Row:
    address: Row = {member: _text(fields, member, given.get(member)) for member in MEMBERS}
    if "city" in given:
        address["city"] = _text(fields, "city", given["city"])
        address["locality"] = address["locality"] or address["city"]
    return address


def _text(fields: Fields, member: str, value: object) -> str | None:
    """Samples show the postal code as a number: taken, and answered as text (fact sheet 2)."""
    if member == "postalcode" and isinstance(value, int):
        return str(value)
    if value is None or isinstance(value, str):
        return value
    fields.wrong[f"address.{member}"] = "must be a text"
    return None


def region_of(row: Row) -> str | None:
    """The state in a contractor's or job's address, or the guide's top-level `region` of a job."""
    address = row.get("address") or {}
    region = address.get("region") or row.get("region")
    return region if isinstance(region, str) else None
