"""What cover costs: integer cents of premium per 100 dollars earned (fact sheet 2)."""

from collections.abc import Iterable
from typing import Any

# general and workers-comp as in the reference's sample; no source gives the others.
RATES = {"general": 20, "professional": 30, "workers-comp": 45, "media": 25, "cyber": 15}
LEAST_PREMIUM = 100


def net_rate(coverage: Iterable[str]) -> int:
    return sum(RATES[kind] for kind in coverage)


def quoted_rates(coverage: list[str]) -> dict[str, Any]:
    """The rate members of a quote; a part that is not quoted is null."""
    general = RATES["general"] if "general" in coverage else None
    workers = RATES["workers-comp"] if "workers-comp" in coverage else None
    return {
        "net_rate": net_rate(coverage),
        "gl_net_rate": general,
        "wc_net_rate": workers,
        "quote_json": {
            "gl": {"net_rate": general, "stamping_fee": 0, "risk_purchasing_group_fee": 0},
            "wc": {"net_rate": workers},
        },
    }


def premium(gross_pay: int, rate: int) -> int:
    """Cents due for cents earned: half up, and never under a dollar."""
    return max(LEAST_PREMIUM, (gross_pay * rate + 5000) // 10_000)
