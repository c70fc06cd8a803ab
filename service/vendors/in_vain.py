"""Calls that fail again and again while their vendor works: what a person is told of them."""

from collections.abc import Sequence
from datetime import datetime

from domain.ids import subject
from service.sources import NAMES
from service.trouble import Trouble
from service.vendors.ports import InVain

CALLS_IN_VAIN = "calls_in_vain"
"""The code of what waits for a person while a vendor works, and only some calls to it do not."""


def tried_in_vain(vendor: str, calls: Sequence[InVain], now: datetime) -> Trouble:
    """``calls``: at least one, all of this vendor."""
    since, number = min(call.since for call in calls), sum(call.count for call in calls)
    told = f"{number:,} call{'s' if number > 1 else ''} to {NAMES[vendor]} failed a dozen times and more."
    message = " ".join((told, *map(_of_one_kind, calls)))
    clears = "A call that works: each is made again by itself, for three days. Mend what the vendor names."
    return Trouble(CALLS_IN_VAIN, vendor, message, clears, since, since, now, number)


def _of_one_kind(call: InVain) -> str:
    of = f"of engagement {subject(call.stream_id)}"
    whose = of if call.count == 1 else f"of {call.count:,} engagements, longest {of}"
    return f"{call.operation} {whose}: {call.error.rstrip('.')}."
