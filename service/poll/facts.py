"""A polled fact: what the vendor says when asked, in the words its webhook would have used."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson

from service.ingest.webhooks import dedupe_key
from service.ports import POLLED, Delivery

Source = Literal["upwork", "1099policy"]


@dataclass(frozen=True, slots=True)
class Fact:
    """``body`` has an id, a type and data like a webhook's; ``about`` names the vendor's object.

    ``said_at`` is the vendor's own time of it in epoch seconds, None where it gives none.
    """

    source: Source
    body: dict[str, Any]
    about: str
    said_at: int | None

    @property
    def type(self) -> str:
        return str(self.body.get("type"))

    def delivery(self, now: datetime) -> Delivery:
        """With the key that a webhook of this body has, so that the two are one."""
        raw = orjson.dumps(self.body)
        return Delivery(self.source, dedupe_key(None, raw), raw, {}, POLLED, now)
