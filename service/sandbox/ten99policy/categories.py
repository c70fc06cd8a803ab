"""The tenant's job categories (fact sheet 2); the symbolic names are the guide's alone."""

from service.sandbox.ten99policy.options import Dialect
from service.sandbox.ten99policy.refusals import Refusal
from service.sandbox.ten99policy.table import Row
from service.sandbox.ten99policy.vendor import Ask, Route

REFERENCE = {
    "jc_MTqpkbkp6G": "Computer Service or Repair",
    "jc_5Tqpkbkp6G": "Spokesperson / Influencer",
}
SYMBOLIC = {
    "SOFTWARE_ENGINEERING_CONTRACT": "Software Engineering",
    "DESIGN_CREATIVE_CONTRACT": "Design and Creative",
    "WRITING_CONTRACT": "Writing and Translation",
    "SALES_MARKETING_CONTRACT": "Sales and Marketing",
    "ADMIN_SUPPORT_CONTRACT": "Administrative Support",
    "DATA_SCIENCE_CONTRACT": "Data Science and Analytics",
}


def codes(dialect: Dialect) -> dict[str, str]:
    return REFERENCE if dialect == "reference" else {**REFERENCE, **SYMBOLIC}


def check_category(dialect: Dialect, code: object) -> str:
    if code is None or code == "":
        raise Refusal("missing_job_category_code", "A job needs a category_code.")
    if not isinstance(code, str) or code not in codes(dialect):
        raise Refusal("invalid_job_category_code", f"No approved job category: {code}")
    return code


def list_codes(ask: Ask) -> list[Row]:
    known = codes(ask.vendor.options.dialect)
    return [{"category_code": code, "name": name} for code, name in known.items()]


ROUTES = (Route("GET", "/category_codes", list_codes),)
